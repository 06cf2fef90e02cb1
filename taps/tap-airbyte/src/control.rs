//! CONTROL: a source that gives itself a new config, mostly because a token can be used once. The old one is worth
//! nothing any more, so the new one replaces it at once.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;
use tap_sdk::{TapError, log};

#[derive(Deserialize)]
struct Control<'a> {
    #[serde(borrow, rename = "connectorConfig")]
    connector_config: Option<ConnectorConfig<'a>>,
}

#[derive(Deserialize)]
struct ConnectorConfig<'a> {
    #[serde(borrow)]
    config: &'a RawValue,
}

/// Writes the new config over the file, and gives its text. Control of another kind is passed over.
///
/// # Errors
/// The file cannot be written: the next run could not log in.
pub(crate) fn obey<'a>(payload: &'a str, file: &Path) -> Result<Option<&'a str>, TapError> {
    let control: Control = serde_json::from_str(payload)
        .map_err(|_| TapError::failed("the source sent a CONTROL without a config in it"))?;
    let Some(config) = control.connector_config.map(|control| control.config.get()) else { return Ok(None) };
    replace(file, config).map_err(|error| {
        TapError::failed(format!(
            "the source gave itself a new config, which cannot be written to {}: {error}",
            file.display()
        ))
    })?;
    log::info("the source gave itself a new config, which has replaced the old one");
    Ok(Some(config))
}

/// Whole or not at all, on the disk when this returns, and readable by nobody else.
fn replace(file: &Path, text: &str) -> std::io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(text.as_bytes())?;
    new.as_file().sync_all()?;
    new.persist(file).map_err(|error| error.error)?;
    fs::File::open(folder)?.sync_all()
}
