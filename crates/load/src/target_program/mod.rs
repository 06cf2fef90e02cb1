//! What makes a target's crate a program of its own: the command line of Singer targets, settings, signals, the STATE
//! on stdout. The loading is that of a run.

mod about;
mod arguments;
mod config;
mod error;
mod input;
mod log;
mod program;
mod settings;
mod state_lines;
mod values;

pub use about::TargetProgram;
pub use config::config_schema;
pub use error::ProgramError;
pub use program::target_main;
pub use settings::LoadSettings;
