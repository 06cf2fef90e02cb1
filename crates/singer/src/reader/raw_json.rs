//! A value as its text.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Visitor};
use serde_json::value::RawValue;

/// What a value that wants its own text asks a deserializer for.
pub(super) const RAW_JSON: &str = "$singer::RawJson";

/// One JSON value as its text, borrowed from the line: no digit and no escape is lost. Can be read from a record's
/// deserializer and from `serde_json`'s over a `&str`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawJson<'a>(&'a str);

impl<'a> RawJson<'a> {
    /// The JSON text, without blanks around it.
    #[must_use]
    pub fn get(self) -> &'a str {
        self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for RawJson<'a> {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(RAW_JSON, RawJsonVisitor)
    }
}

struct RawJsonVisitor;

impl<'de> Visitor<'de> for RawJsonVisitor {
    type Value = RawJson<'de>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a JSON value that can be borrowed")
    }

    #[inline]
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<RawJson<'de>, E> {
        Ok(RawJson(text))
    }

    /// Any other deserializer than ours comes here.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<RawJson<'de>, D::Error> {
        <&RawValue>::deserialize(deserializer).map(|raw| RawJson(raw.get()))
    }
}
