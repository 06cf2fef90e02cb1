//! The project's files: `tapster.yml` and `pipelines/*.yml`, interpolation, secrets, JSON Schema for editors.
//!
//! Owns the file format: its grammar, its errors with place and caret, how the layers merge, what a pattern
//! matches, and what a secret is. Must not know how a run works.
//! The one entry point is [`Project::discover`].

mod interpolation;
mod pattern;
mod pipeline;
mod place;
mod problem;
mod project;
mod schedule;
mod secrets;
mod selection;
mod settings;
mod streams;
mod yaml;

pub use pattern::Pattern;
pub use pipeline::{
    CatalogFrom, JsonText, Limits, ListedValue, Listing, Package, Pipeline, Program, ProgramBlock, Protocol,
};
pub use place::Place;
pub use problem::{ConfigError, Problem, did_you_mean};
pub use project::Project;
pub use secrets::{MASK, Secrets};
pub use selection::{ColumnDecision, DecidedBy, SelectedStream, SelectionReport, Warning};
pub use settings::parse_duration;
pub use settings::schema;
pub use streams::{
    Abilities, ColumnRules, Deletes, LoadMethod, OnBadValue, ReplicationMethod, Selected, StreamDecision,
    StreamRules, StreamSettings, Understood, Values,
};
