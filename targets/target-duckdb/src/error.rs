//! What can go wrong at a DuckDB file, each with its code. DuckDB's own words are passed on only where they cannot
//! hold a record's value.

use target_api::TargetError;

pub(crate) const CONFIG: &str = "E0350";
pub(crate) const PLACE: &str = "E0351";
pub(crate) const LOCKED: &str = "E0352";
pub(crate) const BROKEN_LOG: &str = "E0353";
pub(crate) const OPEN: &str = "E0354";
pub(crate) const ROOM: &str = "E0362";
pub(crate) const STATEMENT: &str = "E0363";
pub(crate) const ORDER: &str = "E0364";

/// Classes of DuckDB's errors whose text quotes what was being converted or compared.
const QUOTING: [&str; 6] = [
    "Conversion Error",
    "Constraint Error",
    "Out of Range Error",
    "Invalid Input Error",
    "Mismatch Type Error",
    "Decimal Error",
];

/// An error of DuckDB while doing `what` ("write the batch of stream `a`").
pub(crate) fn failed(what: &str, error: &duckdb::Error) -> TargetError {
    let said = said(error);
    if said.contains("Out of Memory") {
        return TargetError::permanent(ROOM, format!("DuckDB ran out of memory: could not {what}: {said}"))
            .with_hint("raise `memory_limit` in the target's config");
    }
    if said.contains("No space left") || said.contains("max_temp_directory_size") {
        return TargetError::permanent(ROOM, format!("the disk is full: could not {what}: {said}"))
            .with_hint("free some room beside the DuckDB file, then run again: nothing was half written");
    }
    TargetError::permanent(STATEMENT, format!("DuckDB could not {what}: {said}"))
}

/// DuckDB's text, or only its class where the text could quote a record.
pub(crate) fn said(error: &duckdb::Error) -> String {
    let text = match error {
        duckdb::Error::DuckDBFailure(_, Some(text)) => text.clone(),
        other => other.to_string(),
    };
    if let Some(class) = QUOTING.iter().find(|class| text.contains(*class)) {
        return format!("{class} (its text is left out because it may quote a record)");
    }
    text.lines().next().unwrap_or_default().to_owned()
}

/// An error for calls in an order that the contract does not know: a bug of the caller.
pub(crate) fn order(message: impl Into<String>) -> TargetError {
    TargetError::permanent(ORDER, message)
}

/// One record that the warehouse refuses. `record` counts the stream's records of this run from 1.
pub(crate) fn refused(stream: &columns::StreamName, record: u64, column: &str, because: &str) -> TargetError {
    target_api::refusal::record(stream, record, &format!("DuckDB refuses it: column `{column}` {because}"))
}

#[cfg(test)]
mod tests {
    use super::failed;

    #[test]
    fn values_never_reach_the_message() {
        let text = "Conversion Error: Could not convert string 'secret' to INT64\nLINE 1: 'secret'";
        let error = duckdb::Error::DuckDBFailure(duckdb::ffi::Error::new(1), Some(text.to_owned()));
        let error = failed("merge", &error);
        assert!(!error.message.contains("secret") && error.source.is_none(), "{error:?}");
        assert!(error.message.contains("Conversion Error"));
    }
}
