//! One run of one pipeline.
//!
//! Owns the tap's process, its supervision, and what is reported and kept of a run. Must not know SQL, the command
//! line, colours, or any concrete target.
//! Entry point: [`run`]. A binary that uses it must hand its hidden `__guard` arguments to [`guard`].

mod capture;
mod committed_file;
mod config;
mod discover;
mod error;
mod error_log;
mod event;
mod guard;
mod guarded;
mod invoke;
mod plan;
mod private_folder;
mod process;
mod program;
mod relay;
mod run;
mod supervise;
mod time_spent;

pub use config::{KeepConfig, ProgramConfig};
pub use discover::{Discovered, check, discover, tap_flags};
pub use error::{ProgramFailure, RunError, Side, TapFailure, TargetFailure};
pub use event::{Observer, RunEvent, RunSummary, StreamSummary};
pub use guard::guard;
pub use guarded::guarded;
pub use invoke::invoke;
pub use plan::{
    Attempts, CommitEdit, MakeTarget, ProgramCommand, RunLimits, RunPlan, Shutdown, StartEdit, StopSignal,
};
pub use private_folder::sweep;
pub use program::find_program;
pub use run::run;
pub use time_spent::{Bottleneck, TimeSpent};
