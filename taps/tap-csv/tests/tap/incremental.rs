//! Files are read on from where they ended, and from every STATE.

use serde_json::{Value, json};

use crate::fixture::{Folder, Said, records};

const KEYLESS: &str = r#""path":"a*","stream":"a""#;
const KEYED: &str = r#""path":"a*","stream":"a","key_properties":["id"]"#;

fn numbers(range: std::ops::Range<u32>) -> String {
    // Line ends in quotes, so that lines and records differ.
    range.map(|n| format!("{n},\"text\nof {n}\"\n")).collect::<Vec<_>>().concat()
}

#[test]
fn an_unchanged_file_is_not_read_again() {
    for age in [false, true] {
        let folder = Folder::new();
        folder.write("a.csv", format!("id,text\n{}", numbers(0..5)));
        folder.gzip("a.csv.gz", &format!("id,text\n{}", numbers(5..9)));
        if age {
            folder.age("a.csv");
            folder.age("a.csv.gz");
        }
        let first = folder.sync(KEYLESS, None).ok();
        assert_eq!(first.records().len(), 9);
        let second = folder.sync(KEYLESS, Some(&first.state())).ok();
        assert_eq!((second.records().len(), second.of_type("SCHEMA").len()), (0, 1));
        assert_eq!(second.state(), first.state(), "nothing new changes nothing");
        let place = &first.state()["bookmarks"]["a"]["files"]["a.csv"];
        assert_eq!(
            place.get("modified").is_some(),
            age,
            "the time of a file written just now proves nothing"
        );
    }
}

#[test]
fn grown_and_new_files_are_read_on() {
    let folder = Folder::new();
    folder.write("a.csv", format!("id,text\n{}", numbers(0..5)));
    folder.gzip("a.csv.gz", &format!("id,text\n{}", numbers(10..12)));
    let first = folder.sync(KEYLESS, None).ok();
    folder.append("a.csv", &numbers(5..7));
    folder.gzip("a.csv.gz", &format!("id,text\n{}", numbers(10..14)));
    folder.write("a3.csv", "id,text\n20,x");
    let second = folder.sync(KEYLESS, Some(&first.state())).ok();
    assert_eq!(second.column("id"), [5, 6, 12, 13, 20]);
    folder.append("a3.csv", "\r\n21,y\n");
    let third = folder.sync(KEYLESS, Some(&second.state())).ok();
    assert_eq!(third.column("id"), [21]);
    folder.append("a.csv", "7,\"open\n");
    let fourth = folder.sync(KEYLESS, Some(&third.state()));
    assert!(fourth.log.contains("a.csv, line 16: a quote opens here"), "{}", fourth.log);
}

#[test]
fn a_rewritten_file_is_read_whole_with_a_key_and_refused_without() {
    let folder = Folder::new();
    folder.write("a.csv", "id,text\n1,a\n2,b\n");
    let state = folder.sync(KEYLESS, None).ok().state();
    // The same size, and in the middle: nothing but the content tells.
    folder.write("a.csv", "id,text\n1,x\n2,b\n");
    let refused = folder.sync(KEYLESS, Some(&state));
    assert_eq!((refused.code, refused.records().len()), (Some(1), 0));
    assert!(refused.log.contains("--full-refresh"), "{}", refused.log);
    let again = folder.sync(KEYED, Some(&state)).ok();
    assert_eq!(again.column("text"), ["x", "b"]);
    assert!(again.log.contains("WARNING a.csv: has changed"), "{}", again.log);
    assert_eq!(folder.sync(KEYED, Some(&again.state())).ok().records().len(), 0);
}

#[test]
fn a_last_line_that_went_on_is_not_taken_for_two() {
    let folder = Folder::new();
    folder.write("a.csv", "id,text\n1,a\n2,b");
    let first = folder.sync(KEYLESS, None).ok();
    assert_eq!(first.column("text"), ["a", "b"]);
    folder.append("a.csv", "bb\n3,c\n");
    assert_eq!(folder.sync(KEYLESS, Some(&first.state())).code, Some(1));
    assert_eq!(folder.sync(KEYED, Some(&first.state())).ok().column("text"), ["a", "bbb", "c"]);
}

