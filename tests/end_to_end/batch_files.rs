//! Files of BATCH messages, from a tap to the warehouses.

mod real_tap;

use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tests::project::{Outcome, Project};
use tests::python;
use tests::warehouse::{Rows, Warehouse};

use crate::support::warehouses;

const SCHEMA: &str = r#"{"type":"SCHEMA","stream":"items","key_properties":["id"],"schema":{"properties":{
    "id":{"type":"integer"},"name":{"type":["string","null"]},"price":{"type":["number","null"]},
    "at":{"type":["string","null"],"format":"date-time"},"doc":{"type":["object","null"]}}}}"#;

/// Records that widen a column and hold what is easily lost.
const RECORDS: [&str; 5] = [
    r#"{"id":1,"name":"naïve \u0001 \"quoted\"","price":1.10,"at":"2024-02-29T03:04:05.123456+02:00","doc":{"a":[1,null]}}"#,
    r#"{"id":2,"name":"","price":12345678901234567890.5,"at":"1969-12-31T23:59:59Z","doc":null}"#,
    r#"{"id":123456789012345678901,"name":null}"#,
    r#"{"id":4,"price":NaN,"undeclared":true}"#,
    r#"{"id":2,"name":"again"}"#,
];

pub(crate) fn one_line(message: &str) -> String {
    message.split('\n').map(str::trim).collect::<String>() + "\n"
}

pub(crate) fn batch(stream: &str, format: &str, compression: &Value, files: &[&Path]) -> String {
    let manifest: Vec<String> = files.iter().map(|file| format!("file://{}", file.display())).collect();
    let encoding = json!({ "format": format, "compression": compression });
    json!({ "type": "BATCH", "stream": stream, "encoding": encoding, "manifest": manifest }).to_string()
        + "\n"
}

fn packed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).expect("memory");
    encoder.finish().expect("memory")
}

/// Loads messages, with `spool/` as a root, and says how it went.
pub(crate) fn load(project: &Project, messages: &str, warehouse: &Warehouse) -> Outcome {
    let stream = project.write("messages", messages);
    let mut tap = Project::replay(&stream);
    tap["batch_roots"] = json!(["spool"]);
    project.pipeline("p", &json!({ "tap": tap, "target": warehouse.block() }));
    project.run(["run", "p", "--quiet"])
}

fn items(warehouse: &Warehouse) -> Rows {
    warehouse.rows("SELECT * FROM items ORDER BY id")
}

#[test]
fn records_in_lines_load_as_record_messages_do() {
    let records = RECORDS.iter().fold(String::new(), |text, record| {
        text + &format!("{{\"type\":\"RECORD\",\"stream\":\"items\",\"record\":{record}}}\n")
    });
    let (project, other) = (Project::new(), Project::new());
    let state = "{\"type\":\"STATE\",\"value\":{\"n\":5}}\n";
    let lines = RECORDS.join("\n");
    let plain = project.write("spool/plain 100%.jsonl", format!("{}\n", RECORDS[..2].join("\n")));
    let rest = project.write("spool/rest.json.gz", packed(&RECORDS[2..].join("\n")));
    let files = batch("items", "jsonl", &Value::Null, &[&plain, &rest]);
    for ((name, by_file), (_, by_record)) in warehouses(&project).into_iter().zip(warehouses(&other)) {
        let _ = load(&other, &(one_line(SCHEMA) + &records + state), &by_record).expect_code(0);
        let _ = load(&project, &(one_line(SCHEMA) + &files + state), &by_file).expect_code(0);
        assert_eq!(items(&by_file), items(&by_record), "{name}: {lines}");
        assert_eq!(by_file.value("SELECT count(*) FROM items").as_deref(), Some("4"));
        assert_eq!(by_file.value("SELECT state FROM _tapster_state").as_deref(), Some("{\"n\":5}"));
        assert!(plain.exists() && rest.exists(), "a file of a root was deleted");
    }
}

/// Files as pyarrow, and with it the SDK, makes them of records, and the records.
const WRITE: &str = r#"
import sys, json, pyarrow as pa, pyarrow.parquet as pq
from datetime import datetime, timedelta, timezone
folder = sys.argv[1]
at = datetime(2024, 2, 29, 3, 4, 5, 123456, timezone(timedelta(hours=2)))
records = [
    {"id": 1, "name": "naïve \x01 \"quoted\"", "price": 1.5, "at": at, "doc": {"a": [1, None]}},
    {"id": 2, "name": "", "price": 1e300, "at": None, "doc": None, "undeclared": 1},
    {"id": 3, "name": None, "price": None, "at": datetime(1969, 12, 31, tzinfo=timezone.utc), "doc": {"a": []}},
]
table = pa.Table.from_pylist(records)
for codec in ["snappy", "gzip", "zstd"]:
    pq.write_table(table, f"{folder}/{codec}.parquet", compression=codec, row_group_size=2)
