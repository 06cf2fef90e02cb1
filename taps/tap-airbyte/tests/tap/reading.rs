//! Records and states on their way.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::scene::{BOTH, FULL, Scene, keyed, record, state, status, stream};

fn complete(stream: &str) -> Value {
    status(stream, "COMPLETE")
}

#[test]
fn records_keep_their_bytes_and_their_order_among_states() {
    let line = r#"{"type": "RECORD", "record": {"stream": "users", "data": {"id": 1,  "price": 1.10, "n": 12345678901234567890}, "emitted_at": 1700000000123}}"#;
    let scene = Scene::new(&[keyed("users", BOTH)]).reads(&[
        json!("Fetching page 1"),
        json!(line),
        state("users", json!({ "at": 1 }), 1),
        record("users", 2),
        state("users", json!({ "at": 2 }), 1),
        complete("users"),
    ]);
    let read = scene.run(&[]).expect(0);
    assert_eq!(read.told(), ["RECORD users 1", "STATE", "RECORD users 2", "STATE"]);
    let expected = r#"{"type":"RECORD","stream":"users","time_extracted":"2023-11-14T22:13:20.123Z","record":{"id": 1,  "price": 1.10, "n": 12345678901234567890}}"#;
    assert_eq!(read.text.lines().nth(1), Some(expected));
    assert_eq!(
        read.state(),
        json!({ "bookmarks": { "users": { "stream_descriptor": { "name": "users" }, "stream_state": { "at": 2 } } } })
    );
    assert!(read.stderr.contains("no message: Fetching page 9"), "{}", read.stderr);
    let schema = &read.said[0];
    assert_eq!(schema["key_properties"], json!(["id"]));
    let configured = &scene.given("read", "--catalog").unwrap()["streams"][0];
    assert_eq!(
        (&configured["sync_mode"], &configured["destination_sync_mode"]),
        (&json!("incremental"), &json!("append_dedup"))
    );
    assert_eq!((&configured["generation_id"], &configured["primary_key"]), (&json!(0), &json!([["id"]])));
    assert_eq!(configured["stream"], keyed("users", BOTH));
    assert!(scene.given("read", "--state").is_none());
}

