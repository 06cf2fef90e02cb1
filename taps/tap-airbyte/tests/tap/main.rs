//! tap-airbyte as a program, before a source that says what each test has it say.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod discovery;
mod ends;
mod reading;
mod scene;
