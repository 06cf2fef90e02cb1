use std::fmt;

use singer::Json;

/// A JSON document as text, the digits of its numbers as they stood in the file. It may hold secrets: it is shown
/// nowhere, and `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct JsonText(String);

impl JsonText {
    pub(crate) fn new(json: &Json) -> Result<Self, serde_json::Error> {
        serde_json::to_string(json).map(Self)
    }

    /// The text, for the program that it is meant for.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for JsonText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "JsonText({} bytes)", self.0.len())
    }
}
