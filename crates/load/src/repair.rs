//! A line as it stands, or as it was meant.

use singer::{MessageError, repaired};

use crate::DecodeError;

/// Reads a line as it stands, and where that is not JSON, as it was meant.
///
/// # Errors
/// It is not UTF-8, and whatever `read` says of the line as it stands, or as it was mended.
pub(crate) fn read_line<T>(
    line: u64,
    bytes: &[u8],
    mut read: impl FnMut(&str) -> Result<T, DecodeError>,
) -> Result<T, DecodeError> {
    let text = simdutf8::compat::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        DecodeError::NotUtf8 { line, column: at + 1, byte: bytes.get(at).copied().unwrap_or_default() }
    })?;
    match read(text) {
        Err(DecodeError::Message { source: MessageError::NotJson { .. }, .. })
            if let Some(text) = repaired(text) =>
        {
            read(&text)
        }
        done => done,
    }
}
