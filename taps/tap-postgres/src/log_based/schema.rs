//! The SCHEMA of a stream of changes.

use singer::Json;
use tap_sdk::TapError;

use crate::discover;
use crate::relation::TableColumn;

/// That of its records, with what says when a row was deleted, and that what a record lacks stays as it is.
pub(crate) fn schema(id: &str, columns: &[TableColumn], keys: &[String]) -> Result<Json, TapError> {
    let text = discover::schema(id, columns, keys)?.to_string();
    let separator = if columns.is_empty() { "" } else { "," };
    // The properties are its last member.
    let whole = text.strip_suffix("}}").map(|open| {
        format!(r#"{open}{separator}"_sdc_deleted_at":{{"type":["null","string"],"format":"date-time"}}}},"x-tapster-absent":"keep"}}"#)
    });
    whole.and_then(|whole| Json::parse(&whole).ok()).ok_or_else(|| {
        TapError::failed(format!("{id}: the schema cannot be written"))
            .with_hint("this is a fault of tap-postgres: please report it")
    })
}
