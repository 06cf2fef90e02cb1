//! What a run of the tap said, judged line by line.

use std::collections::HashMap;

use columns::record_validator;
use indexmap::IndexMap;
use serde_json::Value;
use singer::{
    Catalog, CatalogStream, JsonReader, Message, MessageError, ReadError, RecordBody, State, TakeRecord,
    framing_excerpt,
};

use super::keys::StreamKeys;
use super::listen::Heard;
use super::{rules, schemas};
use crate::Check;
use crate::report::Findings;

/// What was heard so far.
pub(super) struct Hearing {
    catalog: Option<Catalog>,
    /// The greatest replication key of each stream that the STATE of the run covers.
    floors: HashMap<String, Value>,
    /// Number of the last line.
    pub(super) lines: u64,
    pub(super) schemas: usize,
    pub(super) streams: IndexMap<String, Stream>,
    state: Option<State>,
    since_state: u64,
    found: Found,
}

/// What is wrong, by check.
#[derive(Default)]
struct Found {
    messages: Findings,
    message_types: Findings,
    schemas: Vec<String>,
    schema_first: Findings,
    selection: Findings,
    records: Findings,
    keys: Findings,
    unique_keys: Findings,
    state: Findings,
}

/// One stream of the run.
#[derive(Default)]
pub(super) struct Stream {
    validator: Option<jsonschema::Validator>,
    keys: StreamKeys,
    replication_key: Option<String>,
    pub(super) records: u64,
    greatest: Option<Value>,
    /// Records and greatest replication key before the last STATE.
    pub(super) covered: (u64, Option<Value>),
    /// Records with a replication key below the floor.
    pub(super) below: u64,
}

/// Begins to hear a run; with `floors`, one that goes on from the last STATE of another.
pub(super) fn hearing(catalog: Option<&Catalog>, floors: Option<&Hearing>) -> Hearing {
    let covered = floors.into_iter().flat_map(|first| &first.streams);
    let covered = covered.filter_map(|(name, stream)| Some((name.clone(), stream.covered.1.clone()?)));
    Hearing {
        catalog: catalog.cloned(),
        floors: covered.collect(),
        lines: 0,
        schemas: 0,
        streams: IndexMap::new(),
        state: None,
        since_state: 0,
        found: Found::default(),
    }
}

/// Keeps a record's text.
#[derive(Default)]
struct Keep(String);

impl TakeRecord for Keep {
    fn record(&mut self, _: &str, record: &mut JsonReader<'_>) -> Result<(), ReadError> {
        record.value()?.get().clone_into(&mut self.0);
        Ok(())
    }
}

impl Hearing {
    pub(super) fn line(&mut self, line: &[u8]) {
        let at = self.lines;
        let mut kept = Keep::default();
        let Ok(text) = std::str::from_utf8(line) else {
            return self.found.messages.add(format!("line {at} is not UTF-8: {}", framing_excerpt(line)));
        };
        match singer::parse(text, &mut kept) {
            Ok(Message::Schema(schema)) => {
                let text = schema_text(text);
                self.schema(&schema.stream, &text, schema.key_properties, schema.bookmark_properties);
            }
            Ok(Message::Record(record)) => {
                let body = if let RecordBody::Raw(raw) = &record.record { raw.get() } else { &kept.0 };
                self.record(&record.stream, body);
            }
            Ok(Message::State(state)) => self.state(state),
            Ok(Message::Batch(batch)) => {
                self.since_state += 1;
                self.expected(&batch.stream, "BATCH");
            }
            Ok(Message::ActivateVersion { .. }) => {}
            Ok(Message::Unknown { kind }) => {
                self.found.message_types.add(format!("line {at} is of type {kind}"));
            }
            Err(MessageError::Schema { stream, source }) => {
                self.found.schemas.push(format!("line {at}, stream {stream}: {source}"));
            }
            Err(error) => {
                self.found
                    .messages
                    .add(format!("line {at} is no message ({error}): {}", framing_excerpt(line)));
            }
        }
    }

