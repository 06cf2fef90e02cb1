//! The JSON Schemas for editors: what is committed is what the program prints, and they take what the program takes.

use std::path::{Path, PathBuf};

use serde_json::Value;

fn reference(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference").join(name)
}

/// `UPDATE_REFERENCE=1` writes the files instead, as `cargo x generate` does.
#[test]
fn the_committed_schemas_are_fresh() {
    let schemas = [
        ("pipeline.schema.json", config::schema::pipeline()),
        ("project.schema.json", config::schema::project()),
    ];
    for (name, text) in schemas {
        if std::env::var_os("UPDATE_REFERENCE").is_some() {
            std::fs::write(reference(name), &text).unwrap();
        }
        let committed = std::fs::read_to_string(reference(name)).unwrap();
        assert!(committed == text, "docs/reference/{name} is stale: run `cargo x generate` and commit it");
    }
}

#[test]
fn the_schemas_take_what_a_file_may_hold_and_nothing_else() {
    let pipeline: Value = serde_json::from_str(&config::schema::pipeline()).unwrap();
    let pipeline = jsonschema::validator_for(&pipeline).unwrap();
    let smallest = serde_json::json!({ "tap": "app-db", "target": { "name": "target-duckdb", "config": { "path": "x" } },
        "streams": { "shop-*": "include", "a": { "columns": { "b": { "hash": "sha256" } }, "flatten": 2 } },
        "limits": { "timeout": "6h", "max_staged": "20GiB" }, "x-own": 1, "environments": { "dev": { "tags": ["a"] } } });
    assert!(pipeline.is_valid(&smallest), "{:?}", pipeline.iter_errors(&smallest).next());
    for wrong in [
        serde_json::json!({ "tarjet": "x" }),
        serde_json::json!({ "limits": { "timeout": "6 hours" } }),
        serde_json::json!({ "streams": { "a": "inclde" } }),
        serde_json::json!({ "streams": { "a": { "load_method": "merge" } } }),
        serde_json::json!({ "environments": { "dev": { "environments": {} } } }),
    ] {
        assert!(!pipeline.is_valid(&wrong), "{wrong}");
    }
    let project: Value = serde_json::from_str(&config::schema::project()).unwrap();
    let project = jsonschema::validator_for(&project).unwrap();
    assert!(
        project.is_valid(&serde_json::json!({ "store": "postgres://x", "taps": { "a": { "pip": ["x"] } } }))
    );
    assert!(!project.is_valid(&serde_json::json!({ "tap": "x" })));
}