/// Python writes them, JSON or not. What becomes of them in a column is for the loader.
#[test]
fn numbers_that_are_none_go_on_as_text() {
    let line = r#"{"type": "RECORD", "record": {"stream": "users", "data": {"id": 1, "x": NaN, "y": [-Infinity]}, "emitted_at": 1}}"#;
    let scene = Scene::new(&[keyed("users", BOTH)]).reads(&[json!(line), complete("users")]);
    let read = scene.run(&[]).expect(0);
    assert!(read.text.contains(r#""record":{"id": 1, "x": "NaN", "y": ["-Infinity"]}}"#), "{}", read.text);
}

#[test]
fn the_last_state_goes_back_in_the_sources_own_form() {
    let users = state("users", json!({ "at": 2 }), 0);
    let global = json!({ "type": "STATE", "state": { "type": "GLOBAL", "global": {
        "shared_state": { "lsn": 7 },
        "stream_states": [{ "stream_descriptor": { "name": "users" }, "stream_state": {} }],
    }, "sourceStats": { "recordCount": 0.0 } } });
    let legacy = json!({ "type": "STATE", "state": { "data": { "users": 3, "cursor": "x" } } });
    let streamless = |mut message: Value| {
        message["state"].as_object_mut().unwrap().remove("sourceStats");
        message["state"].clone()
    };
    let mut given_legacy = streamless(legacy.clone());
    given_legacy["type"] = json!("LEGACY");
    for (said, given) in
        [(&users, streamless(users.clone())), (&global, streamless(global.clone())), (&legacy, given_legacy)]
    {
        let scene = Scene::new(&[keyed("users", BOTH)]).reads(&[said.clone(), complete("users")]);
        let first = scene.run(&[]).expect(0);
        let scene = scene.from(first.state());
        let _ = scene.run(&[]).expect(0);
        assert_eq!(scene.given("read", "--state"), Some(json!([given])));
    }
}

#[test]
fn a_full_table_is_replaced_once_it_is_complete() {
    let scene = Scene::new(&[stream("users", FULL)]).reads(&[
        record("users", 1),
        state("users", json!({ "page": 1 }), 1),
        record("users", 2),
        complete("users"),
    ]);
    let read = scene.run(&[]).expect(0);
    assert_eq!(read.told(), ["RECORD users 1", "STATE", "RECORD users 2", "ACTIVATE_VERSION users", "STATE"]);
    let generation =
        read.said.last().unwrap()["value"]["bookmarks"]["users"]["generation_id"].as_i64().unwrap();
    let versions: Vec<i64> = read.said.iter().filter_map(|message| message["version"].as_i64()).collect();
    assert_eq!(versions, [generation; 3]);
    let configured = scene.given("read", "--catalog").unwrap()["streams"][0].clone();
    for of in ["generation_id", "minimum_generation_id"] {
        assert_eq!(configured[of], json!(generation));
    }
    assert_eq!(
        (&configured["sync_mode"], &configured["destination_sync_mode"]),
        (&json!("full_refresh"), &json!("overwrite"))
    );
    // The next one begins anew.
    let scene = scene.from(read.state());
    let next = scene.run(&[]).expect(0);
    assert!(scene.given("read", "--state").is_none());
    assert!(next.state()["bookmarks"]["users"]["generation_id"].as_i64().unwrap() > generation);
}

#[test]
fn a_full_table_that_was_broken_off_goes_on_in_its_generation() {
    let broken = Scene::new(&[stream("users", FULL)])
        .reads(&[record("users", 1), state("users", json!({ "page": 1 }), 1)])
        .set("exit", json!(1));
    let first = broken.run(&[]).expect(1);
    assert_eq!(first.told(), ["RECORD users 1", "STATE"]);
    let scene =
        broken.from(first.state()).set("exit", json!(0)).reads(&[record("users", 2), complete("users")]);
    let second = scene.run(&[]).expect(0);
    let given = scene.given("read", "--state").unwrap();
    assert_eq!(given[0]["stream"]["stream_state"], json!({ "page": 1 }));
    assert_eq!(second.said[1]["version"], first.said[1]["version"]);
    assert_eq!(second.told(), ["RECORD users 2", "ACTIVATE_VERSION users", "STATE"]);
}

#[test]
fn counts_that_do_not_fit_stop_before_the_state_goes_out() {
    for (says, told) in [
        (
            vec![record("users", 1), state("users", 1, 2)],
            "1 records of stream users came before a STATE that counts 2",
        ),
        (
            vec![record("users", 1), state("users", 1, 1), record("users", 2), state("users", 2, 2)],
            "1 records of stream users",
        ),
        (
            vec![
                record("users", 1),
                json!({ "type": "STATE", "state": { "type": "GLOBAL", "global": { "shared_state": {}, "stream_states": [] }, "sourceStats": { "recordCount": 0 } } }),
            ],
            "1 records of its streams",
        ),
    ] {
        let states = says.iter().filter(|message| message["type"] == "STATE").count();
        let scene = Scene::new(&[keyed("users", BOTH)]).reads(&[says, vec![complete("users")]].concat());
        let refused = scene.run(&[]).expect(1);
        assert!(refused.stderr.contains(told), "{}", refused.stderr);
        assert_eq!(refused.told().iter().filter(|line| *line == "STATE").count(), states - 1);
    }
}

#[test]
fn a_state_waits_for_half_read_streams_without_a_key() {
    let says = [
        record("events", 1),
        record("users", 1),
        state("users", 1, 1),
        state("events", 1, 1),
        record("events", 2),
        complete("users"),
        complete("events"),
    ];
    let scene = Scene::new(&[keyed("users", BOTH), stream("events", BOTH)]).reads(&says);
    let read = scene.run(&[]).expect(0);
    assert_eq!(read.told(), ["RECORD events 1", "RECORD users 1", "STATE", "RECORD events 2"]);
    let held = [
        record("events", 1),
        record("users", 1),
        state("users", 1, 1),
        complete("users"),
        complete("events"),
    ];
    let read = scene.reads(&held).run(&[]).expect(0);
    assert_eq!(read.told(), ["RECORD events 1", "RECORD users 1", "STATE"], "once all is whole it goes out");
}

#[test]
fn a_new_config_replaces_the_old_one_at_once() {
    let new = json!({ "token": "fresh-token", "read": [] });
    let control = json!({ "type": "CONTROL", "control": { "type": "CONNECTOR_CONFIG", "emitted_at": 1.0, "connectorConfig": { "config": new } } });
    let log = json!({ "type": "LOG", "log": { "level": "WARN", "message": "with fresh-token" } });
    let scene = Scene::new(&[keyed("users", BOTH)]).reads(&[control, log, json!("{\"type\":\"RECORD\",")]);
    let failed = scene.run(&[]).expect(1);
    let path = scene.path().join("config.json");
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        new.to_string().replace("\":", "\": ").replace(",\"", ", \"")
    );
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(failed.stderr.contains("WARNING with ***\n"), "{}", failed.stderr);
    assert_eq!(
        fs::read_dir(scene.path())
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with(".tmp"))
            .count(),
        0
    );
}

#[test]
fn only_the_selected_streams_and_columns_are_asked_for() {
    let mut users = keyed("users", BOTH);
    users["json_schema"]["properties"]["note"] = json!({ "type": "string" });
    let scene = Scene::new(&[users, stream("events", BOTH)]).reads(&[complete("users")]);
    let mut catalog: Value = serde_json::from_str(&scene.run(&["--discover"]).expect(0).text).unwrap();
    for (stream, entry, breadcrumb) in [(0, 2, json!(["properties", "note"])), (1, 0, json!([]))] {
        let entry = &mut catalog["streams"][stream]["metadata"][entry];
        assert_eq!(entry["breadcrumb"], breadcrumb);
        entry["metadata"]["selected"] = json!(false);
    }
    let path = scene.path().join("catalog.json");
    fs::write(&path, catalog.to_string()).unwrap();
    let read = scene.run(&["--catalog", path.to_str().unwrap()]).expect(0);
    assert_eq!(read.said.len(), 1);
    assert!(read.said[0]["schema"]["properties"].get("note").is_none());
    let configured = scene.given("read", "--catalog").unwrap();
    assert_eq!(configured["streams"].as_array().unwrap().len(), 1);
    assert!(configured["streams"][0]["stream"]["json_schema"]["properties"].get("note").is_none());
}

#[test]
fn a_record_that_was_not_asked_for_is_refused() {
    let scene = Scene::new(&[keyed("users", BOTH)]).reads(&[record("surprise", 1), complete("users")]);
    let refused = scene.run(&[]).expect(1);
    assert!(refused.stderr.contains("a record of surprise, which is not selected"), "{}", refused.stderr);
}
