//! The command line and the config of a target by itself.

use std::fs;

use serde_json::{Value, json};
use tests::programs;

use super::{Alone, Place, SCHEMA, record, state};

#[test]
fn a_target_tells_what_it_is() {
    for alone in Alone::each() {
        let target = alone.with(&json!({}));
        let said = |words: &[&str]| alone.project.outcome(&mut target.command(words)).expect_code(0).stdout;
        assert!(said(&["--version"]).starts_with(&format!("{} 0.", alone.name)));
        let help = said(&["--help"]);
        assert!(["--config", "--input", "--about", "143"].iter().all(|word| help.contains(word)), "{help}");
        // A stream without key is what this matters to: whoever reads it is warned. The words wrap.
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            help.contains("At least once: ") && help.contains("without a key it is there twice"),
            "{help}"
        );
        let about = said(&["--about"]);
        assert!(about.contains("batch_size_rows (integer)") && about.contains("load_method"), "{about}");
        for words in [&["--about", "--format", "json"][..], &["--about", "--format=json"]] {
            let about: Value = serde_json::from_str(&said(words)).expect("JSON");
            assert_eq!(about["name"], alone.name);
            let properties = &about["settings"]["properties"];
            assert_eq!(properties["add_record_metadata"]["type"], "boolean", "{about:#}");
        }
        for words in [&["--abuot"][..], &["--about", "--format", "xml"], &[]] {
            let refused = alone.project.outcome(&mut target.command(words)).expect_code(2);
            assert_eq!(refused.stdout, "", "{refused}");
        }
    }
}

#[test]
fn messages_come_from_a_file_as_from_stdin() {
    for alone in Alone::each() {
        alone.project.write("a.singer", format!("{SCHEMA}{}{}", record(1), state("{ }")));
        let target = alone.with(&json!({}));
        let from = |file: &str| alone.project.outcome(target.loading().args(["--input", file]));
        assert_eq!(from("a.singer").expect_code(0).stdout, "{ }\n");
        assert_eq!(alone.ids(), ["1"], "{}", alone.name);
        let missing = from("b.singer").expect_code(78);
        assert!(missing.stderr.contains("error[E0173]"), "{missing}");
    }
}

#[test]
fn a_config_that_cannot_be_read_is_refused() {
    let alone = Alone::new("target-jsonl");
    for config in ["", "[]", "path: out", "{\"path\":\"out\""] {
        alone.project.write("bad.json", config);
        let target = alone.with(&json!({}));
        let refused = alone.project.outcome(&mut target.command(&["--config", "bad.json"])).expect_code(78);
        assert!(refused.stderr.contains("error[E0170]"), "{config}: {refused}");
    }
    let target = alone.with(&json!({}));
    let missing = alone.project.outcome(&mut target.command(&["-c", "none.json"])).expect_code(78);
    assert!(missing.stderr.contains("error[E0170]"), "{missing}");
}

#[test]
fn settings_are_taken_as_numbers_or_texts_and_refused_when_they_are_neither() {
    let input = format!("{SCHEMA}{}{}{}", record(1), state("{\"at\":1}"), record(2));
    for alone in Alone::each() {
        let mut texts = json!({
            "batch_size_rows": "1", "add_record_metadata": "true", "activate_version": "0", "load_method": "upsert",
            "stream_buffer": 7, "password_of_old": "hunter2",
        });
        if let Place::Warehouse(tests::warehouse::Warehouse::Postgres(database)) = &alone.place {
            texts["port"] = database.settings()["port"].to_string().into();
        }
        let loaded = alone.with(&texts).load(&input).expect_code(0);
        assert_eq!(loaded.stdout, "{\"at\":1}\n", "{loaded}");
        for unknown in ["stream_buffer", "password_of_old"] {
            let warning = format!("warning: `{unknown}` is no setting of {}", alone.name);
            assert!(loaded.stderr.contains(&warning) && !loaded.stderr.contains("hunter2"), "{loaded}");
        }
        match &alone.place {
            Place::Warehouse(warehouse) => {
                assert!(warehouse.value("SELECT count(_sdc_received_at) FROM items").as_deref() == Some("2"));
            }
            Place::Folder(path) => {
                let lines = fs::read_to_string(path.join("items.jsonl")).expect("a file");
                assert_eq!(lines.matches("_sdc_received_at").count(), 2, "{lines}");
            }
        }
        for wrong in [
            json!({ "batch_size_rows": "many" }),
            json!({ "batch_size_rows": -1 }),
            json!({ "add_record_metadata": "perhaps" }),
            json!({ "load_method": "replace" }),
            json!({ "schema_mapping": [1] }),
            json!({ "default_target_schema": 5 }),
        ] {
            let refused = alone.with(&wrong).load(&input).expect_code(78);
            assert_eq!(refused.stdout, "", "{wrong}: {refused}");
            assert!(refused.stderr.contains("error[E0171]"), "{}: {wrong}: {refused}", alone.name);
        }
    }
}

#[test]
fn records_are_held_against_their_schema_where_that_is_asked_for() {
    let schema = SCHEMA
        .replace(r#""text":{"type":["null","string"]"#, r#""text":{"type":["null","string"],"maxLength":3"#);
    let long = record(2).replace("\"a\"", "\"hunter2\"");
    let input = format!("{schema}{}{}{long}", record(1), state("{\"at\":1}"));
    for alone in Alone::each() {
        let refused = alone.with(&json!({ "validate_records": "true" })).load(&input).expect_code(65);
        assert_eq!(refused.stdout, "{\"at\":1}\n", "{refused}");
        assert!(
            refused.stderr.contains("error[E0234]") && refused.stderr.contains("`maxLength`"),
            "{refused}"
        );
        assert!(!refused.stderr.contains("hunter2"), "{refused}");
        assert_eq!(alone.ids(), ["1"], "{}", alone.name);
        let _ = alone.with(&json!({ "validate_records": false })).load(&input).expect_code(0);
    }
}

/// Drafts 4 to 7 in what a real tap says of its types: the limits must not refuse what the tap itself sends.
#[test]
fn what_a_real_tap_sends_holds_against_its_own_schema() {
    for (recorded, records) in [
        ("recorded-ppw-tap-postgres-types", 3),
        ("recorded-ppw-tap-postgres-incremental-1", 60),
        ("recorded-ppw-tap-postgres-incremental-2", 3),
    ] {
        let messages = fs::read(programs::file(&format!("streams/{recorded}.singer"))).expect("the stream");
        for alone in Alone::each() {
            let loaded = alone.with(&json!({ "validate_records": true })).load(&messages).expect_code(0);
            assert!(loaded.stderr.contains(&format!("{records} records are loaded")), "{recorded}: {loaded}");
        }
    }
}
