//! The keys of one stream's records.

use std::collections::HashSet;

use serde_json::Value;

/// What a stream's key is, and which came.
#[derive(Default)]
pub(super) struct StreamKeys {
    properties: Vec<String>,
    /// A log tells each change of a record.
    may_repeat: bool,
    seen: HashSet<String>,
}

impl StreamKeys {
    /// Takes the key of a SCHEMA; another key than before begins anew.
    pub(super) fn follow(&mut self, properties: Vec<String>, may_repeat: bool) {
        if properties != self.properties {
            self.seen.clear();
        }
        (self.properties, self.may_repeat) = (properties, may_repeat);
    }

    pub(super) fn is_keyed(&self) -> bool {
        !self.properties.is_empty()
    }

    /// The first key property that a record lacks.
    pub(super) fn missing(&self, record: &Value) -> Option<&str> {
        let is_missing = |name: &&String| record.get(name.as_str()).is_none_or(Value::is_null);
        self.properties.iter().find(is_missing).map(String::as_str)
    }

    /// Whether the record's key came before.
    pub(super) fn is_repeated(&mut self, record: &Value) -> bool {
        if self.properties.is_empty() || self.may_repeat {
            return false;
        }
        let key: Vec<&Value> = self.properties.iter().filter_map(|name| record.get(name)).collect();
        serde_json::to_string(&key).is_ok_and(|key| !self.seen.insert(key))
    }
}
