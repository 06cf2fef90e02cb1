//! Whether the source reaches what it reads from, with its config.

use std::path::Path;

use serde::Deserialize;
use tap_sdk::TapError;

use crate::message::Kind;
use crate::source::Source;

#[derive(Deserialize)]
struct Connection {
    status: String,
    message: Option<String>,
}

/// Asks the source. Its exit code says nothing: a check that failed exits 0.
///
/// # Errors
/// It does not, or gives no answer.
pub(crate) fn check(source: &Source, config: &Path) -> Result<(), TapError> {
    let (found, exit) = source.ask("check", Kind::ConnectionStatus, Some(config))?;
    let connection = found.and_then(|payload| serde_json::from_str::<Connection>(&payload).ok());
    let Some(Connection { status, message }) = connection else {
        return Err(TapError::failed(format!("the source's `check` gave no answer: {exit}"))
            .with_hint("the lines above are its own"));
    };
    if status == "SUCCEEDED" {
        return Ok(());
    }
    let said = message.map(|message| format!(": {}", source.redact(&message))).unwrap_or_default();
    Err(TapError::config(format!("the source's `check` failed{said}"))
        .with_hint("it is for you to change: the config, or the rights of its credentials"))
}