    /// What stands behind the last line feed.
    pub(super) fn half_line(&mut self, line: &[u8]) {
        self.lines += 1;
        self.line(line);
    }

    pub(super) fn unreadable(&mut self, reason: &str) {
        self.found.messages.add(reason);
    }

    pub(super) fn records(&self) -> u64 {
        self.streams.values().map(|stream| stream.records).sum()
    }

    pub(super) fn last_state(&self) -> Option<&State> {
        self.state.as_ref()
    }

    pub(super) fn schema_problems(&self) -> impl Iterator<Item = &String> {
        self.found.schemas.iter()
    }

    /// The catalog's entry of a stream that is named so in messages.
    pub(super) fn entry(&self, name: &str) -> Option<&CatalogStream> {
        let catalog = self.catalog.as_ref()?;
        catalog.stream(name).or_else(|| catalog.streams.iter().find(|stream| stream.stream == name))
    }

    fn schema(&mut self, name: &str, text: &str, key: Vec<String>, bookmark: Vec<String>) {
        let at = self.lines;
        self.schemas += 1;
        for problem in schemas::problems(text, name) {
            self.found.schemas.push(format!("line {at}, stream {name}: {problem}"));
        }
        let entry = self.entry(name);
        let said = entry.and_then(CatalogStream::effective_replication_key).map(str::to_owned);
        let is_log_based = entry.and_then(CatalogStream::effective_replication_method) == Some("LOG_BASED");
        let properties = serde_json::from_str::<Value>(text).unwrap_or_default();
        for name_of_key in key.iter().filter(|key| properties["properties"].get(key.as_str()).is_none()) {
            self.found
                .keys
                .add(format!("line {at}, stream {name}: key property `{name_of_key}` is not in the SCHEMA"));
        }
        let stream = self.streams.entry(name.to_owned()).or_default();
        stream.validator = record_validator(text).ok();
        stream.replication_key = bookmark.into_iter().next().or(said);
        stream.keys.follow(key, is_log_based);
    }

    /// Whether the stream has a SCHEMA; that it is selected is looked at, too.
    fn expected(&mut self, name: &str, kind: &str) -> bool {
        let at = self.lines;
        if self.entry(name).is_some_and(|entry| !entry.is_selected()) {
            self.found.selection.add(format!("line {at}: a {kind} of stream {name}, which is not selected"));
        }
        let is_known = self.streams.contains_key(name);
        if !is_known {
            self.found.schema_first.add(format!("line {at}: a {kind} of stream {name} before its SCHEMA"));
        }
        is_known
    }

    fn record(&mut self, name: &str, text: &str) {
        let at = self.lines;
        self.since_state += 1;
        if !self.expected(name, "RECORD") {
            return;
        }
        let Some(stream) = self.streams.get_mut(name) else { return };
        stream.records += 1;
        let Ok(record) = serde_json::from_str::<Value>(text) else {
            return self.found.records.add(format!("line {at}, stream {name}: it is not JSON to the letter"));
        };
        let error = stream.validator.as_ref().and_then(|validator| validator.iter_errors(&record).next());
        if let Some(error) = error {
            // No deeper: below it names may be data.
            let property = error.instance_path().to_string();
            let property = property.split('/').nth(1).unwrap_or("the record").to_owned();
            let keyword = error.kind().keyword();
            self.found
                .records
                .add(format!("line {at}, stream {name}: `{property}` breaks `{keyword}` of its schema"));
        }
        if let Some(missing) = stream.keys.missing(&record) {
            self.found
                .keys
                .add(format!("line {at}, stream {name}: key property `{missing}` is absent or null"));
        } else if stream.keys.is_repeated(&record) {
            self.found.unique_keys.add(format!("line {at}, stream {name}: its key came before"));
        }
        stream.replicate(&record, self.floors.get(name));
    }

    fn state(&mut self, state: State) {
        self.since_state = 0;
        for stream in self.streams.values_mut() {
            stream.covered = (stream.records, stream.greatest.clone());
        }
        if !state.as_str().starts_with('{') {
            self.found.state.add(format!("line {}: the STATE is no object", self.lines));
        }
        self.state = Some(state);
    }

