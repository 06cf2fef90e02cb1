//! The pipeline's rules about streams, as `load` asks for them: by the name that messages carry.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use columns::{DatePolicy, NanPolicy, NulPolicy, ValuePolicies};
use config::{Deletes, LoadMethod, OnBadValue, Selected, StreamDecision, StreamRules, Values};
use load::{LoadSettings, Rules, StreamRule};
use singer::Catalog;
use target_api::TableName;

/// Which streams a run may meet.
#[derive(Clone, Copy, Default)]
pub(super) struct Reach<'a> {
    /// With what is selected; none for a program without discovery.
    pub(super) catalog: Option<&'a Catalog>,
    /// Whether it is a file of the project: what it does not hold is then not meant.
    pub(super) is_fixed: bool,
    /// Whether `--select` or `--exclude` narrow the run.
    pub(super) is_narrowed: bool,
}

/// Rules for a run of the streams that the catalog selects, or, where it does not hold one, that the rules select.
/// `weak` is what the target's config says where the rules say nothing.
pub(super) fn rules(rules: &StreamRules, weak: &LoadSettings, reach: Reach<'_>) -> Rules {
    let Reach { catalog, is_fixed, is_narrowed } = reach;
    let (rules, weak) = (rules.clone(), weak.clone());
    let mut ids = HashMap::new();
    let mut selected = HashSet::new();
    for stream in catalog.into_iter().flat_map(|catalog| &catalog.streams) {
        // Some taps send the id, others the name.
        for name in [&stream.tap_stream_id, &stream.stream] {
            ids.insert(name.clone(), stream.tap_stream_id.clone());
        }
        if stream.is_selected() {
            selected.insert(stream.tap_stream_id.clone());
        }
    }
    Arc::new(move |name| {
        let id = ids.get(name).map_or(name, String::as_str);
        let decision = rules.stream(id);
        let is_selected = match (ids.contains_key(name), decision.selected) {
            (true, _) => selected.contains(id),
            (false, Selected::CatalogDecides) => !is_fixed && !is_narrowed,
            (false, by_rule) => by_rule == Selected::Yes && !is_narrowed,
        };
        let not_selected = (!is_selected).then(|| hint(name, &decision, is_narrowed));
        let settings = decision.settings;
        let weak = weak.rule(name);
        let columns = rules.columns(id);
        StreamRule {
            not_selected,
            table: table(&settings, weak.table, name),
            key_properties: settings.key_properties,
            load_method: match settings.load_method {
                Some(LoadMethod::AppendOnly) => target_api::LoadMethod::AppendOnly,
                Some(LoadMethod::Overwrite) => target_api::LoadMethod::Overwrite,
                Some(LoadMethod::Upsert) => target_api::LoadMethod::Upsert,
                None => weak.load_method,
            },
            deletes: match settings.deletes {
                None => weak.deletes,
                Some(Deletes::Hard) => target_api::Deletes::Hard,
                Some(Deletes::Soft) => target_api::Deletes::Soft,
                Some(Deletes::Ignore) => target_api::Deletes::Ignore,
            },
            values: ValuePolicies {
                nul: settings.values.nul.map_or(weak.values.nul, |_| policies(settings.values).nul),
                ..policies(settings.values)
            },
            metadata_columns: settings.metadata_columns.unwrap_or(weak.metadata_columns),
            excludes_nested: columns.exclude_nested(),
            column_schemas: {
                let columns = columns.clone();
                Arc::new(move |path| columns.schema(path).cloned())
            },
            columns: Arc::new(move |path| columns.loads(path)),
            decodes_content: weak.decodes_content,
            flatten: settings.flatten.unwrap_or(weak.flatten),
            shared: settings.shared,
            grant_select: settings.grant_select.unwrap_or(weak.grant_select),
            validates: weak.validates,
            key_required: weak.key_required,
            activate_version: weak.activate_version,
        }
    })
}

