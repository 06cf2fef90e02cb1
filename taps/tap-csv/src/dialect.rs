//! The marks that a file is made of.

/// Delimiter, quote and the longest record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// Between fields.
    pub(crate) delimiter: u8,
    /// Around fields; `None`: quotes are text like any other.
    pub(crate) quote: Option<u8>,
    /// Bytes of the longest record that is read.
    pub(crate) max_record_bytes: usize,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { delimiter: b',', quote: Some(b'"'), max_record_bytes: 64 << 20 }
    }
}
