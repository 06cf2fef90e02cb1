//! How a target that is a program fails.

use std::io;
use std::path::PathBuf;

use target_api::{Status, TargetError};
use thiserror::Error;

use crate::{DecodeError, LoadFailure};

/// Why a target ends early.
#[derive(Debug, Error)]
pub enum ProgramError {
    /// A run without `--config`.
    #[error("there is no --config FILE")]
    NoConfig,
    /// The file of settings cannot be used.
    #[error("the config {} {what}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A setting has a value of another type than it takes.
    #[error("setting `{name}` is {found}: expected {expected}")]
    Setting {
        /// The setting.
        name: String,
        /// What is there, without its value.
        found: String,
        /// What it takes.
        expected: String,
    },
    /// A setting asks for what tapster does not do yet.
    #[error("setting `{name}` asks for {what}, which is not built yet")]
    NotBuilt {
        /// The setting.
        name: String,
        /// What it asks for.
        what: String,
    },
    /// A setting asks for what this target cannot do.
    #[error("setting `{name}` asks for {what}, which this target cannot do")]
    Unable {
        /// The setting.
        name: &'static str,
        /// What it asks for.
        what: &'static str,
    },
    /// The file of messages cannot be opened.
    #[error("the input {} cannot be opened", path.display())]
    Input {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The input ends in an error of the machine.
    #[error("the input cannot be read")]
    Broken(#[source] io::Error),
    /// Nobody takes the STATE.
    #[error("the STATE cannot be written to stdout")]
    Output(#[source] io::Error),
    /// The input cannot be loaded.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The target's error.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// Loading failed for another reason than the target.
    #[error(transparent)]
    Load(LoadFailure),
    /// Somebody stopped it.
    #[error("stopped by {}", if *interrupt { "SIGINT" } else { "SIGTERM" })]
    Stopped {
        /// By Ctrl-C.
        interrupt: bool,
    },
    /// The machine gives no threads or signals.
    #[error("this process cannot be set up")]
    Machine(#[source] io::Error),
    /// A thread has panicked.
    #[error("a bug in tapster: a thread has died at {0}")]
    Bug(String),
}

impl ProgramError {
    /// Number of its page.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoConfig | Self::Config { .. } => "E0170",
            Self::Setting { .. } => "E0171",
            Self::NotBuilt { .. } | Self::Unable { .. } => "E0172",
            Self::Input { .. } | Self::Broken(_) => "E0173",
            Self::Output(_) => "E0340",
            Self::Decode(error) => error.code(),
            Self::Target(error) | Self::Load(LoadFailure::Target(error)) => error.code,
            Self::Load(LoadFailure::State(_)) => "E0413",
            Self::Load(LoadFailure::Staged { .. }) => "E0414",
            Self::Stopped { .. } => "E0409",
            Self::Machine(_) => "E0411",
            Self::Bug(_) => "E0499",
        }
    }

    /// The documented exit code.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NoConfig => 2,
            Self::Config { .. }
            | Self::Setting { .. }
            | Self::NotBuilt { .. }
            | Self::Unable { .. }
            | Self::Input { .. }
            | Self::Load(LoadFailure::State(_)) => 78,
            Self::Decode(_) => 65,
            Self::Target(error) | Self::Load(LoadFailure::Target(error)) => match error.status {
                Status::Busy => 75,
                Status::Config => 78,
                Status::Record { .. } => 65,
                Status::Permanent | Status::Temporary => 69,
            },
            Self::Load(LoadFailure::Staged { .. }) => 76,
            Self::Broken(_) | Self::Output(_) | Self::Machine(_) => 69,
            Self::Stopped { interrupt: true } => 130,
            Self::Stopped { interrupt: false } => 143,
            Self::Bug(_) => 70,
        }
    }

    /// What to do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoConfig | Self::Config { .. } => "--about lists what belongs into the file".into(),
            Self::Setting { .. } => "--about lists the settings and what they take".into(),
            Self::NotBuilt { .. } | Self::Unable { .. } => {
                "take the setting out, or use the target that you used before".into()
            }
            Self::Input { .. } => {
                "check the path, or leave --input out and send the messages on stdin".into()
            }
            Self::Output(_) => {
                "the records are committed; run the tap again from the last STATE that was kept".into()
            }
            Self::Decode(DecodeError::Framing(_)) => "make the tap send smaller records".into(),
            Self::Decode(error) => return error.hint(),
            Self::Target(error) | Self::Load(LoadFailure::Target(error)) => return hint_alone(error),
            Self::Load(_) => "let the tap say STATE more often; many have a setting for it".into(),
            Self::Stopped { .. } => {
                "what the STATE on stdout covers is kept; run the tap again from there".into()
            }
            Self::Broken(_) | Self::Machine(_) => {
                "free space or rights on this machine, then run again".into()
            }
            Self::Bug(_) => "please report it with what was said on stderr".into(),
        })
    }
}

/// A target's hint, in other words where it names flags and settings of a pipeline: there is none here.
fn hint_alone(error: &TargetError) -> Option<String> {
    let hint = error.hint.as_deref()?;
    let is_for_pipelines = hint.contains("--full-refresh") || hint.contains("`target_table`");
    Some(match error.code {
        "E0323" => {
            "name another place in the config: `default_target_schema`, `schema_mapping` for the schema that the stream's name begins with, or another database, file or folder"
        }
        "E0325" if is_for_pipelines => {
            "alter the column by hand, or load into another `default_target_schema`; where tapster made the table, one load with `load_method: overwrite` makes it anew"
        }
        "E0326" => {
            "one load of all records with `load_method: overwrite` makes the table anew by this key; or remove the records that stand in its way by hand"
        }
        _ => hint,
    }
    .to_owned())
}

impl From<LoadFailure> for ProgramError {
    fn from(failure: LoadFailure) -> Self {
        match failure {
            LoadFailure::Target(error) => Self::Target(error),
            other => Self::Load(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use columns::StreamName;
    use target_api::refusal::{conflict, repeated_key, taken};

    use super::ProgramError;

    #[test]
    fn no_hint_names_what_only_a_pipeline_has() {
        let key = ["id".to_owned()];
        let conflict =
            |hint: &str| conflict("a", "t", "int", "text", "no type holds both").with_hint(hint.to_owned());
        let errors = [
            (taken("table t", "stream `a`"), "`schema_mapping`"),
            (repeated_key(&StreamName::from("orders"), "t", None, &key), "`load_method: overwrite`"),
            (conflict("`--full-refresh` for this stream makes the column anew"), "`load_method: overwrite`"),
            (conflict("give the stream another table with `target_table`"), "`default_target_schema`"),
            (conflict("drop the view, run again, and make the view anew"), "drop the view"),
        ];
        for (error, expected) in errors {
            let hint = ProgramError::Target(error).hint().unwrap_or_default();
            assert!(hint.contains(expected), "{hint}");
            assert!(!["--full-refresh", "target_table", "state move"].iter().any(|word| hint.contains(word)));
        }
    }
}
