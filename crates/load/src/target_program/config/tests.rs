use columns::NulPolicy;
use serde_json::{Map, Value, json};
use target_api::{Deletes, LoadMethod, TargetError};

use super::{Config, parse};
use crate::target_program::{ProgramError, TargetProgram};

const PROGRAM: TargetProgram = TargetProgram {
    name: "target-test",
    version: "1",
    description: "for tests",
    settings: r#"{"properties":{"path":{"type":"string"},"threads":{"type":"integer"},"fast":{"anyOf":[{"type":"boolean"},{"enum":["true"]}]}}}"#,
    make: |_| Err(TargetError::permanent("MEMORY", "not made in these tests")),
};

fn config(value: Value) -> Result<Config, ProgramError> {
    let config: Map<String, Value> = serde_json::from_value(value).unwrap();
    parse(&PROGRAM, config)
}

fn refusal(value: Value) -> (&'static str, String) {
    let error = config(value).err().unwrap();
    assert_eq!(error.exit_code(), 78);
    (error.code(), error.to_string())
}

#[test]
fn texts_that_hold_numbers_and_booleans_are_taken() {
    let config = config(json!({
        "path": "7", "threads": " 4 ", "fast": "True", "batch_size_rows": "12", "add_record_metadata": "true",
        "activate_version": "FALSE", "hard_delete": "false",
        "schema_mapping": r#"{"shop":{"target_schema":"raw","indices":{"orders":["at"]}}}"#,
        "primary_key_required": "", "load_method": "append-only",
        "default_target_schema_select_permissions": r#"["analyst", "bi"]"#,
    }))
    .unwrap();
    assert_eq!(
        config.target, r#"{"fast":true,"path":"7","threads":4}"#,
        "a text stays one where a text is meant"
    );
    let load = config.load;
    assert_eq!(
        (load.batch_size_rows, load.add_record_metadata, load.ignores_versions),
        (Some(12), true, true)
    );
    assert_eq!((load.primary_key_required, load.load_method), (false, LoadMethod::AppendOnly));
    assert_eq!(load.schema_mapping["shop"].target_schema.as_deref(), Some("raw"));
    assert_eq!(load.select_permissions, ["analyst", "bi"]);
}

#[test]
fn what_nobody_knows_is_not_the_targets() {
    assert_eq!(
        config(json!({"path": "p", "parallelism": 3, "default_target_schema": "raw"})).unwrap().target,
        r#"{"path":"p"}"#
    );
}

#[test]
fn a_wrong_type_is_refused_without_its_value() {
    for (value, told) in [
        (json!({"batch_size_rows": "secret"}), "`batch_size_rows` is another text"),
        (json!({"batch_size_rows": -1}), "`batch_size_rows` is a number"),
        (json!({"add_record_metadata": 1}), "`add_record_metadata` is a number"),
        (json!({"hard_delete": "secret"}), "`hard_delete` is another text"),
        (json!({"hard_delete": true, "soft_delete": true}), "false beside `hard_delete`"),
        (json!({"default_target_schema_select_permissions": [1]}), "names, in a list or with commas"),
        (json!({"schema_mapping": "secret"}), "`schema_mapping` is another text"),
        (json!({"schema_mapping": {"a": 1}}), "`schema_mapping.a` is a number"),
        (json!({"default_target_schema": ["secret"]}), "`default_target_schema` is a list"),
        (json!({"load_method": "secret"}), "append-only, upsert or overwrite"),
    ] {
        let (code, text) = refusal(value);
        assert_eq!(code, "E0171", "{text}");
        assert!(text.contains(told) && !text.contains("secret"), "{text}");
    }
}

#[test]
fn what_is_not_built_is_refused_where_it_is_asked_for() {
    for value in [json!({"stream_maps": {"a": {"email": null}}}), json!({"ssh_tunnel": {"enable": true}})] {
        let (code, text) = refusal(value);
        assert_eq!(code, "E0172", "{text}");
        assert!(text.contains("not built yet"), "{text}");
    }
    let quiet = json!({
        "hard_delete": false, "soft_delete": null, "flattening_enabled": "false", "flattening_max_depth": "3",
        "data_flattening_max_level": 0, "default_target_schema_select_permissions": [], "stream_maps": {},
        "ssh_tunnel": {"enable": false, "host": "h"}, "sanitize_null_text_characters": true,
    });
    assert!(config(quiet).is_ok());
}

#[test]
fn a_stream_has_the_mapped_schema_else_the_one_of_all_else_its_own() {
    let place = |settings: Value, stream: &str| {
        let table = (config(settings).unwrap().load.rules())(stream).table;
        table.map(|table| table.to_string())
    };
    let both = json!({"default_target_schema": "raw", "schema_mapping": {"shop": {"target_schema": "mall"}}});
    assert_eq!(place(both.clone(), "shop-orders").as_deref(), Some("mall.orders"));
    assert_eq!(place(both.clone(), "hr-people").as_deref(), Some("raw.people"));
    assert_eq!(place(both, "events").as_deref(), Some("raw.events"));
    assert_eq!(place(json!({}), "shop-orders"), None, "its own name says where");
}

#[test]
fn deletes_nul_and_bytes_are_as_the_python_targets_have_them() {
    let rule = |settings: Value| (config(settings).unwrap().load.rules())("shop-orders");
    assert_eq!(rule(json!({"hard_delete": "true"})).deletes, Deletes::Hard);
    assert_eq!(rule(json!({"soft_delete": true, "hard_delete": false})).deletes, Deletes::Soft);
    assert_eq!(rule(json!({"hard_delete": false})).deletes, Deletes::Unsaid);
    assert_eq!(rule(json!({"sanitize_null_text_characters": true})).values.nul, Some(NulPolicy::Replace));
    let schema =
        r#"{"properties":{"b":{"type":["null","string"],"contentEncoding":"base16"},"t":{"type":"string"}}}"#;
    let schema = singer::JsonSchema::parse(schema).unwrap();
    let column_type = |settings: Value, name: &str| {
        rule(settings).shaped(&schema, &[]).schema.properties.unwrap()[name].tapster_type.clone()
    };
    assert_eq!(column_type(json!({"interpret_content_encoding": true}), "b").as_deref(), Some("binary"));
    assert_eq!(column_type(json!({"interpret_content_encoding": true}), "t"), None);
    assert_eq!(column_type(json!({}), "b"), None);
}

#[test]
fn roles_are_those_of_the_mapped_schema_else_those_of_all() {
    let settings = json!({
        "default_target_schema_select_permissions": "a, b",
        "schema_mapping": {"shop": {"target_schema": "raw", "target_schema_select_permissions": ["c"]}, "hr": {"target_schema": "x"}},
    });
    let load = config(settings).unwrap().load;
    assert_eq!(load.rule("shop-orders").grant_select, ["c"]);
    assert_eq!(load.rule("hr-people").grant_select, ["a", "b"]);
    assert_eq!(load.rule("hr-people").table.unwrap().to_string(), "x.people");
    assert!(load.check(true, true).is_ok());
    let refused = load.check(true, false).unwrap_err();
    assert_eq!((refused.code(), refused.exit_code()), ("E0172", 78));
    assert!(config(json!({"hard_delete": true})).unwrap().load.check(false, false).is_err());
}
