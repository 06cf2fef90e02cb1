//! Each check on a double of which exactly that check is not true.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod harness;
mod taps;
mod targets;
