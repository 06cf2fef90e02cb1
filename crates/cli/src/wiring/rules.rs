//! The pipeline's rules about streams, as `load` asks for them: by the name that messages carry.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use config::{LoadMethod, Selected, StreamRules};
use load::{Rules, StreamRule};
use singer::Catalog;
use target_api::TableName;

/// Rules for a run of the streams that `catalog` selects, or, without a catalog, of those that the rules select.
pub(super) fn rules(rules: &StreamRules, catalog: Option<&Catalog>) -> Rules {
    let rules = rules.clone();
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
        let chosen =
            if ids.contains_key(name) { selected.contains(id) } else { decision.selected != Selected::No };
        let settings = decision.settings;
        let columns = rules.columns(id);
        StreamRule {
            selected: chosen,
            table: table(&settings, name),
            key_properties: settings.key_properties,
            load_method: match settings.load_method {
                Some(LoadMethod::AppendOnly) => target_api::LoadMethod::AppendOnly,
                _ => target_api::LoadMethod::Upsert,
            },
            metadata_columns: settings.metadata_columns.unwrap_or(false),
            excludes_nested: columns.exclude_nested(),
            columns: Arc::new(move |path| columns.loads(path)),
        }
    })
}

/// The table that the settings name; `None` where they leave it to the stream's name.
fn table(settings: &config::StreamSettings, stream: &str) -> Option<TableName> {
    if settings.target_schema.is_none() && settings.target_table.is_none() {
        return None;
    }
    let own = target_api::table_name(stream);
    Some(TableName {
        schema: settings.target_schema.clone().or(own.schema),
        table: settings.target_table.clone().unwrap_or(own.table),
    })
}
