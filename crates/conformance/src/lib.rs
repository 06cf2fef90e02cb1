//! What a tap and a target owe to whoever runs them, checked from outside: over their processes and messages alone.
//!
//! Owns the checks, why each matters, and the streams that a target is fed. Must not know pipelines, tapster's own
//! runs, or any concrete tap or target.
//! Entry points: [`test_tap`] and [`test_target`]. Dropping either's future ends every process that it started.

mod ended;
mod error;
mod process;
mod program;
mod report;
mod tap;
mod target;

pub use error::ConformanceError;
pub use program::{Limits, Program};
pub use report::{Check, Report, Verdict};
pub use tap::{TapTest, test_tap};
pub use target::test_target;