/// For every STATE of a whole sync: what is before it and what a sync from it sends are all records, each once.
#[test]
fn from_every_state_each_record_comes_once() {
    let folder = Folder::new();
    folder.write("a.csv", format!("id,text\r\n{}", numbers(0..20)));
    folder.gzip("a.csv.gz", &format!("id,text\n{}", numbers(20..40)));
    folder.write("a2.csv", "id,text\n");
    let whole = folder.sync(KEYLESS, None).ok();
    let all = whole.records();
    assert_eq!(all.len(), 40);
    let mut states = 0;
    for (index, message) in
        whole.messages.iter().enumerate().filter(|(_, message)| message["type"] == "STATE")
    {
        let resumed = folder.sync(KEYLESS, Some(&message["value"])).ok();
        let mut both = records(&whole.messages[..index]);
        both.extend(resumed.records());
        assert_eq!(both, all, "from STATE {states}");
        states += 1;
    }
    assert!(states >= 14, "a STATE in three records, and at the end: {states}");
}

#[test]
fn a_state_holds_all_streams_and_what_it_does_not_know() {
    let folder = Folder::new();
    folder.write("a.csv", "id,text\n1,a\n");
    let before = json!({"bookmarks": {"other": {"x": 1}}, "currently_syncing": "other"});
    let after = folder.sync(KEYLESS, Some(&before)).ok().state();
    assert_eq!(after["bookmarks"]["other"], json!({"x": 1}));
    assert_eq!(after["bookmarks"]["a"]["files"]["a.csv"]["bytes"], 12);
    assert_eq!(after.get("currently_syncing"), None::<&Value>);
}

#[test]
fn a_delivery_in_which_a_column_is_empty_does_not_change_its_type() {
    let folder = Folder::new();
    let entry = format!(r#"{KEYED},"null_values":["NA"]"#);
    let property = |said: &Said, name: &str| said.of_type("SCHEMA")[0]["schema"]["properties"][name].clone();
    folder.write("a.csv", "id,n,later\n1,5,NA\n");
    let first = folder.sync(&entry, None).ok();
    assert_eq!(property(&first, "n"), json!({ "type": ["null", "integer"] }));
    assert_eq!(property(&first, "later"), Value::Null, "nothing is known of it, and it has no value to lose");
    assert_eq!(first.records(), [json!({ "id": 1, "n": 5 })]);
    // The same file, delivered anew.
    folder.write("a.csv", "id,n,later\n1,NA,2.5\n");
    let second = folder.sync(&entry, Some(&first.state())).ok();
    assert_eq!(property(&second, "n"), json!({ "type": ["null", "integer"] }));
    assert_eq!(second.records(), [json!({ "id": 1, "n": null, "later": 2.5 })]);
    // Nothing but a header.
    folder.write("a.csv", "id,n,later\n");
    let third = folder.sync(&entry, Some(&second.state())).ok();
    assert_eq!(property(&third, "id"), json!({ "type": ["integer"] }));
    assert_eq!(property(&third, "later"), json!({ "type": ["null", "number"] }));
}

#[test]
fn a_file_of_a_header_alone_makes_no_table_yet() {
    let folder = Folder::new();
    folder.write("a.csv", "id,n\n");
    for method in ["INCREMENTAL", "FULL_TABLE"] {
        let entry = format!(r#"{KEYED},"replication_method":"{method}""#);
        let said = folder.sync(&entry, None).ok();
        assert!(said.of_type("SCHEMA").is_empty() && said.of_type("ACTIVATE_VERSION").is_empty(), "{method}");
        folder.append("a.csv", "1,2\n");
        assert_eq!(folder.sync(&entry, Some(&said.state())).ok().records(), [json!({ "id": 1, "n": 2 })]);
        folder.write("a.csv", "id,n\n");
    }
}
