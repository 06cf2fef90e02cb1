//! NAME: a Singer tap in Rust, with serde_json and nothing else.
//!
//! `numbers` and `colours` stand for what you read: an API, files, a database. Replace them, `STREAMS` and the settings.
//! Messages go to stdout, one JSON object a line, and everything else to stderr.
//!
//! SIGTERM ends it at once, as it does any program that says nothing else: the next run goes on from the last STATE.

use std::error::Error;
use std::io::{self, BufWriter, ErrorKind, StdoutLock, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

/// The records of a stream after its bookmark.
type Read = fn(config: &Value, bookmark: Option<&Value>) -> Box<dyn Iterator<Item = Value>>;

struct Stream {
    name: &'static str,
    key_property: &'static str,
    /// `None`: the whole stream each time.
    replication_key: Option<&'static str>,
    /// Each column and its JSON Schema.
    properties: &'static [(&'static str, &'static str)],
    read: Read,
}

const STREAMS: [Stream; 2] = [
    Stream {
        name: "numbers",
        key_property: "number",
        replication_key: Some("number"),
        properties: &[("number", r#"{"type":"integer"}"#), ("square", r#"{"type":["null","integer"]}"#)],
        read: numbers,
    },
    Stream {
        name: "colours",
        key_property: "name",
        replication_key: None,
        properties: &[("name", r#"{"type":"string"}"#), ("hex", r#"{"type":["null","string"]}"#)],
        read: colours,
    },
];

/// In the order of the replication key: only then may a STATE come in between.
fn numbers(config: &Value, bookmark: Option<&Value>) -> Box<dyn Iterator<Item = Value>> {
    let start = bookmark.and_then(Value::as_u64).unwrap_or(0) + 1;
    let count = config["count"].as_u64().unwrap_or(0);
    Box::new((start..=count).map(|number| json!({ "number": number, "square": number * number })))
}

fn colours(_: &Value, _: Option<&Value>) -> Box<dyn Iterator<Item = Value>> {
    let all = [("red", "#ff0000"), ("white", "#ffffff")];
    Box::new(all.into_iter().map(|(name, hex)| json!({ "name": name, "hex": hex })))
}

/// Each STATE is a point that a run can go on from, and costs the target a commit.
const STATE_EVERY: Duration = Duration::from_secs(1);

const HELP: &str = r#"NAME --config FILE [--catalog FILE] [--state FILE] [--discover]
  --config    the settings: {"count": 1000}
  --catalog   what of it to read; by default all
  --state     the last STATE of the run before
  --discover  print the catalog
"#;

type Done = Result<(), Box<dyn Error>>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody reads on, and whoever stopped knows why.
            let closed = error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == ErrorKind::BrokenPipe);
            if !closed {
                eprintln!("CRITICAL {error}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run() -> Done {
    let (mut config, mut catalog, mut state, mut discovers) = (None, None, None, false);
    let mut words = std::env::args().skip(1);
    let mut output = BufWriter::new(io::stdout().lock());
    while let Some(word) = words.next() {
        let place = match word.as_str() {
            "--config" => &mut config,
            "--catalog" => &mut catalog,
            "--state" => &mut state,
            "--discover" => {
                discovers = true;
                continue;
            }
            "--help" => {
                output.write_all(HELP.as_bytes())?;
                return Ok(output.flush()?);
            }
            other => return Err(format!("{other} is unknown").into()),
        };
        *place = Some(load(&words.next().ok_or(format!("{word} needs a file"))?)?);
    }
    let config = config.ok_or("there is no --config FILE")?;
    config["count"].as_u64().ok_or("the config has no integer `count`")?;
    if discovers {
        writeln!(output, "{:#}", discover())?;
        return Ok(output.flush()?);
    }
    sync(&config, &catalog.unwrap_or_else(discover), state.unwrap_or(json!({})), output)
}

fn load(path: &str) -> Result<Value, Box<dyn Error>> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    Ok(serde_json::from_str(&text).map_err(|error| format!("{path}: {error}"))?)
}

fn discover() -> Value {
    json!({ "streams": STREAMS.iter().map(Stream::describe).collect::<Vec<_>>() })
}

fn sync(config: &Value, catalog: &Value, mut state: Value, mut output: BufWriter<StdoutLock>) -> Done {
    if !state["bookmarks"].is_object() {
        state["bookmarks"] = json!({});
    }
    for entry in catalog["streams"].as_array().into_iter().flatten() {
        let stream = STREAMS.iter().find(|stream| entry["tap_stream_id"] == stream.name);
        if let Some(stream) = stream.filter(|_| is_selected(entry, &[])) {
            eprintln!("INFO reading {}", stream.name);
            stream.sync(config, entry, &mut state, &mut output)?;
        }
    }
    say(&mut output, &json!({ "type": "STATE", "value": state }))?;
    Ok(output.flush()?)
}

impl Stream {
    fn describe(&self) -> Value {
        let mut about = json!({
            "selected-by-default": true,
            "table-key-properties": [self.key_property],
            "replication-method": if self.replication_key.is_some() { "INCREMENTAL" } else { "FULL_TABLE" },
        });
        if let Some(key) = self.replication_key {
            about["replication-key"] = key.into();
        }
        let mut metadata = vec![json!({ "breadcrumb": [], "metadata": about })];
        for (column, _) in self.properties {
            let is_needed = *column == self.key_property || Some(*column) == self.replication_key;
            let inclusion = if is_needed { "automatic" } else { "available" };
            let breadcrumb = ["properties", column];
            metadata.push(json!({ "breadcrumb": breadcrumb, "metadata": { "inclusion": inclusion } }));
        }
        let schema = self.schema(|_| true);
        json!({ "tap_stream_id": self.name, "stream": self.name, "schema": schema, "metadata": metadata })
    }

    fn schema(&self, is_wanted: impl Fn(&str) -> bool) -> Value {
        let wanted = self.properties.iter().filter(|(column, _)| is_wanted(column));
        let properties: Map<String, Value> = wanted
            .map(|(column, schema)| ((*column).to_owned(), serde_json::from_str(schema).unwrap_or_default()))
            .collect();
        json!({ "type": "object", "properties": properties })
    }

    fn sync(&self, config: &Value, entry: &Value, state: &mut Value, output: &mut impl Write) -> Done {
        let name = self.name;
        let is_wanted = |column: &str| is_selected(entry, &["properties", column]);
        let bookmark_properties: Vec<_> = self.replication_key.into_iter().collect();
        say(output, &json!({
            "type": "SCHEMA", "stream": name, "schema": self.schema(is_wanted),
            "key_properties": [self.key_property], "bookmark_properties": bookmark_properties,
        }))?;
        let mut said = Instant::now();
        let bookmark = self.replication_key.and_then(|key| state["bookmarks"][name].get(key)).cloned();
        for mut record in (self.read)(config, bookmark.as_ref()) {
            if let Some(key) = self.replication_key {
                state["bookmarks"][name] = json!({ key: record[key] });
            }
            if let Value::Object(columns) = &mut record {
                columns.retain(|column, _| is_wanted(column));
            }
            say(output, &json!({ "type": "RECORD", "stream": name, "record": record }))?;
            if said.elapsed() >= STATE_EVERY {
                say(output, &json!({ "type": "STATE", "value": state }))?;
                output.flush()?;
                said = Instant::now();
            }
        }
        Ok(())
    }
}

/// Whether the catalog wants the stream, or a column of it.
fn is_selected(entry: &Value, breadcrumb: &[&str]) -> bool {
    let items = entry["metadata"].as_array();
    let said = items.into_iter().flatten().find(|item| item["breadcrumb"] == json!(breadcrumb));
    let said = said.map_or(&Value::Null, |item| &item["metadata"]);
    let selected = said["selected"].as_bool().or_else(|| said["selected-by-default"].as_bool());
    said["inclusion"] == "automatic" || selected.unwrap_or(!breadcrumb.is_empty())
}

fn say(output: &mut impl Write, message: &Value) -> io::Result<()> {
    serde_json::to_writer(&mut *output, message)?;
    output.write_all(b"\n")
}
