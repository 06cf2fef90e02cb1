//! The conformance suite that every target passes, and what tests of targets need.
//!
//! Owns the checks of the contract, a memory target whose defects can be switched on, a target that fails on
//! order, throw-away PostgreSQL clusters and a proxy that loses replies. Must not know concrete targets.
//! Entry point: [`conformance::run`]. For tests alone: what goes wrong here panics.
#![expect(clippy::missing_panics_doc, reason = "panicking is how a test fails")]

pub mod cells;
pub mod conformance;
pub mod faulty;
pub mod memory;
pub mod postgres;
pub mod proxy;
