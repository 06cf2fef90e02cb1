//! A run against taps that end in every way there is, with a memory warehouse behind it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod continuous;
mod ends;
mod harness;
mod leftovers;
mod retries;