for kind, new in [("file", pa.ipc.new_file), ("stream", pa.ipc.new_stream)]:
    with pa.OSFile(f"{folder}/{kind}.arrow", "wb") as file, new(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
for codec in ["lz4", "zstd"]:
    packed = pa.ipc.IpcWriteOptions(compression=codec)
    with pa.OSFile(f"{folder}/{codec}.arrow", "wb") as file, pa.ipc.new_file(file, table.schema, options=packed) as writer:
        writer.write_table(table)
durations = pa.table({"id": [1], "name": [timedelta(1)]})
pq.write_table(durations, f"{folder}/durations.parquet")
for record in records:
    print(json.dumps({"type": "RECORD", "stream": "items", "record": record}, default=datetime.isoformat, separators=(",", ":")))
"#;

#[test]
fn records_in_columns_load_as_record_messages_do() {
    let (project, other) = (Project::new(), Project::new());
    let spool = project.path().join("spool");
    std::fs::create_dir(&spool).expect("spool/");
    let mut python = std::process::Command::new(python::program("pyarrow==26.0.1", "python"));
    let written = other.outcome(python.args(["-c", WRITE]).arg(&spool)).expect_code(0);
    let by_record = Warehouse::duckdb(other.path());
    let _ = load(&other, &(one_line(SCHEMA) + &written.stdout), &by_record).expect_code(0);
    let expected = items(&by_record);
    assert_eq!(expected.len(), 3);
    let file = |format: &str, file: &str| {
        one_line(SCHEMA) + &batch("items", format, &Value::Null, &[&spool.join(file)])
    };
    for (at, (format, name)) in [
        ("parquet", "snappy.parquet"),
        ("parquet", "gzip.parquet"),
        ("arrow", "file.arrow"),
        ("arrow", "stream.arrow"),
    ]
    .into_iter()
    .enumerate()
    {
        let warehouse = Warehouse::DuckDb(project.path().join(format!("{at}.duckdb")));
        let _ = load(&project, &file(format, name), &warehouse).expect_code(0);
        assert_eq!(items(&warehouse), expected, "{name}");
        let (postgres, by_record) = (Warehouse::postgres(), Warehouse::postgres());
        let _ = load(&project, &file(format, name), &postgres).expect_code(0);
        let _ = load(&other, &(one_line(SCHEMA) + &written.stdout), &by_record).expect_code(0);
        assert_eq!(items(&postgres), items(&by_record), "{name}");
    }
    let refusals = [
        ("parquet", "zstd.parquet", "E0207"),
        ("arrow", "lz4.arrow", "E0207"),
        ("arrow", "zstd.arrow", "E0207"),
        ("parquet", "durations.parquet", "E0245"),
        ("parquet", "file.arrow", "E0243"),
        ("arrow", "snappy.parquet", "E0243"),
        ("jsonl", "stream.arrow", "E0244"),
    ];
    for (format, name, code) in refusals {
        let outcome = load(&project, &file(format, name), &Warehouse::postgres()).expect_code(65);
        assert!(outcome.stderr.contains(&format!("error[{code}]")), "{name}: {outcome}");
        let is_packed = format == "arrow" && code == "E0207";
        assert_eq!(outcome.stderr.contains("IpcWriteOptions(compression=None)"), is_packed, "{outcome}");
    }
}

/// A tap that writes the next file once the last is gone, at each attempt into a new folder.
#[test]
fn a_file_in_the_runs_folder_goes_once_it_is_loaded() {
    let project = Project::new();
    let script = format!(
        r#"printf '%s' '{}'
        for n in 1 2 3; do
            file="$(sed 's/.*"folder": *"\([^"]*\)".*/\1/' "$2")/part $n.jsonl"
            test "$(dirname "$file")" = "$TAPSTER_RUN_FOLDER" || exit 9
            printf '{{"id":%s}}\n' $n $((n + 10)) > "$file"
            printf '{{"type":"BATCH","stream":"items","encoding":{{"format":"jsonl"}},"manifest":["file://%s"]}}\n' "$file"
            while test -e "$file"; do sleep 0.01; done
        done"#,
        one_line(SCHEMA)
    );
    for (name, warehouse) in warehouses(&project) {
        let tap = json!({
            "command": ["sh", "-c", script, "tap"],
            "config": { "folder": "${run:folder}" },
            "catalog": false,
        });
        project.pipeline(
            "p",
            &json!({ "tap": tap, "target": warehouse.block(), "limits": { "timeout": "1m" } }),
        );
        let _ = project.run(["run", "p", "--quiet"]).expect_code(0);
        assert_eq!(warehouse.value("SELECT count(*) FROM items").as_deref(), Some("6"), "{name}");
        assert!(project.private_folders().is_empty());
    }
}

#[test]
fn a_file_that_may_not_be_read_or_is_not_there_is_refused() {
    let project = Project::new();
    let warehouse = Warehouse::duckdb(project.path());
    project.write("elsewhere.jsonl", "{\"id\":4711}\n");
    std::fs::create_dir(project.path().join("spool")).expect("spool/");
    std::os::unix::fs::symlink("../elsewhere.jsonl", project.path().join("spool/link")).expect("a link");
    let cases = [
        ("spool/link", "jsonl", json!(null), "E0240"),
        ("spool/../elsewhere.jsonl", "jsonl", json!(null), "E0240"),
        ("spool/none", "jsonl", json!(null), "E0242"),
        ("spool/none", "csv", json!(null), "E0207"),
    ];
    for (path, format, compression, code) in cases {
        let message = batch("items", format, &compression, &[&project.path().join(path)]);
        let outcome = load(&project, &(one_line(SCHEMA) + &message), &warehouse).expect_code(65);
        assert!(outcome.stderr.contains(&format!("error[{code}]: line 2: the file")), "{path}: {outcome}");
        assert!(outcome.stderr.contains("hint: ") && !outcome.to_string().contains("4711"), "{outcome}");
    }
}
