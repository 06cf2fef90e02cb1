use std::time::Duration;

use crate::settings::{parse_duration, parse_size};
use crate::yaml::{Map, Node};

const MIB: u64 = 1 << 20;

/// What a run may take, in time and bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The longest that a run may take; `None` is no limit.
    pub timeout: Option<Duration>,
    /// The longest that the tap may be silent.
    pub idle_timeout: Duration,
    /// From asking the tap to stop to ending it.
    pub grace: Duration,
    /// The longest line of a tap, in bytes.
    pub line_bytes: u64,
    /// How much is handed to the target at once, in bytes.
    pub batch_bytes: u64,
    /// A commit at the first STATE after this.
    pub checkpoint_every: Duration,
    /// A commit at the first STATE after this many bytes.
    pub checkpoint_bytes: u64,
    /// The most that may wait for a STATE, in bytes.
    pub max_staged: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeout: None,
            idle_timeout: Duration::from_hours(1),
            grace: Duration::from_secs(30),
            line_bytes: 64 * MIB,
            batch_bytes: 32 * MIB,
            checkpoint_every: Duration::from_secs(5),
            checkpoint_bytes: 64 * MIB,
            max_staged: 20 * 1024 * MIB,
        }
    }
}

impl Limits {
    /// Reads a checked `limits:`.
    pub(super) fn extract(limits: Option<&Map>) -> Self {
        let text = |key: &str| limits?.get(key).map(|entry| &entry.node).and_then(Node::as_text);
        let duration = |key: &str| text(key).and_then(parse_duration);
        let size = |key: &str| text(key).and_then(parse_size);
        let built_in = Self::default();
        Self {
            timeout: duration("timeout"),
            idle_timeout: duration("idle_timeout").unwrap_or(built_in.idle_timeout),
            grace: duration("grace").unwrap_or(built_in.grace),
            line_bytes: size("line_bytes").unwrap_or(built_in.line_bytes),
            batch_bytes: size("batch_bytes").unwrap_or(built_in.batch_bytes),
            checkpoint_every: duration("checkpoint_every").unwrap_or(built_in.checkpoint_every),
            checkpoint_bytes: size("checkpoint_bytes").unwrap_or(built_in.checkpoint_bytes),
            max_staged: size("max_staged").unwrap_or(built_in.max_staged),
        }
    }
}

/// The built-in limits as they would be written, for listings.
pub(super) const BUILT_IN: [(&str, &str); 7] = [
    ("idle_timeout", "1h"),
    ("grace", "30s"),
    ("line_bytes", "64MiB"),
    ("batch_bytes", "32MiB"),
    ("checkpoint_every", "5s"),
    ("checkpoint_bytes", "64MiB"),
    ("max_staged", "20GiB"),
];
