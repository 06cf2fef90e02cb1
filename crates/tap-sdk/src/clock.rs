//! The time, in the two forms that messages carry it.

use chrono::{SecondsFormat, Utc};

/// Now in RFC 3339 with microseconds, in UTC: a record's `time_extracted`.
#[must_use]
pub fn time_extracted_now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Now in milliseconds since 1970: a new table version, greater than any before it.
#[must_use]
pub fn version_now() -> i64 {
    Utc::now().timestamp_millis()
}
