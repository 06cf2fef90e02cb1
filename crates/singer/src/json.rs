//! A JSON value that keeps the order of properties and the digits of numbers.

use std::fmt;

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;

/// A JSON document for the rare, small things: schemas and catalogs. Never used for records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as it was written.
    Number(String),
    /// A string, unescaped.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// An object in the order of its text; the last of two equal names wins.
    Object(IndexMap<String, Json>),
}

impl Json {
    /// Reads a document.
    ///
    /// # Errors
    /// When the text is not JSON.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        match text.trim_start().as_bytes().first() {
            Some(b'{') => {
                let members: IndexMap<String, &RawValue> = serde_json::from_str(text)?;
                let members = members.into_iter().map(|(name, raw)| Ok((name, Self::parse(raw.get())?)));
                members.collect::<Result<_, _>>().map(Self::Object)
            }
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(text)?;
                items.into_iter().map(|raw| Self::parse(raw.get())).collect::<Result<_, _>>().map(Self::Array)
            }
            Some(b'"') => serde_json::from_str(text).map(Self::String),
            Some(b't' | b'f') => serde_json::from_str(text).map(Self::Bool),
            Some(b'n') => serde_json::from_str::<()>(text).map(|()| Self::Null),
            _ => serde_json::from_str::<&RawValue>(text).map(|raw| Self::Number(raw.get().to_owned())),
        }
    }

    /// The property of an object.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.as_object()?.get(name)
    }

    /// The members, when it is an object.
    pub fn as_object(&self) -> Option<&IndexMap<String, Self>> {
        if let Self::Object(members) = self { Some(members) } else { None }
    }

    /// The items, when it is an array.
    pub fn as_array(&self) -> Option<&[Self]> {
        if let Self::Array(items) = self { Some(items) } else { None }
    }

    /// The text, when it is a string.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// The digits, when it is a number.
    pub fn as_number(&self) -> Option<&str> {
        if let Self::Number(text) = self { Some(text) } else { None }
    }

    /// What kind of value it is, for an error text.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::parse(raw.get()).map_err(de::Error::custom)
    }
}

impl serde::Serialize for Json {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(text) => {
                RawValue::from_string(text.clone()).map_err(serde::ser::Error::custom)?.serialize(serializer)
            }
            Self::String(text) => serializer.serialize_str(text),
            Self::Array(items) => serializer.collect_seq(items),
            Self::Object(members) => serializer.collect_map(members),
        }
    }
}

/// Compact JSON text, with the digits as they were.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use super::Json;

    #[test]
    fn digits_and_order_survive() {
        let text = r#"{"z":12345678901234567890123,"a":[1.10,1e-38,true,null,"é\n"],"m":{}}"#;
        assert_eq!(serde_json::to_string(&Json::parse(text).unwrap()).unwrap(), text);
        assert!(Json::parse("{\"a\": NaN}").is_err());
    }
}
