//! The target against real servers.

mod conformance;
mod epochs;
mod support;
