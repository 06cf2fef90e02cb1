//! The source's catalog as a Singer catalog.

use std::collections::HashSet;
use std::path::Path;

use indexmap::IndexMap;
use singer::{Catalog, CatalogStream, Json};
use tap_sdk::{TapError, log};

use crate::message::Kind;
use crate::offered::Offered;
use crate::source::Source;

/// Under which field of a catalog's stream the source's own description stands, for the configured catalog.
pub(crate) const OWN: &str = "airbyte_stream";

/// Asks the source.
///
/// # Errors
/// It gives none.
pub(crate) fn catalog(source: &Source, config: &Path) -> Result<Catalog, TapError> {
    let (found, exit) = source.ask("discover", Kind::Catalog, Some(config))?;
    let found = found.filter(|_| exit.is_success()).ok_or_else(|| {
        TapError::failed(format!("the source's `discover` gave no catalog: {exit}"))
            .with_hint("the lines above are its own")
    })?;
    to_singer(&found)
}

fn to_singer(payload: &str) -> Result<Catalog, TapError> {
    let broken = |reason: String| TapError::failed(format!("the source's catalog cannot be read: {reason}"));
    let tree = Json::parse(payload).map_err(|error| broken(error.to_string()))?;
    let streams = tree.get("streams").and_then(Json::as_array);
    let streams = streams.ok_or_else(|| broken("it has no `streams`".to_owned()))?;
    let mut catalog = Catalog::default();
    let mut ids = HashSet::new();
    for own in streams {
        let offered = Offered::read(own).map_err(|error| broken(error.to_string()))?;
        let stream = stream(&offered, own);
        if !ids.insert(stream.tap_stream_id.clone()) {
            return Err(broken(format!("two of its streams would be {}", stream.tap_stream_id)));
        }
        catalog.streams.push(stream);
    }
    Ok(catalog)
}

fn stream(offered: &Offered, own: &Json) -> CatalogStream {
    let id = offered.descriptor.id();
    let key = offered.key().unwrap_or_else(|| {
        log::warning(&format!(
            "{id}: parts of its key lie in nested objects, so it is loaded without one; flattened they can be its key: \
             {}",
            flattened_key(&offered.primary_key)
        ));
        Vec::new()
    });
    let mut stream = CatalogStream::new(&id, singer_schema(&offered.json_schema, &key));
    let text = |text: &str| Json::String(text.to_owned());
    let list = |names: &[String]| Json::Array(names.iter().map(|name| text(name)).collect());
    let method = if offered.incremental() { "INCREMENTAL" } else { "FULL_TABLE" };
    stream.set_metadata(&[], "inclusion", text("available"));
    stream.set_metadata(&[], "selected-by-default", Json::Bool(true));
    stream.set_metadata(&[], "table-key-properties", list(&key));
    stream.set_metadata(&[], "replication-method", text(method));
    if offered.incremental() != offered.full_refresh() {
        stream.set_metadata(&[], "forced-replication-method", text(method));
    }
    if offered.own_cursor && offered.incremental() && !offered.default_cursor.is_empty() {
        stream.set_metadata(&[], "valid-replication-keys", list(&offered.default_cursor[..1]));
    }
    stream.key_properties = Some(key.clone());
    stream.replication_method = Some(method.to_owned());
    let names: Vec<String> = stream.property_names().map(str::to_owned).collect();
    for name in names {
        let goes_along = key.contains(&name) || offered.default_cursor.first() == Some(&name);
        let inclusion = if goes_along { "automatic" } else { "available" };
        stream.set_metadata(&["properties", &name], "inclusion", text(inclusion));
    }
    stream.other.insert(OWN.to_owned(), own.clone());
    stream
}

/// What a pipeline says of a stream to make its nested key a key.
fn flattened_key(paths: &[Vec<String>]) -> String {
    let deepest = paths.iter().map(Vec::len).max().unwrap_or_default();
    let names: Vec<String> = paths.iter().map(|path| path.join("__")).collect();
    format!("`flatten: {}, key_properties: [{}]`", deepest.saturating_sub(1), names.join(", "))
}

/// Airbyte leaves out what is null and says types by words of its own: nullable all but the key, and with Singer's.
fn singer_schema(schema: &Json, key: &[String]) -> Json {
    let Json::Object(members) = schema else { return schema.clone() };
    let mut members = members.clone();
    if let Some(Json::Object(properties)) = members.get_mut("properties") {
        for (name, node) in properties.iter_mut().filter(|(_, node)| matches!(node, Json::Object(_))) {
            *node = property(node, !key.contains(name));
        }
    }
    members.insert("type".to_owned(), Json::String("object".to_owned()));
    Json::Object(members)
}