    /// What the run is judged by.
    pub(super) fn checks(&self, heard: &Heard) -> Vec<Check> {
        let found = &self.found;
        let records = self.records();
        let no_record = |rule: &crate::report::Rule, check: Check| {
            if records == 0 { rule.skipped("no record came") } else { check }
        };
        let keyed = self.streams.iter().filter(|(_, stream)| stream.keys.is_keyed()).count();
        let no_key = |rule: &crate::report::Rule, check: Check| {
            if keyed == 0 { rule.skipped("no stream has a key") } else { no_record(rule, check) }
        };
        let lines = self.lines;
        vec![
            rules::MESSAGES.judged(&found.messages, format!("each of {lines} lines is a message")),
            rules::MESSAGE_TYPES.judged(&found.message_types, "every type is one of Singer's"),
            rules::SCHEMA_FIRST.judged(&found.schema_first, "every stream's SCHEMA comes before its records"),
            self.selection(),
            no_record(
                &rules::RECORDS,
                rules::RECORDS.judged(&found.records, format!("{records} records are as their schemas say")),
            ),
            no_key(
                &rules::KEYS,
                rules::KEYS.judged(&found.keys, format!("each record of {keyed} streams has its key")),
            ),
            no_key(&rules::UNIQUE_KEYS, rules::UNIQUE_KEYS.judged(&found.unique_keys, "no key came twice")),
            self.states(*heard),
            self.last_states(*heard),
        ]
    }

    fn selection(&self) -> Check {
        let entries = self.catalog.iter().flat_map(|catalog| &catalog.streams);
        if entries.clone().all(CatalogStream::is_selected) {
            return rules::SELECTION
                .skipped("every stream is selected: see with --select whether others stay away");
        }
        rules::SELECTION.judged(&self.found.selection, "only selected streams came")
    }

    fn states(&self, heard: Heard) -> Check {
        let Some(state) = &self.state else {
            if !heard.to_the_end() {
                return rules::STATE.skipped(format!("no STATE came before {}", heard.reason()));
            }
            return rules::STATE
                .failed("no STATE came: every run begins anew, and nothing is committed before its end");
        };
        let value: Value = serde_json::from_str(state.as_str()).unwrap_or_default();
        if self.found.state.is_empty() && !value["bookmarks"].is_object() {
            return rules::STATE.failed("the last STATE has no object `bookmarks`");
        }
        rules::STATE.judged(&self.found.state, "each is an object, the last with `bookmarks`")
    }

    fn last_states(&self, heard: Heard) -> Check {
        match self.since_state {
            _ if self.state.is_none() => rules::LAST_STATE.skipped("no STATE came"),
            _ if !heard.to_the_end() => rules::LAST_STATE.skipped(heard.reason()),
            0 => rules::LAST_STATE.ok("no record comes after the last STATE"),
            count => rules::LAST_STATE.failed(format!("records after the last STATE: {count}")),
        }
    }
}

impl Stream {
    fn replicate(&mut self, record: &Value, floor: Option<&Value>) {
        let value = self.replication_key.as_ref().and_then(|key| record.get(key));
        let Some(value) = value.filter(|value| !value.is_null()) else { return };
        if floor.is_some_and(|floor| is_less(value, floor)) {
            self.below += 1;
        }
        if self.greatest.as_ref().is_none_or(|greatest| is_less(greatest, value)) {
            self.greatest = Some(value.clone());
        }
    }
}

/// By number or by text; values of other kinds have no order.
fn is_less(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => match (one.as_i64(), other.as_i64()) {
            (Some(one), Some(other)) => one < other,
            _ => one.as_f64() < other.as_f64(),
        },
        (Value::String(one), Value::String(other)) => one < other,
        _ => false,
    }
}

/// The schema of a SCHEMA message, as text.
fn schema_text(line: &str) -> String {
    let message: singer::Json = singer::Json::parse(line).unwrap_or(singer::Json::Null);
    message.get("schema").map(ToString::to_string).unwrap_or_default()
}