/// The files let each word stand only where it fits.
fn policies(said: Values) -> ValuePolicies {
    use OnBadValue as On;
    ValuePolicies {
        dates: said.dates.map(|on| match on {
            On::SetNull => DatePolicy::SetNull,
            On::Clamp => DatePolicy::Clamp,
            On::Fail | On::Replace | On::Strip => DatePolicy::Fail,
        }),
        nan: said.nan.map(|on| match on {
            On::SetNull => NanPolicy::SetNull,
            On::Fail | On::Clamp | On::Replace | On::Strip => NanPolicy::Fail,
        }),
        nul: said.nul.map(|on| match on {
            On::Replace => NulPolicy::Replace,
            On::Strip => NulPolicy::Strip,
            On::Fail | On::SetNull | On::Clamp => NulPolicy::Fail,
        }),
    }
}

/// What to do about a stream that comes all the same.
fn hint(stream: &str, decision: &StreamDecision, is_narrowed: bool) -> String {
    match (decision.selected, &decision.rule) {
        (Selected::No, Some(rule)) => format!(
            "this tap does not obey its catalog: switch the stream off in the tap's own config, or load it and change the \
             rule at {}",
            rule.file_and_line()
        ),
        (Selected::No, None) => format!(
            "add `{stream}: include` under `streams` in the pipeline's file, or switch the stream off in the tap's own \
             config"
        ),
        _ if is_narrowed => {
            "this tap does not obey its catalog, so that a run of it cannot be narrowed: run it without \
             --select and --exclude"
                .to_owned()
        }
        _ => "the catalog does not select it: select it under `streams`, or switch it off in the tap's own config"
            .to_owned(),
    }
}

/// The table that the settings name; `None` where they leave it to the stream's name.
fn table(settings: &config::StreamSettings, weak: Option<TableName>, stream: &str) -> Option<TableName> {
    if settings.target_schema.is_none() && settings.target_table.is_none() {
        return weak;
    }
    let own = weak.unwrap_or_else(|| target_api::table_name(stream));
    Some(TableName {
        schema: settings.target_schema.clone().or(own.schema),
        table: settings.target_table.clone().unwrap_or(own.table),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use singer::Catalog;

    use load::LoadSettings;

    use super::{Reach, rules};

    /// What is said of a stream's records that may not come; `None` when they are loaded.
    fn not_selected(more: &str, stream: &str, reach: Reach<'_>) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("pipelines")).unwrap();
        let text = format!("tap: {{ command: [x] }}\ntarget: {{ name: target-jsonl }}\n{more}\n");
        fs::write(folder.path().join("pipelines/a.yml"), text).unwrap();
        let pipeline = config::Project::discover(folder.path(), None).unwrap().pipeline("a").unwrap();
        rules(&pipeline.rules, &LoadSettings::default(), reach)(stream).not_selected
    }

    #[test]
    fn a_stream_that_is_not_selected_is_told_with_what_fits_the_reason() {
        let catalog = r#"{"streams":[{"tap_stream_id":"a","schema":{},"metadata":[{"breadcrumb":[],"metadata":{"selected":true}}]}]}"#;
        let catalog = Catalog::parse(catalog).unwrap();
        let all = Reach { catalog: Some(&catalog), ..Reach::default() };
        let fixed = Reach { is_fixed: true, ..all };
        let narrowed = Reach { is_narrowed: true, ..all };
        let excluded = "streams: { \"*\": include, events: exclude }";
        for (more, stream, reach, told) in [
            ("", "a", fixed, None),
            ("", "events", all, None),
            ("", "events", Reach::default(), None),
            ("", "events", fixed, Some("the catalog does not select it")),
            ("streams: { \"*\": include }", "events", fixed, None),
            ("", "events", narrowed, Some("without --select and --exclude")),
            ("streams: { \"*\": include }", "events", narrowed, Some("without --select and --exclude")),
            (
                excluded,
                "events",
                all,
                Some("does not obey its catalog: switch the stream off in the tap's own config"),
            ),
            (excluded, "events", narrowed, Some("the rule at pipelines/a.yml:3")),
            ("streams: { a: include }", "events", all, Some("add `events: include`")),
        ] {
            let hint = not_selected(more, stream, reach);
            assert!(
                hint.as_deref()
                    .zip(told)
                    .map_or(hint.is_none() && told.is_none(), |(hint, told)| hint.contains(told)),
                "{more} {stream}: {hint:?}"
            );
        }
    }
}
