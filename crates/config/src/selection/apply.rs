use singer::{Catalog, CatalogStream, Json};

use super::{ColumnDecision, SelectedStream, SelectionReport, columns, hidden, named, replication, tables};
use crate::pattern::Pattern;
use crate::problem::{ConfigError, Problem};
use crate::streams::{LoadMethod, RuleSettings, Selected, StreamFault, StreamRules};

/// What goes on while the rules are applied.
pub(super) struct Applying<'a> {
    pub(super) rules: &'a StreamRules,
    pub(super) problems: Vec<Problem>,
    pub(super) report: SelectionReport,
}

impl StreamRules {
    /// Writes into the catalog what the files say: which streams and columns are selected, how they are replicated,
    /// further metadata. `select` and `exclude` are the command line's; they narrow and never widen.
    ///
    /// # Errors
    /// A stream or column that is named and not offered, a rule that does nothing, a key that is excluded, a setting
    /// that the tap cannot honour, and when nothing is left to load. The catalog is then half written: drop it.
    pub fn apply(
        &self,
        catalog: &mut Catalog,
        select: &[Pattern],
        exclude: &[Pattern],
    ) -> Result<SelectionReport, ConfigError> {
        let mut applying = Applying { rules: self, problems: Vec::new(), report: SelectionReport::default() };
        named::check(&mut applying, catalog);
        hidden::check(&mut applying, catalog);
        let wanted = |id: &str| {
            (select.is_empty() || select.iter().any(|pattern| pattern.matches(id)))
                && !exclude.iter().any(|pattern| pattern.matches(id))
        };
        let mut loaded_by_rules = Vec::new();
        for stream in &mut catalog.streams {
            let id = stream.tap_stream_id.clone();
            let decision = self.stream(&id);
            let is_selected = match decision.selected {
                Selected::Yes => true,
                Selected::No => false,
                Selected::CatalogDecides => stream.is_selected(),
            };
            if is_selected {
                loaded_by_rules.push(id.clone());
            }
            let is_loaded = is_selected && wanted(&id);
            stream.set_selected(&[], is_loaded);
            if is_loaded {
                let merged = self.merged(&id);
                let columns = applying.stream(stream, &merged);
                applying.report.selected.push(SelectedStream {
                    tap_stream_id: id,
                    stream: stream.stream.clone(),
                    rule: decision.rule,
                    settings: decision.settings,
                    key_properties: stream.key(),
                    columns,
                });
            }
        }
        let selected: Vec<&str> =
            applying.report.selected.iter().map(|stream| stream.tap_stream_id.as_str()).collect();
        applying.problems.extend(tables::check(self, selected.into_iter()));
        applying.check_narrowing(select, &loaded_by_rules, catalog.streams.len());
        ConfigError::unless_none(applying.problems)?;
        Ok(applying.report)
    }
}

impl Applying<'_> {
    /// Writes one loaded stream's settings, and says what decides about its columns.
    fn stream(&mut self, stream: &mut CatalogStream, merged: &RuleSettings) -> Vec<ColumnDecision> {
        if stream.is_unsupported(&[]) {
            let place = self.rules.stream(&stream.tap_stream_id).rule;
            let fault = StreamFault::NotHonoured {
                stream: stream.tap_stream_id.clone(),
                wanted: "this tap".to_owned(),
                reason: "the tap marks it as unsupported".to_owned(),
            };
            self.problems.push(
                place.map_or_else(|| Problem::nowhere(fault.clone()), |at| Problem::new(fault.clone(), &at)),
            );
        }
        replication::write(stream, merged, &mut self.problems);
        let method = merged.load_method.as_ref();
        if let Some(method) =
            method.filter(|method| method.value == LoadMethod::Upsert && stream.key().is_empty())
        {
            self.problems.push(Problem::new(StreamFault::NoKey(stream.tap_stream_id.clone()), &method.place));
        }
        let overwrites = method.filter(|method| method.value == LoadMethod::Overwrite);
        if let (Some(method), true) = (overwrites, merged.shared.as_ref().is_some_and(|shared| shared.value))
        {
            let fault = StreamFault::OverwriteShared(stream.tap_stream_id.clone());
            self.problems.push(Problem::new(fault, &method.place));
        }
        let in_parts = stream.effective_replication_method().filter(|method| *method != "FULL_TABLE");
        if let (Some(method), Some(in_parts)) = (overwrites, in_parts) {
            let (stream, how) = (stream.tap_stream_id.clone(), in_parts.to_owned());
            let fault = StreamFault::OverwriteInParts { stream, method: how };
            self.problems.push(Problem::new(fault, &method.place));
        }
        for (key, placed) in &merged.metadata {
            stream.set_metadata(&[], key, placed.value.clone());
        }
        let id = &stream.tap_stream_id;
        for template in [&merged.target_schema, &merged.target_table].into_iter().flatten() {
            if let Some(fault) = template.value.misses_schema(id) {
                self.problems.push(Problem::new(fault, &template.place));
            }
        }
        columns::write(stream, merged, &mut self.problems)
    }

    /// `--select` that names nothing, and nothing left.
    fn check_narrowing(&mut self, select: &[Pattern], loaded: &[String], offered: usize) {
        for pattern in select {
            let unknown: Vec<String> = pattern.names().filter(|name| !loaded.contains(name)).collect();
            let matches_none = !loaded.iter().any(|id| pattern.matches(id));
            let missing = unknown.into_iter().next().or_else(|| matches_none.then(|| pattern.to_string()));
            if let Some(missing) = missing {
                self.problems.push(Problem::nowhere(StreamFault::SelectsNothing(missing)));
            }
        }
        if self.report.selected.is_empty() && self.problems.is_empty() {
            let fault = match loaded.len() {
                0 => StreamFault::NothingSelected { offered },
                loaded => StreamFault::NothingLeft { loaded },
            };
            self.problems.push(Problem::nowhere(fault));
        }
    }
}

/// A key as a catalog has it.
pub(super) fn names_to_json(names: &[String]) -> Json {
    Json::Array(names.iter().cloned().map(Json::String).collect())
}
