use super::{Catalog, CatalogError, CatalogStream};
use crate::Json;

fn stream(text: &str) -> CatalogStream {
    let catalog = format!(r#"{{"streams":[{text}]}}"#);
    Catalog::parse(&catalog).unwrap().streams.remove(0)
}

#[test]
fn unknown_fields_order_and_digits_are_kept() {
    let text = r#"{"streams":[{"tap_stream_id":"a","stream":"A","key_properties":["id"],"replication_method":"","schema":{"type":"object","properties":{"z":{"multipleOf":1e-38},"a":{}}},"metadata":[{"breadcrumb":[],"metadata":{"row-count":12345678901234567890123}}],"table_name":"t","is_view":false}],"version":1}"#;
    let catalog = Catalog::parse(text).unwrap();
    assert_eq!(serde_json::to_string(&catalog).unwrap(), text);
    assert_eq!(catalog.streams[0].property_names().collect::<Vec<_>>(), ["z", "a"]);
    assert_eq!(catalog.streams[0].effective_replication_method(), None, "the SDK's empty text says nothing");
}

#[test]
fn discovery_is_found_between_log_lines() {
    let noise = "INFO config: {'a': 1}\nINFO METRIC: {\"type\": \"timer\"} {}\n{\"level\": \"info\"}\n";
    let printed = format!("{noise}{{\n  \"streams\": [\n    {{\"stream\": \"s\"}}\n  ]\n}}\nbye {{\n");
    let catalog = Catalog::from_discovery(printed.as_bytes()).unwrap();
    assert_eq!((catalog.streams[0].tap_stream_id.as_str(), catalog.streams[0].stream.as_str()), ("s", "s"));
    assert!(matches!(Catalog::from_discovery(noise.as_bytes()), Err(CatalogError::NotFound { .. })));
    let cut = "{\"streams\": [\n{\"stream\": \"s\"},\n";
    assert!(matches!(Catalog::from_discovery(cut.as_bytes()), Err(CatalogError::NotJson(_))));
}

#[test]
fn a_wrong_shape_names_its_place() {
    let error = Catalog::parse(r#"{"streams":[{"stream":"a"},{"stream":"b","metadata":{}}]}"#).unwrap_err();
    assert_eq!(error.to_string(), "streams[1].metadata of the catalog must be an array, but is an object");
    assert!(Catalog::parse(r#"{"streams":[{"schema":{}}]}"#).is_err());
}

/// The cases of the SDK's own rule, root and property `a`, in its order.
#[test]
fn selection_follows_the_order_of_the_sdk() {
    let cases = [
        (r"[]", true, true),
        (r#"[{"breadcrumb":[],"metadata":{}}]"#, false, false),
        (r#"[{"breadcrumb":[],"metadata":{"selected":true}}]"#, true, true),
        (
            r#"[{"breadcrumb":[],"metadata":{"selected":"true"}},{"breadcrumb":["properties","a"],"metadata":{"selected":"false"}}]"#,
            true,
            false,
        ),
        (
            r#"[{"breadcrumb":[],"metadata":{"selected":false}},{"breadcrumb":["properties","a"],"metadata":{"inclusion":"automatic"}}]"#,
            false,
            false,
        ),
        (
            r#"[{"breadcrumb":[],"metadata":{"selected":true}},{"breadcrumb":["properties","a"],"metadata":{"inclusion":"automatic","selected":false}}]"#,
            true,
            true,
        ),
        (
            r#"[{"breadcrumb":[],"metadata":{"selected":true}},{"breadcrumb":["properties","a"],"metadata":{"inclusion":"unsupported","selected":true}}]"#,
            true,
            false,
        ),
        (
            r#"[{"breadcrumb":[],"metadata":{"selected-by-default":true}},{"breadcrumb":["properties","a"],"metadata":{"selected-by-default":false}}]"#,
            true,
            false,
        ),
        (r#"[{"breadcrumb":[],"metadata":{"selected-by-default":true,"selected":false}}]"#, false, false),
        (
            r#"[{"breadcrumb":[],"metadata":{"inclusion":"automatic"}},{"breadcrumb":["properties","a"],"metadata":{"selected-by-default":false,"selected":true}}]"#,
            true,
            true,
        ),
    ];
    for (metadata, root, property) in cases {
        let stream = stream(&format!(
            r#"{{"stream":"s","schema":{{"properties":{{"a":{{}}}}}},"metadata":{metadata}}}"#
        ));
        assert_eq!(stream.is_selected(), root, "stream of {metadata}");
        assert_eq!(stream.is_property_selected(&["a"]), property, "property of {metadata}");
    }
}

#[test]
fn legacy_places_select_when_metadata_is_silent() {
    let legacy = stream(
        r#"{"stream":"s","schema":{"selected":true,"properties":{"a":{"selected":false},"b":{"inclusion":"automatic"}}},"metadata":[{"breadcrumb":[],"metadata":{"row-count":1}}]}"#,
    );
    assert!(legacy.is_selected());
    assert!(!legacy.is_property_selected(&["a"]));
    assert!(legacy.is_property_selected(&["b"]) && legacy.is_automatic(&["b"]));
    assert!(!stream(r#"{"stream":"s","selected":false}"#).is_selected());
}

#[test]
fn a_choice_is_written_where_every_kind_of_tap_looks() {
    let mut chosen = stream(r#"{"stream":"s","schema":{"properties":{"a":{"properties":{"b":{}}}}}}"#);
    chosen.set_selected(&[], true);
    chosen.set_selected(&["a", "b"], false);
    let expected = r#"{"streams":[{"tap_stream_id":"s","stream":"s","schema":{"properties":{"a":{"properties":{"b":{"selected":false}}}},"selected":true},"metadata":[{"breadcrumb":[],"metadata":{"selected":true}},{"breadcrumb":["properties","a","properties","b"],"metadata":{"selected":false}}],"selected":true}]}"#;
    let catalog = Catalog { streams: vec![chosen], ..Catalog::default() };
    assert_eq!(serde_json::to_string(&catalog).unwrap(), expected);
    assert_eq!(catalog.selected_streams().count(), 1);
    assert!(catalog.streams[0].is_property_selected(&["a"]));
    assert!(!catalog.streams[0].is_property_selected(&["a", "b"]));
}

#[test]
fn keys_and_methods_come_from_metadata_first() {
    let mut stream = stream(
        r#"{"stream":"s","key_properties":["x"],"replication_method":"FULL_TABLE","metadata":[{"breadcrumb":[],"metadata":{"table-key-properties":[],"replication-method":"INCREMENTAL","replication-key":"at"}}]}"#,
    );
    assert_eq!(stream.key(), ["x"]);
    assert_eq!(stream.effective_replication_method(), Some("INCREMENTAL"));
    assert_eq!(stream.effective_replication_key(), Some("at"));
    stream.set_metadata(&[], "table-key-properties", Json::Array(vec![Json::String("id".to_owned())]));
    stream.set_metadata(&[], "forced-replication-method", Json::String("LOG_BASED".to_owned()));
    assert_eq!(stream.key(), ["id"]);
    assert_eq!(stream.effective_replication_method(), Some("LOG_BASED"));
}
