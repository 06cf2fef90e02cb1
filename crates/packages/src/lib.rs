//! Python packages that a project names, installed for it: environments under `.tapster/environments/`, and what
//! exactly is in them in `tapster.lock`.
//!
//! Owns the managed environments and the lock file. Must not know how a run works, pipelines, or what the programs
//! of a package do.
//! The one entry point is [`Packages::new`].

mod diagnosis;
mod environment;
mod error;
mod installer;
mod interpreter;
mod lock_file;
mod locked;
mod packages;
mod pip;
mod requirement;
mod scripts;
mod uv;

pub use environment::Environment;
pub use error::{InstallerSaid, PackagesError, Result};
pub use packages::{Mode, Packages};
pub use requirement::{Wanted, known_as};
