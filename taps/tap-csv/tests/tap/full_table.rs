//! `FULL_TABLE`: one version a sync, gone on with when it was cut off.

use serde_json::Value;

use crate::fixture::{Folder, Said};

const ENTRY: &str = r#""path":"*.csv","stream":"a","replication_method":"FULL_TABLE""#;

fn kinds(said: &Said) -> Vec<&str> {
    let kinds = said.messages.iter().map(|message| message["type"].as_str().unwrap());
    let mut kinds: Vec<_> = kinds.filter(|&kind| kind != "STATE").collect();
    kinds.dedup();
    kinds
}

fn versions(said: &Said) -> Vec<i64> {
    let mut versions: Vec<_> =
        said.messages.iter().filter_map(|message| message.get("version")?.as_i64()).collect();
    versions.dedup();
    versions
}

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("1.csv", "id\n1\n2\n3\n4\n5\n");
    folder.write("2.csv", "id\n6\n7\n");
    folder
}

#[test]
fn each_sync_sends_everything_in_a_new_version() {
    let folder = folder();
    let first = folder.sync(ENTRY, None).ok();
    assert_eq!(kinds(&first), ["SCHEMA", "ACTIVATE_VERSION", "RECORD", "ACTIVATE_VERSION"]);
    let second = folder.sync(ENTRY, Some(&first.state())).ok();
    assert_eq!(
        kinds(&second),
        ["SCHEMA", "RECORD", "ACTIVATE_VERSION"],
        "the old table stands until all is there"
    );
    assert_eq!((first.records().len(), second.records()), (7, first.records()));
    let (old, new) = (versions(&first), versions(&second));
    assert_eq!((old.len(), new.len()), (1, 1));
    assert!(new > old && old[0] > 1_600_000_000_000, "milliseconds: {old:?} {new:?}");
}

#[test]
fn a_sync_that_was_cut_off_goes_on_with_its_version() {
    let folder = folder();
    let first = folder.sync(ENTRY, None).ok();
    let states = first.of_type("STATE");
    let cut: &Value = &states[0]["value"];
    let resumed = folder.sync(ENTRY, Some(cut)).ok();
    assert_eq!(resumed.column("id"), [4, 5, 6, 7]);
    assert_eq!(versions(&resumed), versions(&first));
    assert_eq!(kinds(&resumed), ["SCHEMA", "RECORD", "ACTIVATE_VERSION"]);
    folder.write("1.csv", "id\n1\n2\n9\n4\n5\n");
    let over = folder.sync(ENTRY, Some(cut)).ok();
    assert_eq!(over.column("id"), [1, 2, 9, 4, 5, 6, 7]);
    assert!(versions(&over) > versions(&first), "files changed: a new version");
}

#[test]
fn a_keyless_stream_does_not_change_its_method_in_silence() {
    let folder = folder();
    let state = folder.sync(ENTRY, None).ok().state();
    let refused = folder.sync(r#""path":"*.csv","stream":"a""#, Some(&state));
    assert_eq!(refused.code, Some(78));
    assert!(refused.log.contains("was FULL_TABLE before"), "{}", refused.log);
}
