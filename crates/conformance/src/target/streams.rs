//! The streams that a target is fed: a choice of the golden ones, which tapster's own targets are tested with.

use super::rules;
use crate::report::Rule;

/// As a tap from `PyPI` said it.
pub(super) const CLEAN: &str = include_str!("../../../../tests/streams/recorded-tap-jsonl.singer");
/// Two streams, and a STATE after each pair of records.
pub(super) const ALTERNATING: &str =
    include_str!("../../../../tests/streams/state-between-records-of-another-stream.singer");
/// Numbers in a STATE that no double holds.
pub(super) const DIGITS: &str = include_str!("../../../../tests/streams/state-keeps-every-digit.singer");
/// CRLF, blank lines and a line of blanks.
pub(super) const BLANK_LINES: &str =
    include_str!("../../../../tests/streams/framing-crlf-and-blank-lines.singer");
/// Messages of another type between the known ones.
pub(super) const UNKNOWN: &str =
    include_str!("../../../../tests/streams/framing-unknown-message-type.singer");

/// What must be refused, each by its check.
pub(super) const REFUSED: [(&Rule, &str); 4] = [
    (&rules::HALF_LINE, include_str!("../../../../tests/streams/framing-half-a-line.singer")),
    (&rules::NOT_JSON, include_str!("../../../../tests/streams/framing-print-on-stdout.singer")),
    (&rules::RECORD_BEFORE_SCHEMA, include_str!("../../../../tests/streams/record-before-schema.singer")),
    (&rules::MISSING_KEY, include_str!("../../../../tests/streams/key-value-missing.singer")),
];
