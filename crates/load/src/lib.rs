//! Between a tap's bytes and a target's tables.
//!
//! Owns the order of messages, cuts, backpressure and checkpoints. Must not know processes, files of state, SQL or
//! any concrete target.
//! Entry points: [`Decoder`] turns bytes into [`LoadStep`]s, [`Reader`] does so on a thread of its own, [`load`] applies them to a
//! target; [`Relay`] passes lines on to a target that is another program; [`target_main`] makes a target a program of its own.

mod batch_files;
mod cutter;
mod decoder;
mod error;
mod load_task;
mod reader;
mod relay;
mod repair;
mod rules;
mod step;
mod stream;
mod target_program;
mod time_spent;
mod validation;

pub use batch_files::{FileError, FilePlaces};
pub use decoder::{DecodeLimits, Decoder, Now, WaitingBatch};
pub use error::DecodeError;
pub use load_task::{LoadEvent, LoadFailure, LoadStart, Loaded, Rest, StateEdit, load};
pub use reader::{Clock, LastSign, ReadOutcome, Reader, Reading, Silence, TapOutput};
pub use relay::{Ends, Relay, RelayEvent};
pub use rules::{ColumnFilter, ColumnSchemas, Rules, StreamRule};
pub use step::LoadStep;
pub use target_program::{LoadSettings, ProgramError, TargetProgram, config_schema, target_main};
pub use time_spent::{LoadTime, ReadTime};
