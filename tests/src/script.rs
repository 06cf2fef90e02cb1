//! The hostile tap's script, and the oracle that says what must be in the tables after it.
//!
//! Record `i` of 1.. follows from seed and number alone: odd ones go to the keyed stream `items`, even ones to the
//! keyless stream `events`. After every `state_every` records comes a STATE that names the last one, and a tap that
//! is given it goes on behind it, exactly.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What the tap does. It is the tap's config.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// Decides all values.
    pub seed: u64,
    /// Number of records.
    pub records: u64,
    /// A STATE comes after every so many; after none with 0.
    pub state_every: u64,
    /// How many different keys there are.
    pub keys: u64,
    /// What else it does, each just before the record of that number. What lies at or before the STATE that it is
    /// given is not done; what lies behind the last record comes at the end.
    #[serde(default)]
    pub acts: Vec<(u64, Act)>,
}

/// Something that taps do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Exits with this code.
    Exit(i32),
    /// Sends itself this signal.
    Signal(i32),
    /// Writes this text to stdout, without a newline.
    Say(String),
    /// Writes these bytes to stdout.
    Bytes(Vec<u8>),
    /// Writes this many bytes of noise to stderr, some of it not UTF-8.
    Flood(u64),
    /// Closes stdout and writes no more.
    CloseStdout,
    /// From now on SIGTERM does nothing.
    IgnoreSigterm,
    /// Starts a process that starts one, and so on, this deep; the last in a session of its own. They stay.
    Fork(u32),
    /// Writes a record of `items` whose text has this many bytes.
    BigRecord(u64),
    /// Stays for ever, silently.
    Sleep,
    /// Waits until somebody opens this named pipe to write and closes it.
    WaitFor(String),
    /// Sends another SCHEMA of `items`: from now on with the column `extra`, and `amount` with a fraction.
    Widen,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptRecord {
    /// `items` or `events`.
    pub stream: &'static str,
    /// The key, of `items`.
    pub id: u64,
    /// Its number.
    pub n: u64,
    /// Some text.
    pub text: Option<String>,
    /// A number, as text.
    pub amount: String,
    /// A column that comes later.
    pub extra: Option<String>,
}

impl Script {
    /// A script without acts: a STATE after every 20 records.
    #[must_use]
    pub fn plain(seed: u64, records: u64) -> Self {
        Self { seed, records, state_every: 20, keys: 500, acts: Vec::new() }
    }

    /// The same with an act.
    #[must_use]
    pub fn act(mut self, at: u64, act: Act) -> Self {
        self.acts.push((at, act));
        self
    }

    /// Where the records widen, if they do.
    fn widens_at(&self) -> u64 {
        self.acts.iter().find(|(_, act)| *act == Act::Widen).map_or(u64::MAX, |(at, _)| *at)
    }

    /// Whether the record of this number has the wider form.
    #[must_use]
    pub fn is_wide(&self, n: u64) -> bool {
        n >= self.widens_at()
    }

    /// The record of this number.
    #[must_use]
    pub fn record(&self, n: u64) -> ScriptRecord {
        const TEXTS: [&str; 6] = ["", "plain", "naïve café", "日本 😀", "tab\there", "quote \" and \\"];
        let random = mix(self.seed ^ mix(n));
        let text =
            TEXTS.get(usize::try_from(random % 7).unwrap_or(0)).map(|text| format!("{text}{}", random % 10));
        let whole = (random >> 8) % 1_000_000;
        let wide = self.is_wide(n);
        ScriptRecord {
            stream: if n % 2 == 1 { "items" } else { "events" },
            id: (random >> 32) % self.keys.max(1),
            n,
            text,
            amount: if wide { format!("{whole}.{}", 1 + random % 9) } else { whole.to_string() },
            extra: wide.then(|| format!("extra {}", random % 100)),
        }
    }