fn property(node: &Json, nullable: bool) -> Json {
    let Json::Object(members) = node else { return node.clone() };
    let mut members: IndexMap<String, Json> =
        members.iter().map(|(keyword, value)| (keyword.clone(), nested(keyword, value))).collect();
    let said = members.get("airbyte_type").and_then(Json::as_str).map(str::to_owned);
    match said.as_deref() {
        Some("integer" | "big_integer") => typed(&mut members, "integer"),
        Some("timestamp_without_timezone") => outright(&mut members, "timestamp"),
        Some("time_with_timezone") => outright(&mut members, "timetz"),
        _ => {}
    }
    if nullable {
        let null = || Json::String("null".to_owned());
        match members.get_mut("type") {
            Some(Json::Array(types)) if !types.contains(&null()) => types.push(null()),
            Some(one @ Json::String(_)) if *one != null() => *one = Json::Array(vec![one.clone(), null()]),
            _ => {}
        }
    }
    Json::Object(members)
}

/// The nodes below; an object's members and an array's items may be null, too.
fn nested(keyword: &str, value: &Json) -> Json {
    match (keyword, value) {
        ("properties", Json::Object(nodes)) => {
            Json::Object(nodes.iter().map(|(name, node)| (name.clone(), property(node, true))).collect())
        }
        ("items" | "additionalProperties", node) => property(node, true),
        ("oneOf" | "anyOf" | "allOf", Json::Array(nodes)) => {
            Json::Array(nodes.iter().map(|node| property(node, true)).collect())
        }
        _ => value.clone(),
    }
}

fn typed(members: &mut IndexMap<String, Json>, word: &str) {
    members.insert("type".to_owned(), Json::String(word.to_owned()));
}

fn outright(members: &mut IndexMap<String, Json>, column_type: &str) {
    members.insert("x-tapster-type".to_owned(), Json::String(column_type.to_owned()));
}

#[cfg(test)]
mod tests {
    use singer::Json;

    use super::{OWN, to_singer};

    fn catalog(stream: &str) -> singer::Catalog {
        to_singer(&format!(r#"{{"streams":[{stream}]}}"#)).unwrap()
    }

    #[test]
    fn a_stream_keeps_its_key_its_method_and_its_own_description() {
        let own = r#"{"name":"users","namespace":"crm","json_schema":{"type":"object","properties":{"id":{"type":"integer"},"at":{"type":"string","format":"date-time"}}},"supported_sync_modes":["full_refresh","incremental"],"source_defined_cursor":true,"default_cursor_field":["at"],"source_defined_primary_key":[["id"]]}"#;
        let catalog = catalog(own);
        let stream = &catalog.streams[0];
        assert_eq!((stream.tap_stream_id.as_str(), stream.stream.as_str()), ("crm-users", "crm-users"));
        assert_eq!(stream.key(), ["id"]);
        assert_eq!(stream.effective_replication_method(), Some("INCREMENTAL"));
        assert!(stream.is_selected() && stream.is_automatic(&["id"]) && stream.is_automatic(&["at"]));
        let root = Json::Object(stream.metadata(&[]).unwrap().clone()).to_string();
        assert!(root.contains(r#""valid-replication-keys":["at"]"#) && !root.contains("forced"), "{root}");
        assert_eq!(stream.other[OWN].to_string(), own);
    }

    #[test]
    fn one_way_to_read_is_forced_and_a_nested_key_is_none() {
        let full = catalog(
            r#"{"name":"a","json_schema":{},"supported_sync_modes":["full_refresh"],"source_defined_primary_key":[["id"],["b","c"]]}"#,
        );
        let stream = &full.streams[0];
        assert!(stream.key().is_empty());
        assert_eq!(stream.metadata(&[]).unwrap()["forced-replication-method"].as_str(), Some("FULL_TABLE"));
        let old = catalog(r#"{"name":"a","json_schema":{}}"#);
        assert_eq!(old.streams[0].effective_replication_method(), Some("FULL_TABLE"));
        assert!(to_singer(r#"{"streams":[{"name":"b-c","namespace":"a","json_schema":{}},{"name":"c","namespace":"a-b","json_schema":{}}]}"#).is_err());
    }

    #[test]
    fn types_become_nullable_and_singers_own() {
        let properties = r#"{"id":{"type":"integer"},"n":{"type":"number","airbyte_type":"integer"},"at":{"type":["string"],"format":"date-time","airbyte_type":"timestamp_without_timezone"},"o":{"type":"object","properties":{"x":{"type":"string"}}},"u":{"oneOf":[{"type":"string"}]}}"#;
        let catalog = catalog(&format!(
            r#"{{"name":"a","json_schema":{{"properties":{properties}}},"source_defined_primary_key":[["id"]]}}"#
        ));
        assert_eq!(
            catalog.streams[0].schema.get("properties").unwrap().to_string(),
            r#"{"id":{"type":"integer"},"n":{"type":["integer","null"],"airbyte_type":"integer"},"at":{"type":["string","null"],"format":"date-time","airbyte_type":"timestamp_without_timezone","x-tapster-type":"timestamp"},"o":{"type":["object","null"],"properties":{"x":{"type":["string","null"]}}},"u":{"oneOf":[{"type":["string","null"]}]}}"#
        );
    }
}
