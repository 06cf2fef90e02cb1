//! What is remembered between runs: the ledger of runs, a copy of every STATE with its history,
//! and the lock that keeps a pipeline from running twice at once.
//!
//! Owns the folder `.tapster/` of a project. The truth of a pipeline's STATE is in its target
//! (`_tapster_state`, committed with the records); what is kept here is a copy for people. A target that is a program
//! of its own keeps none: its pipelines' STATE is kept here, in `kept_states`.
//! Must not know how a run works, what a STATE means, or any target.
//!
//! The one entry point is [`Store::open`]. All calls are synchronous and short: from async code call
//! them where blocking is allowed.

mod error;
mod folder;
mod kept;
mod kept_states;
mod ledger;
mod lock;
mod lost;
mod migrations;
mod open;
mod pipeline_name;
mod raw_json;
mod run;
mod run_filter;
mod run_id;
mod states;
mod time;

pub use error::{Result, StoreError};
pub use folder::RunFolder;
pub use kept::{Kept, KeptText};
pub use kept_states::KeptState;
pub use lock::{LockHolder, PipelineLock};
pub use open::Store;
pub use pipeline_name::PipelineName;
pub use run::{NewRun, Run, RunEnd, RunFailure, RunStatus, StreamFigures};
pub use run_filter::RunFilter;
pub use run_id::RunId;
pub use states::{NewState, StateCause, StateEntry};
