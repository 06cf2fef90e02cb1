//! The conformance suite that every target passes.
