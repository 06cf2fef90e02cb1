//! Serialises JSON text as the JSON that it is, with its own digits; text that is no JSON as a string.

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

#[expect(clippy::ref_option, reason = "the signature that serde calls")]
pub(crate) fn serialize<S: Serializer>(text: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    match text {
        None => serializer.serialize_none(),
        Some(text) => match serde_json::from_str::<&RawValue>(text) {
            Ok(json) => json.serialize(serializer),
            Err(_) => serializer.serialize_str(text),
        },
    }
}
