//! What is said about good files.

use serde_json::{Value, json};

use crate::fixture::Folder;

const PEOPLE: &str = "\u{feff}id,name,score,since\r\n1,\"Ann, \"\"A\"\"\",1.10,2024-02-29\r\n2,,NA,\r\n";
const ENTRY: &str = r#""path":"people.csv","stream":"people","key_properties":["id"],"null_values":["NA"]"#;

#[test]
fn a_file_becomes_schema_records_and_state() {
    let folder = Folder::new();
    folder.write("people.csv", PEOPLE);
    let said = folder.sync(ENTRY, None).ok();
    let properties = json!({
        "id": {"type": ["integer"]},
        "name": {"type": ["null", "string"]},
        "score": {"type": ["null", "number"]},
        "since": {"type": ["null", "string"], "format": "date"},
    });
    let schema = json!({"type": "SCHEMA", "stream": "people", "key_properties": ["id"],
        "schema": {"type": "object", "properties": properties}});
    assert_eq!(said.messages[0], schema);
    let expected = [
        json!({"id": 1, "name": "Ann, \"A\"", "score": 1.10, "since": "2024-02-29"}),
        json!({"id": 2, "name": "", "score": null, "since": null}),
    ];
    assert_eq!(said.records(), expected);
    assert!(said.messages.iter().all(|message| message.get("version").is_none()));
    assert_eq!(said.messages.last().unwrap()["type"], "STATE");
    assert!(said.log.contains(
        r#"METRIC: {"type":"counter","metric":"record_count","value":2,"tags":{"stream":"people"}}"#
    ));
}

#[test]
fn the_catalog_chooses_streams_columns_and_keys() {
    let folder = Folder::new();
    folder.write("people.csv", PEOPLE);
    folder.write(
        "config.json",
        format!("{{\"files\":[{{{ENTRY}}},{{\"path\":\"people.csv\",\"stream\":\"again\"}}]}}"),
    );
    let mut catalog =
        serde_json::from_slice::<Value>(&folder.run(&["--config", "config.json", "--discover"]).stdout)
            .unwrap();
    let root = &catalog["streams"][0]["metadata"][0]["metadata"];
    assert_eq!(root["table-key-properties"], json!(["id"]));
    assert_eq!(
        (&root["selected-by-default"], &root["replication-method"]),
        (&json!(true), &json!("INCREMENTAL"))
    );
    assert_eq!(catalog["streams"][0]["metadata"][1]["metadata"]["inclusion"], "automatic");
    catalog["streams"][0]["metadata"][0]["metadata"]["selected"] = json!(false);
    catalog["streams"][1]["metadata"][0]["metadata"]["table-key-properties"] = json!(["name"]);
    catalog["streams"][1]["metadata"][3]["metadata"]["selected"] = json!("false");
    folder.write("catalog.json", catalog.to_string());
    let said = folder.tap(&["--config", "config.json", "--properties", "catalog.json"]).ok();
    let schemas = said.of_type("SCHEMA");
    assert_eq!(schemas.len(), 1);
    assert_eq!(schemas[0]["key_properties"], json!(["name"]));
    assert_eq!(
        schemas[0]["schema"]["properties"]["name"],
        json!({"type": ["string"]}),
        "a key is never null"
    );
    assert_eq!(said.records()[1], json!({"id": 2, "name": "", "since": null}), "`score` is left out");
}

#[test]
fn files_of_a_pattern_are_one_stream_with_all_their_columns() {
    let folder = Folder::new();
    folder.write("b.csv", "id,more\n3,x\n");
    folder.gzip("a.csv", "id\n1\n2\n");
    let said = folder.sync(r#""path":"*.csv","stream":"all""#, None).ok();
    assert_eq!(said.records(), [json!({"id": 1}), json!({"id": 2}), json!({"id": 3, "more": "x"})]);
}

#[test]
fn dialects_are_read() {
    let folder = Folder::new();
    folder.write("a.tsv", "id\tname\n1\t\"a\n2\t'b\tb'\n");
    let said = folder.sync(r#""path":"a.tsv","stream":"a","delimiter":"tab","quote":"'""#, None).ok();
    assert_eq!(said.column("name"), ["\"a", "b\tb"]);
}

#[test]
fn digits_of_every_number_are_kept() {
    let folder = Folder::new();
    folder.write("n.csv", "i,n\n123456789012345678901234567890,1.10\n");
    folder.write("config.json", r#"{"files":[{"path":"n.csv","stream":"n"}]}"#);
    let text = String::from_utf8(folder.run(&["--config", "config.json"]).stdout).unwrap();
    assert!(text.contains(r#""record":{"i":123456789012345678901234567890,"n":1.10}}"#), "{text}");
    assert!(text.contains(r#""i":{"type":["null","integer"],"x-tapster-type":"numeric"}"#), "{text}");
}

#[test]
fn about_names_the_settings_to_programs() {
    let folder = Folder::new();
    let output = folder.run(&["--about", "--format", "json"]);
    let about: Value = serde_json::from_slice(&output.stdout).unwrap();
    let understood = json!({ "replication_methods": ["INCREMENTAL", "FULL_TABLE"], "replication_key": false, "metadata": [] });
    assert_eq!(about["catalog"], understood);
    assert_eq!(about["name"], "tap-csv");
    assert_eq!(about["settings"]["properties"]["files"]["items"]["required"], json!(["path", "stream"]));
}

#[test]
fn a_reader_that_goes_away_ends_the_tap_without_a_word() {
    let folder = Folder::new();
    folder.write("a.csv", format!("x\n{}", "1234567890\n".repeat(100_000)));
    folder.write("config.json", r#"{"files":[{"path":"a.csv","stream":"a"}]}"#);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tap-csv"));
    command.args(["--config", "config.json"]).current_dir(folder.path());
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(141));
    assert!(!String::from_utf8(output.stderr).unwrap().contains("CRITICAL"));
}
