//! `shared` and `grant_select`.

use serde_json::{Value, json};
use tests::project::{Outcome, Project};
use tests::warehouse::Warehouse;

use super::{STATE, rows};
use crate::support::warehouses;

const SCHEMA: &str = r#"{"type":"SCHEMA","stream":"a","schema":{"properties":{"id":{"type":"integer"}}},"key_properties":["id"]}"#;

fn record(id: u32) -> String {
    format!(r#"{{"type":"RECORD","stream":"a","record":{{"id":{id}}}}}"#)
}

/// Runs these lines in the pipeline of this name.
fn run(
    project: &Project,
    warehouse: &Warehouse,
    (name, settings): (&str, &Value),
    lines: &[&str],
) -> Outcome {
    let stream = project.write(&format!("{name}.singer"), lines.join("\n") + "\n");
    let tap = Project::replay(&stream);
    project.pipeline(name, &json!({ "tap": tap, "target": warehouse.block(), "defaults": settings }));
    project.run(["run", name, "--quiet"])
}

#[test]
fn pipelines_that_all_say_so_load_into_one_table() {
    let project = Project::new();
    let shared = json!({ "shared": true });
    for (name, warehouse) in warehouses(&project) {
        let _ = run(&project, &warehouse, ("one", &shared), &[SCHEMA, &record(1), STATE]).expect_code(0);
        let alone =
            run(&project, &warehouse, ("two", &json!({})), &[SCHEMA, &record(2), STATE]).expect_code(78);
        assert!(alone.stderr.contains("E0323"), "{name} {alone}");
        let _ = run(&project, &warehouse, ("two", &shared), &[SCHEMA, &record(2), STATE]).expect_code(0);
        let version = r#"{"type":"ACTIVATE_VERSION","stream":"a","version":3}"#;
        let versions = run(&project, &warehouse, ("two", &shared), &[SCHEMA, &record(3), version, STATE])
            .expect_code(78);
        assert!(versions.stderr.contains("E0333"), "{name} {versions}");
        let refresh = project.run(["run", "one", "--full-refresh", "--yes", "--quiet"]).expect_code(78);
        assert!(refresh.stderr.contains("E0333"), "{name} {refresh}");
        let other = json!({ "shared": true, "load_method": "append-only" });
        let other = run(&project, &warehouse, ("two", &other), &[SCHEMA, &record(3), STATE]).expect_code(78);
        assert!(other.stderr.contains("E0334"), "{name} {other}");
        assert_eq!(rows(&warehouse, "SELECT id FROM a ORDER BY id"), "1 2", "{name}");
    }
}

#[test]
fn roles_may_read_a_table_from_its_first_record_on() {
    let (project, warehouse) = (Project::new(), Warehouse::postgres());
    let roles = ["reader \"of\" x", "other"].map(|role| format!("{role} {}", std::process::id()));
    let grants = json!({ "target_schema": "deep", "grant_select": roles });
    let lines = [SCHEMA, &record(1), STATE];
    let missing = run(&project, &warehouse, ("g", &grants), &lines).expect_code(78);
    assert!(missing.stderr.contains("E0335") && missing.stderr.contains(&roles[0]), "{missing}");
    assert!(!warehouse.tables().contains(&"a".to_owned()), "nothing was made");
    for role in &roles {
        let _ = warehouse.rows(&format!("CREATE ROLE \"{}\"", role.replace('"', "\"\"")));
    }
    let _ = run(&project, &warehouse, ("g", &json!({ "target_schema": "deep" })), &lines).expect_code(0);
    let may = |role: &str| {
        let role = role.replace('\'', "''");
        rows(
            &warehouse,
            &format!(
                "SELECT has_schema_privilege('{role}', 'deep', 'USAGE'), has_table_privilege('{role}', 'deep.a', 'SELECT'), has_table_privilege('{role}', 'deep.a', 'INSERT')"
            ),
        )
    };
    assert_eq!(may(&roles[0]), "f|f|f");
    let dry = project.run(["run", "g", "--dry-run"]).expect_code(0);
    assert!(!dry.stdout.contains("GRANT"), "{dry}");
    for _ in 0..2 {
        let _ = run(&project, &warehouse, ("g", &grants), &lines).expect_code(0);
        assert_eq!(may(&roles[0]), "t|t|f");
    }
    let _ = warehouse.rows("DROP TABLE deep.a");
    let _ = project.run(["run", "g", "--full-refresh", "--yes", "--quiet"]).expect_code(0);
    assert_eq!((may(&roles[0]), may(&roles[1])), ("t|t|f".to_owned(), "t|t|f".to_owned()));
    for (target, setting) in [("target-duckdb", "grant_select"), ("target-jsonl", "shared")] {
        let value = if setting == "shared" { json!(true) } else { json!(["x"]) };
        let settings = json!({ setting: value });
        let target = json!({ "name": target, "config": { "path": "out" } });
        let tap = Project::replay(&project.path().join("g.singer"));
        project.pipeline("no", &json!({ "tap": tap, "target": target, "defaults": settings }));
        let outcome = project.run(["run", "no"]).expect_code(78);
        assert!(outcome.stderr.contains("E0123") && outcome.stderr.contains(setting), "{outcome}");
    }
}

/// Of a tap that says its streams before it runs.
#[test]
fn a_role_that_is_missing_is_told_by_check() {
    let (project, warehouse) = (Project::new(), Warehouse::postgres());
    project.write("a.csv", "id\n1\n");
    let files = json!([{ "path": "a.csv", "stream": "a", "key_properties": ["id"] }]);
    let tap = json!({ "name": "tap-csv", "config": { "files": files } });
    let pipeline = |settings: &Value| {
        project.pipeline("g", &json!({ "tap": tap, "target": warehouse.block(), "defaults": settings }));
    };
    pipeline(&json!({ "grant_select": ["nobody of this name"] }));
    let missing = project.run(["check", "g"]).expect_code(78);
    assert!(missing.stderr.contains("E0335") && missing.stderr.contains("nobody of this name"), "{missing}");
    assert_eq!(warehouse.tables(), [""; 0], "nothing was made");
    pipeline(&json!({}));
    let _ = project.run(["check", "g"]).expect_code(0);
}
