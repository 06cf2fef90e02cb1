//! The mapping by examples, each from a tap that writes it.

use singer::JsonSchema;

use super::{SchemaRefused, TableOptions, table_schema};
use crate::{StreamName, TableSchema};

const ALL: TableOptions =
    TableOptions { metadata: false, versioned: false, deleted_at: false, include: &|_| true };

fn map(schema: &str, keys: &[&str], options: &TableOptions) -> Result<TableSchema, SchemaRefused> {
    let keys: Vec<_> = keys.iter().map(|key| (*key).to_owned()).collect();
    table_schema(&StreamName::from("s"), &JsonSchema::parse(schema).unwrap(), &keys, options)
}

fn column_type(property: &str) -> String {
    let table = map(
        &format!(
            r#"{{"properties":{{"c":{property}}},"$defs":{{"money":{{"type":"string","format":"singer.decimal","precision":10,"scale":2}}}}}}"#
        ),
        &[],
        &ALL,
    );
    table.unwrap().columns[0].column_type.to_string()
}

#[test]
fn each_property_has_the_type_that_holds_all_its_values() {
    let rules = [
        (r#"{"type":"integer"}"#, "int64"),
        (r#"{"type":["null","integer"],"minimum":-5,"maximum":9223372036854775807}"#, "int64"),
        (r#"{"type":"integer","maximum":18446744073709551615}"#, "numeric"),
        (r#"{"type":"integer","minimum":-9223372036854775809}"#, "numeric"),
        (r#"{"type":"number","multipleOf":1e-38,"exclusiveMaximum":true,"maximum":1e99}"#, "numeric"),
        (r#"{"type":["integer","number"]}"#, "numeric"),
        (r#"{"type":"string","maxLength":3}"#, "text"),
        (r#"{"type":["string","null"],"format":"date-time"}"#, "timestamptz"),
        (r#"{"type":"string","format":"date"}"#, "date"),
        (r#"{"type":"string","format":"time"}"#, "time"),
        (r#"{"type":"string","format":"uuid"}"#, "uuid"),
        (r#"{"type":"string","format":"email"}"#, "text"),
        (r#"{"type":"string","format":"singer.decimal"}"#, "numeric"),
        (r#"{"type":"string","format":"x-singer.decimal","precision":12,"scale":4}"#, "numeric(12,4)"),
        (r#"{"type":"string","format":"x-singer.decimal","precision":76,"scale":4}"#, "numeric"),
        (r#"{"type":"boolean"}"#, "bool"),
        (r#"{"type":["null","object"],"properties":{}}"#, "json"),
        (r#"{"type":"array","items":{"type":"string"}}"#, "json"),
        (r#"{"type":["string","array"]}"#, "json"),
        (r#"{"type":["string","integer","null"]}"#, "text"),
        (r#"{"type":["boolean","number"]}"#, "text"),
        (r"{}", "json"),
        ("true", "json"),
        (r#"{"type":"null"}"#, "text"),
        (r#"{"enum":["a","b",null]}"#, "text"),
        (r#"{"enum":[1,2.5]}"#, "numeric"),
        (r#"{"const":7}"#, "int64"),
        (r#"{"properties":{"a":{}}}"#, "json"),
        (r#"{"format":"date-time"}"#, "timestamptz"),
        (r#"{"anyOf":[{"type":"string","format":"date-time"},{"type":"null"}]}"#, "timestamptz"),
        (r#"{"anyOf":[{"type":"string","format":"date-time"},{"type":["string","null"]}]}"#, "text"),
        (r#"{"oneOf":[{"type":"integer"},{"type":"number"}]}"#, "numeric"),
        (r#"{"anyOf":[{"type":"string"},{"type":"object"}]}"#, "json"),
        (r#"{"allOf":[{"type":["number","null"]},{"type":"integer"},{"maximum":1e30}]}"#, "numeric"),
        (r#"{"allOf":[{"type":["string","null"]},{"format":"date"}]}"#, "date"),
        (r##"{"$ref":"#/$defs/money","description":"a price"}"##, "numeric(10,2)"),
        (r#"{"type":"string","x-tapster-type":"numeric(5,2)[]"}"#, "numeric(5,2)[]"),
        (r#"{"anyOf":[{"x-tapster-type":"interval"},{"type":"null"}]}"#, "interval"),
    ];
    for (property, expected) in rules {
        assert_eq!(column_type(property), expected, "{property}");
    }
}

#[test]
fn keys_stand_and_are_not_null() {
    let schema = r#"{"properties":{"b":{"type":"string"},"id":{"type":["null","integer"]},"":{}}}"#;
    let table =
        map(schema, &["id", "id"], &TableOptions { include: &|name| name.is_empty(), ..ALL }).unwrap();
    let columns: Vec<_> = table.columns.iter().map(|c| (c.name.as_str(), c.nullable)).collect();
    assert_eq!(columns, [("id", false), ("", true)], "a key cannot be excluded");
    assert_eq!(table.key_properties, ["id"]);
    let missing = map(schema, &["Id"], &ALL).unwrap_err();
    assert_eq!(missing.to_string(), "key property `Id` of stream s is not among its properties");
}

#[test]
fn the_sdk_columns_stand_last_and_replace_the_taps_own() {
    let schema = r#"{"properties":{"_sdc_sequence":{"type":"string"},"_sdc_path":{"type":"string"},
        "_sdc_deleted_at":{"type":"string"},"a":{"type":"integer"}}}"#;
    let names = |options| -> Vec<_> {
        map(schema, &[], options).unwrap().columns.into_iter().map(|column| column.name).collect()
    };
    let with = names(&TableOptions { metadata: true, ..ALL });
    assert_eq!(with[..2], ["_sdc_path", "a"]);
    assert_eq!(with[2..], crate::METADATA_COLUMNS);
    assert_eq!(
        names(&ALL),
        ["_sdc_path", "a", "_sdc_deleted_at"],
        "the tap's own, but for deletes, are left out"
    );
    let versioned = names(&TableOptions { versioned: true, ..ALL });
    assert_eq!(versioned, ["_sdc_path", "a", "_sdc_deleted_at", "_sdc_table_version"]);
    let table = map(schema, &[], &ALL).unwrap();
    assert_eq!(table.column("_sdc_deleted_at").unwrap().column_type.to_string(), "timestamptz");
}

#[test]
fn a_schema_without_columns_is_refused_by_name() {
    for schema in [r#"{"type":"object"}"#, "{}", "true"] {
        let refused = map(schema, &[], &ALL).unwrap_err();
        assert_eq!(refused.to_string(), "the SCHEMA of stream s has no `properties`");
        assert_eq!(refused.code(), "E0230");
    }
    let nothing = map(r#"{"properties":{"a":{}}}"#, &[], &TableOptions { include: &|_| false, ..ALL });
    assert!(matches!(nothing, Err(SchemaRefused::NoColumns { .. })));
    let reserved = map(r#"{"properties":{"_sdc_sequence":{}}}"#, &["_sdc_sequence"], &ALL);
    assert!(matches!(reserved, Err(SchemaRefused::KeyReserved { .. })));
    let unknown = map(r#"{"properties":{"a":{"x-tapster-type":"int"}}}"#, &[], &ALL).unwrap_err();
    assert_eq!(unknown.code(), "E0232");
}
