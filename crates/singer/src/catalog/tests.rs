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

/// Places and what is said of them.
type Said<'a> = &'a [(&'a str, &'a str)];

/// The SDK's rule along the path `a`, `a.b`, `a.b.c` of a selected stream: what holds a property decides first, then the
/// property's own `inclusion`, `selected`, `selected-by-default`; what nothing is said of goes with what holds it.
#[test]
fn nested_properties_inherit_as_with_the_sdk() {
    const A: &str = r#"["properties","a"]"#;
    const B: &str = r#"["properties","a","properties","b"]"#;
    const C: &str = r#"["properties","a","properties","b","properties","c"]"#;
    const ROOT: (&str, &str) = ("[]", r#""selected":true"#);
    const YES: &str = r#""selected":true"#;
    const NO: &str = r#""selected":false"#;
    const AUTOMATIC: &str = r#""inclusion":"automatic""#;
    const UNSUPPORTED: &str = r#""inclusion":"unsupported""#;
    let cases: [(Said<'_>, [bool; 3]); 24] = [
        (&[], [true; 3]),
        (&[ROOT], [true; 3]),
        (&[ROOT, (A, r#""inclusion":"available""#), (C, r#""inclusion":"available""#)], [true; 3]),
        (&[ROOT, (A, NO)], [false; 3]),
        (&[ROOT, (A, NO), (B, YES)], [false; 3]),
        (&[ROOT, (A, NO), (B, AUTOMATIC), (C, YES)], [false; 3]),
        (&[ROOT, (B, NO)], [true, false, false]),
        (&[ROOT, (B, NO), (C, AUTOMATIC)], [true, false, false]),
        (&[ROOT, (C, NO)], [true, true, false]),
        (&[ROOT, (A, UNSUPPORTED), (B, AUTOMATIC)], [false; 3]),
        (&[ROOT, (B, r#""inclusion":"unsupported","selected":true"#)], [true, false, false]),
        (&[ROOT, (A, r#""inclusion":"automatic","selected":false"#)], [true; 3]),
        (&[ROOT, (A, AUTOMATIC), (B, NO)], [true, false, false]),
        (&[ROOT, (A, AUTOMATIC), (B, r#""selected-by-default":false"#), (C, YES)], [true, false, false]),
        (&[ROOT, (A, r#""selected-by-default":false"#), (B, YES)], [false; 3]),
        (&[ROOT, (B, r#""selected-by-default":false,"selected":true"#)], [true; 3]),
        (&[ROOT, (B, r#""selected-by-default":true,"selected":false"#)], [true, false, false]),
        (&[ROOT, (B, r#""selected":null,"selected-by-default":false"#)], [true, false, false]),
        (&[ROOT, (B, r#""selected":null,"inclusion":null"#)], [true; 3]),
        (&[("[]", NO), (A, AUTOMATIC), (B, YES)], [false; 3]),
        (&[("[]", UNSUPPORTED), (A, YES)], [false; 3]),
        (&[("[]", r#""selected-by-default":true"#), (C, NO)], [true, true, false]),
        // Nothing is said of the stream while something is said: it is not selected.
        (&[(A, YES), (B, AUTOMATIC)], [false; 3]),
        // Said twice: the last counts.
        (&[ROOT, (B, YES), (B, NO)], [true, false, false]),
    ];
    for (said, wanted) in cases {
        let entries: Vec<String> = said
            .iter()
            .map(|(at, metadata)| format!(r#"{{"breadcrumb":{at},"metadata":{{{metadata}}}}}"#))
            .collect();
        let schema = r#"{"properties":{"a":{"properties":{"b":{"properties":{"c":{}}}}}}}"#;
        let stream =
            stream(&format!(r#"{{"stream":"s","schema":{schema},"metadata":[{}]}}"#, entries.join(",")));
        let found = [&["a"][..], &["a", "b"], &["a", "b", "c"]].map(|path| stream.is_property_selected(path));
        assert_eq!(found, wanted, "{entries:#?}");
    }
}

/// Else the tap would go by the other one.
#[test]
fn a_choice_replaces_the_entry_that_counts() {
    let entry = |said: &str| format!(r#"{{"breadcrumb":["properties","a"],"metadata":{{{said}}}}}"#);
    let metadata = [entry(r#""selected":true"#), entry(r#""selected":true,"sql-datatype":"text""#)].join(",");
    let mut stream = stream(&format!(r#"{{"stream":"s","schema":{{}},"metadata":[{metadata}]}}"#));
    stream.set_selected(&["a"], false);
    let said: Vec<_> = stream.metadata.iter().map(|entry| entry.metadata.get("selected").cloned()).collect();
    assert_eq!(said, [Some(Json::Bool(true)), Some(Json::Bool(false))]);
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
