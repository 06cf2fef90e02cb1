//! All of nycflights13: 367,687 records.

use std::path::Path;

use crate::fixture::Folder;

const ENTRIES: &str = r#"[
{"path":"D/airlines.csv","stream":"airlines","key_properties":["carrier"],"null_values":["NA"]},
{"path":"D/airports.csv","stream":"airports","key_properties":["faa"],"null_values":["NA"]},
{"path":"D/planes.csv","stream":"planes","key_properties":["tailnum"],"null_values":["NA"]},
{"path":"D/weather.csv","stream":"weather","key_properties":["origin","time_hour"],"null_values":["NA"],"columns":{"time_hour":"timestamp"}},
{"path":"D/flights.csv.gz","stream":"flights","null_values":["NA"],"columns":{"time_hour":"timestamp"}}]"#;

#[test]
fn all_of_nycflights13_is_read_once() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipelines/data/nycflights13");
    let folder = Folder::new();
    let files = ENTRIES.replace('D', data.to_str().unwrap());
    folder.write("config.json", format!(r#"{{"files":{files}}}"#));
    let output = folder.run(&["--config", "config.json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let count = |what: &str| text.lines().filter(|line| line.contains(what)).count();
    assert_eq!(count(r#""type":"RECORD""#), 367_687);
    assert_eq!(count(r#"{"type":"RECORD","stream":"flights""#), 336_776);
    assert_eq!(count(r#""dep_time":null"#), 8_255, "flights that did not leave");
    assert!(count(r#""type":"STATE""#) >= 70, "a STATE in 5,000 records");
    let schema = text.lines().find(|line| line.contains(r#""SCHEMA","stream":"weather""#)).unwrap();
    for column in [
        r#""origin":{"type":["string"]}"#,
        r#""time_hour":{"type":["string"],"format":"date-time"}"#,
        r#""wind_dir":{"type":["null","integer"]}"#,
        r#""wind_gust":{"type":["null","number"]}"#,
    ] {
        assert!(schema.contains(column), "{column} in {schema}");
    }
    let last = text.lines().last().unwrap();
    let state: serde_json::Value = serde_json::from_str(last).unwrap();
    folder.write("state.json", state["value"].to_string());
    let again = folder.tap(&["--config", "config.json", "--state", "state.json"]).ok();
    assert_eq!(again.records().len(), 0, "a second run reads nothing new");
}