    /// The SCHEMA messages, in the wider form or not.
    #[must_use]
    pub fn schemas(wide: bool) -> [Value; 2] {
        let amount = if wide { "number" } else { "integer" };
        let mut items = json!({
            "id": { "type": "integer" },
            "n": { "type": ["null", "integer"] },
            "text": { "type": ["null", "string"] },
            "amount": { "type": ["null", amount] },
        });
        if wide {
            items["extra"] = json!({ "type": ["null", "string"] });
        }
        let events = json!({ "n": { "type": "integer" }, "text": { "type": ["null", "string"] } });
        let schema = |stream: &str, properties: Value, key: Value| {
            json!({
                "type": "SCHEMA",
                "stream": stream,
                "schema": { "type": "object", "properties": properties },
                "key_properties": key,
            })
        };
        [schema("items", items, json!(["id"])), schema("events", events, json!([]))]
    }

    /// What must be in the tables when the records up to this number are committed.
    #[must_use]
    pub fn expected(&self, up_to: u64) -> Expected {
        let (mut items, mut events) = (BTreeMap::new(), Vec::new());
        for record in (1..=up_to).map(|n| self.record(n)) {
            if record.stream == "items" {
                items.insert(record.id, record);
            } else {
                events.push(record);
            }
        }
        Expected { items: items.into_values().collect(), events }
    }
}

/// The tables' contents: `items` by `id`, `events` by `n`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The last record of each key.
    pub items: Vec<ScriptRecord>,
    /// All records.
    pub events: Vec<ScriptRecord>,
}

impl Expected {
    /// The query that gives [`items_rows`](Self::items_rows) from a table that did not widen.
    pub const ITEMS: &str = "SELECT id, n, text, amount FROM items ORDER BY id, n";
    /// The query that gives [`events_rows`](Self::events_rows).
    pub const EVENTS: &str = "SELECT n, text FROM events ORDER BY n";

    /// The records of `items`, as text.
    #[must_use]
    pub fn items_rows(&self) -> Vec<Vec<Option<String>>> {
        let row = |record: &ScriptRecord| {
            let (id, n) = (record.id.to_string(), record.n.to_string());
            vec![Some(id), Some(n), record.text.clone(), Some(record.amount.clone())]
        };
        self.items.iter().map(row).collect()
    }

    /// The records of `events`, as text.
    #[must_use]
    pub fn events_rows(&self) -> Vec<Vec<Option<String>>> {
        self.events.iter().map(|record| vec![Some(record.n.to_string()), record.text.clone()]).collect()
    }
}

/// The message of a record.
impl ScriptRecord {
    /// As its line has it.
    #[must_use]
    pub fn message(&self) -> String {
        let text = serde_json::to_string(&self.text).expect("text is JSON");
        let (stream, n, amount) = (self.stream, self.n, &self.amount);
        let extra = self.extra.as_ref().map_or_else(String::new, |extra| format!(",\"extra\":\"{extra}\""));
        let record = match self.stream {
            "items" => format!("{{\"id\":{},\"n\":{n},\"text\":{text},\"amount\":{amount}{extra}}}", self.id),
            _ => format!("{{\"n\":{n},\"text\":{text}}}"),
        };
        format!("{{\"type\":\"RECORD\",\"stream\":\"{stream}\",\"record\":{record}}}\n")
    }
}

/// Random bits of a number (splitmix64).
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::{Act, Script};

    #[test]
    fn the_last_record_of_a_key_and_all_without_key_are_expected() {
        let script = Script { keys: 3, ..Script::plain(1, 100) };
        let expected = script.expected(100);
        assert_eq!((expected.items.len(), expected.events.len()), (3, 50));
        let last = (1..=100).rev().map(|n| script.record(n)).find(|r| r.stream == "items").unwrap();
        assert!(expected.items.contains(&last));
    }

    #[test]
    fn a_record_follows_from_its_number_alone() {
        let script = Script::plain(7, 10).act(5, Act::Widen);
        assert_eq!(script.record(9), script.record(9));
        assert!(script.record(5).extra.is_some() && script.record(4).extra.is_none());
        assert_ne!(Script::plain(8, 10).record(9).id, Script::plain(9, 10).record(9).id);
    }
}
