//! Takes columns out of the text of a SCHEMA or a RECORD.

use std::cell::RefCell;
use std::collections::HashMap;

use singer::{Json, JsonReader, ReadError};

use crate::StreamRule;

/// Deepest nesting of what has parts to leave out.
const MOST_LEVELS: usize = 512;
/// Most names of columns that are remembered.
const MOST_NAMES: usize = 10_000;

/// Which columns of a stream go through: those that are not left out, and the key.
pub(super) struct Passing {
    pub(super) rule: StreamRule,
    pub(super) keys: Vec<String>,
    /// What the rule says of columns: patterns are slow, and every record has the same names.
    decided: RefCell<HashMap<String, bool>>,
}

/// Why nothing can be left out of a record.
pub(super) enum Unfit {
    NoObject,
    Deep,
}

impl Unfit {
    /// What was expected.
    pub(super) fn expected(&self) -> &'static str {
        match self {
            Self::NoObject => "an object",
            Self::Deep => "an object of at most 512 levels",
        }
    }
}

/// A value's text without what does not pass; none where all of it does.
pub(super) type Shorter = Result<Option<String>, Unfit>;

impl Passing {
    pub(super) fn new(rule: StreamRule, keys: Vec<String>) -> Self {
        Self { rule, keys, decided: RefCell::default() }
    }

    fn passes(&self, path: &[&str]) -> bool {
        let [name] = path else { return (self.rule.columns)(path) };
        let mut decided = self.decided.borrow_mut();
        if let Some(&passes) = decided.get(*name) {
            return passes;
        }
        let passes = self.keys.iter().any(|key| key == name) || (self.rule.columns)(path);
        if decided.len() < MOST_NAMES {
            decided.insert((*name).to_owned(), passes);
        }
        passes
    }

    /// Reads the record that comes next in `reader`, which reads `text`.
    ///
    /// # Errors
    /// The text is not JSON.
    pub(super) fn record(&self, text: &str, reader: &mut JsonReader<'_>) -> Result<Shorter, ReadError> {
        if !reader.open_object()? {
            return reader.skip().map(|()| Err(Unfit::NoObject));
        }
        self.object(text, reader, &[], MOST_LEVELS)
    }

    /// Takes what does not pass out of a JSON Schema; true when there was something.
    pub(super) fn schema(&self, schema: &mut Json, path: &[&str]) -> bool {
        let Json::Object(members) = schema else { return false };
        let mut changed = false;
        if let Some(properties) = members.get_mut("properties") {
            changed |= self.properties(properties, path);
        }
        if let Some(Json::Array(required)) = members.get_mut("required") {
            let before = required.len();
            required.retain(|name| name.as_str().is_none_or(|name| self.passes(&[path, &[name]].concat())));
            changed |= required.len() < before;
        }
        for part in ["items", "allOf", "anyOf", "oneOf"] {
            match members.get_mut(part) {
                Some(Json::Array(parts)) => {
                    for part in parts {
                        changed |= self.schema(part, path);
                    }
                }
                Some(part) => changed |= self.schema(part, path),
                None => {}
            }
        }
        changed
    }

    fn properties(&self, schema: &mut Json, path: &[&str]) -> bool {
        let Json::Object(properties) = schema else { return false };
        let before = properties.len();
        properties.retain(|name, _| self.passes(&[path, &[name]].concat()));
        let mut changed = properties.len() < before;
        for (name, property) in properties {
            changed |= self.schema(property, &[path, &[name]].concat());
        }
        changed
    }

    /// The items of an array have its path.
    fn value(
        &self,
        text: &str,
        reader: &mut JsonReader<'_>,
        path: &[&str],
        levels: usize,
    ) -> Result<Shorter, ReadError> {
        if !self.rule.excludes_nested {
            return reader.skip().map(|()| Ok(None));
        }
        let Some(levels) = levels.checked_sub(1) else { return reader.skip().map(|()| Err(Unfit::Deep)) };
        if reader.open_object()? {
            return self.object(text, reader, path, levels);
        }
        if !reader.open_array()? {
            return reader.skip().map(|()| Ok(None));
        }
        let mut kept = Kept::default();
        while reader.next_item()? {
            let start = reader.position();
            let value = self.value(text, reader, path, levels)?;
            kept.add("", value, trimmed(text, start, reader.position()));
        }
        Ok(kept.between('[', ']'))
    }

    fn object(
        &self,
        text: &str,
        reader: &mut JsonReader<'_>,
        path: &[&str],
        levels: usize,
    ) -> Result<Shorter, ReadError> {
        let mut kept = Kept::default();
        loop {
            let start = reader.position();
            let Some(name) = reader.next_name()? else { break };
            let path = [path, &[&*name]].concat();
            if !self.passes(&path) {
                reader.skip()?;
                kept.is_less = true;
                continue;
            }
            let name = trimmed(text, start, reader.position());
            let value = self.value(text, reader, &path, levels)?;
            kept.add(name, value, trimmed(text, start, reader.position()));
        }
        Ok(kept.between('{', '}'))
    }
}

/// What is kept of an object or array.
#[derive(Default)]
struct Kept {
    parts: Vec<String>,
    is_less: bool,
    unfit: Option<Unfit>,
}

impl Kept {
    /// Keeps an item, or a member with its name and colon, whose text is `whole`.
    fn add(&mut self, name: &str, value: Shorter, whole: &str) {
        match value {
            Ok(None) => self.parts.push(whole.to_owned()),
            Ok(Some(shorter)) => {
                self.parts.push([name, &shorter].concat());
                self.is_less = true;
            }
            Err(unfit) => self.unfit = Some(unfit),
        }
    }

    fn between(self, opening: char, closing: char) -> Shorter {
        match self.unfit {
            Some(unfit) => Err(unfit),
            None => Ok(self.is_less.then(|| format!("{opening}{}{closing}", self.parts.join(",")))),
        }
    }
}

/// A member, its name or an item, without the comma before it.
fn trimmed(text: &str, start: usize, end: usize) -> &str {
    text.get(start..end).unwrap_or_default().trim_start_matches([',', ' ', '\t'])
}
