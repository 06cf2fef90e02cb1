//! What a Rust tap needs.
