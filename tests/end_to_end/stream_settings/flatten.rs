//! `flatten`: nested objects as columns.

use serde_json::json;
use tests::project::Project;

use super::{STATE, rows, run};
use crate::support::warehouses;

const SCHEMA: &str = r#"{"type":"SCHEMA","stream":"a","schema":{"properties":{"id":{"type":"integer"},"who":{"type":["null","object"],"properties":{"name":{"type":"string"},"phone":{"type":"string"},"at":{"type":"object","properties":{"zip":{"type":"string"},"more":{"type":"object","properties":{"k":{"type":"integer"}}}}}}},"free":{"type":"object"},"who__name":{"type":"string"}}},"key_properties":["id"]}"#;

#[test]
fn nested_objects_become_columns_down_to_the_depth() {
    let project = Project::new();
    let record = |id: u32, who: &str| {
        format!(
            r#"{{"type":"RECORD","stream":"a","record":{{"id":{id},"who":{who},"free":{{"f":1}},"who__name":"top"}}}}"#
        )
    };
    let first = record(1, r#"{"name":"n","phone":"secret","at":{"zip":"007","more":{"k":1}}}"#);
    let second = record(2, "null");
    let wider = SCHEMA.replace(r#""phone":"#, r#""mail":{"type":"string"},"phone":"#);
    let third = record(3, r#"{"mail":"m","at":{"zip":"8"}}"#);
    let lines = [SCHEMA, &first, &second, &wider, &third, STATE];
    let columns = json!({ "who.phone": "exclude", "who.at.zip": { "schema": { "type": "string", "format": "singer.decimal" } } });
    for (name, warehouse) in warehouses(&project) {
        let settings = json!({ "flatten": 2, "columns": columns });
        let _ = run(&project, &warehouse, &settings, &lines).expect_code(0);
        let names = "SELECT column_name FROM information_schema.columns WHERE table_name = 'a' ORDER BY 1";
        let names = rows(&warehouse, names);
        assert!(
            names.starts_with("free id who__at__more who__at__zip who__mail who__name who__name_"),
            "{name} {names}"
        );
        let suffixed = names.rsplit(' ').next().unwrap();
        let sql = format!(
            "SELECT id, who__name, \"{suffixed}\", who__at__zip + 1, CAST(who__at__more AS VARCHAR), who__mail FROM a ORDER BY id"
        );
        let found = rows(&warehouse, &sql).replace(": ", ":").replace(".0|", "|");
        assert_eq!(found, "1|top|n|8|{\"k\":1}|~ 2|top|~|~|~|~ 3|top|~|9|~|m", "{name}");
        let wrong = record(4, "\"text\"");
        let refused = run(&project, &warehouse, &settings, &[SCHEMA, &wrong, STATE]).expect_code(65);
        assert!(refused.stderr.contains("who") && !refused.stderr.contains("text\\"), "{refused}");
    }
}
