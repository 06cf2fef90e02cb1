use indexmap::IndexMap;
use singer::Json;

use crate::place::Place;

/// A value of a file.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) place: Place,
}

/// What it is. Scalars are decided by YAML 1.2's core schema, numbers narrowed to what JSON can say.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// With the digits of the file.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Map),
}

/// A map in the order of the file.
pub(crate) type Map = IndexMap<String, Entry>;

/// A value with the place of its key.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: Place,
    pub(crate) node: Node,
}

impl Node {
    pub(crate) fn as_text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    pub(crate) fn as_bool(&self) -> Option<bool> {
        if let Value::Bool(value) = self.value { Some(value) } else { None }
    }

    pub(crate) fn as_list(&self) -> Option<&[Node]> {
        if let Value::List(items) = &self.value { Some(items) } else { None }
    }

    pub(crate) fn as_map(&self) -> Option<&Map> {
        if let Value::Map(map) = &self.value { Some(map) } else { None }
    }

    /// The value of a key of a map.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.get(key).map(|entry| &entry.node)
    }

    /// What was found, for an error text. Text in `config` may be a secret: use it for our own settings alone.
    pub(crate) fn found(&self) -> String {
        match &self.value {
            Value::Null => "nothing".to_owned(),
            Value::Bool(value) => format!("the boolean {value}"),
            Value::Number(digits) => format!("the number {digits}"),
            Value::Text(text) => {
                let short: String = text.chars().take(60).collect();
                let more = if short.len() < text.len() { "…" } else { "" };
                format!("`{}{more}`", short.escape_debug())
            }
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a map".to_owned(),
        }
    }

    /// The same as JSON, digits and order kept.
    pub(crate) fn to_json(&self) -> Json {
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Number(digits) => Json::Number(digits.clone()),
            Value::Text(text) => Json::String(text.clone()),
            Value::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Value::Map(map) => {
                Json::Object(map.iter().map(|(key, entry)| (key.clone(), entry.node.to_json())).collect())
            }
        }
    }

    /// How many nodes it is made of; stops counting above `most`.
    pub(crate) fn count(&self, most: usize) -> usize {
        self.children()
            .fold(1, |count, child| if count > most { count } else { count + child.count(most - count) })
    }

    /// How many levels it has: 1 for a scalar.
    pub(crate) fn height(&self) -> usize {
        1 + self.children().map(Self::height).max().unwrap_or(0)
    }

    fn children(&self) -> Box<dyn Iterator<Item = &Self> + '_> {
        match &self.value {
            Value::List(items) => Box::new(items.iter()),
            Value::Map(map) => Box::new(map.values().map(|entry| &entry.node)),
            _ => Box::new(std::iter::empty()),
        }
    }
}
