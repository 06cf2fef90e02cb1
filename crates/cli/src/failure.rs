use std::error::Error;

use columns::SchemaRefused;
use config::{ConfigError, Secrets};
use conformance::ConformanceError;
use packages::PackagesError;
use runner::{RunError, Side};
use serde::{Deserialize, Serialize};
use singer::CatalogError;
use store::StoreError;
use target_api::TargetError;

use crate::error::CliError;
use crate::exit_code;

/// An error as a person or a script is told of it, whichever crate it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failure {
    /// For example `E0505`.
    pub(crate) code: String,
    /// What failed, where, what was found.
    pub(crate) message: String,
    /// Why, outermost first.
    pub(crate) causes: Vec<String>,
    /// What to do.
    pub(crate) hint: Option<String>,
    /// The exit code of the process.
    pub(crate) exit_code: u8,
    /// The tap's last lines on its standard error, when it is about the tap.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tap_said: Vec<String>,
    /// The target's, when it is about a target that is a program of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) target_said: Vec<String>,
}

/// What a verb returns: its exit code, or what to tell.
pub(crate) type Outcome = Result<u8, Failure>;

impl Failure {
    pub(crate) fn new(code: &str, exit_code: u8, error: &dyn Error, hint: Option<String>) -> Self {
        let mut causes = Vec::new();
        let mut source = error.source();
        let message = error.to_string();
        while let Some(cause) = source {
            let text = cause.to_string();
            if !message.contains(&text) {
                causes.push(text);
            }
            source = cause.source();
        }
        Self {
            code: code.to_owned(),
            message,
            causes,
            hint,
            exit_code,
            tap_said: Vec::new(),
            target_said: Vec::new(),
        }
    }

    /// The same with every secret starred out: an excerpt of a tap's output may hold one.
    pub(crate) fn redacted(self, secrets: &Secrets) -> Self {
        let redact = |text: String| secrets.redact(&text).into_owned();
        Self {
            message: redact(self.message),
            causes: self.causes.into_iter().map(redact).collect(),
            hint: self.hint.map(redact),
            tap_said: self.tap_said.into_iter().map(redact).collect(),
            target_said: self.target_said.into_iter().map(redact).collect(),
            ..self
        }
    }

    /// The same with the last lines of the program that it is about, which may say better what to do than its exit code.
    pub(crate) fn heard(self, side: Side, said: Vec<String>) -> Self {
        let has_exited = matches!(self.code.as_str(), "E0401" | "E0420");
        let found = has_exited.then(|| missing_module(&said)).flatten();
        let hint = found.map(|module| module_hint(side, module)).or(self.hint);
        match side {
            Side::Tap => Self { tap_said: said, hint, ..self },
            Side::Target => Self { target_said: said, hint, ..self },
        }
    }

    /// Message and causes in one text, for the ledger.
    pub(crate) fn text(&self) -> String {
        std::iter::once(&self.message).chain(&self.causes).map(String::as_str).collect::<Vec<_>>().join(": ")
    }
}

/// The module that Python did not find.
fn missing_module(said: &[String]) -> Option<&str> {
    let module = said.iter().rev().find_map(|line| {
        let (_, rest) = line.split_once("ModuleNotFoundError: No module named '")?;
        rest.split(['\'', '.']).next()
    });
    module.filter(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
}

fn module_hint(side: Side, module: &str) -> String {
    if module == "pkg_resources" {
        return format!(
            "setuptools has no `pkg_resources` any more, from version 81 on: name an older one beside the {side}'s package, `pip: [PACKAGE, \"setuptools<81\"]`"
        );
    }
    format!(
        "its package does not name all that it needs: name the one that has `{module}` beside it, `pip: [PACKAGE, OTHER]`; a `command` needs it where that is installed"
    )
}

impl From<CliError> for Failure {
    fn from(error: CliError) -> Self {
        Self::new(error.code(), error.exit_code(), &error, error.hint())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit_code = match error {
            StoreError::Busy { .. } => exit_code::BUSY,
            StoreError::NameTaken { .. } => exit_code::CONFIGURATION,
            StoreError::UnknownRun { .. } | StoreError::AmbiguousRun { .. } => exit_code::COMMAND_LINE,
            _ => exit_code::UNAVAILABLE,
        };
        Self::new(error.code(), exit_code, &error, error.hint())
    }
}

impl From<&RunError> for Failure {
    fn from(error: &RunError) -> Self {
        Self::new(error.code(), error.exit_code(), error, error.hint())
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        Self::from(&error)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(error.code(), exit_code::CONFIGURATION, &error, error.hint())
    }
}

impl From<PackagesError> for Failure {
    fn from(error: PackagesError) -> Self {
        let exit_code = match error {
            PackagesError::Offline { .. } | PackagesError::File { .. } => exit_code::UNAVAILABLE,
            _ => exit_code::CONFIGURATION,
        };
        Self::new(error.code(), exit_code, &error, error.hint())
    }
}

impl From<TargetError> for Failure {
    fn from(error: TargetError) -> Self {
        Self::from(RunError::from(error))
    }
}

impl From<ConformanceError> for Failure {
    fn from(error: ConformanceError) -> Self {
        let exit_code = match error {
            ConformanceError::NothingSelected => exit_code::COMMAND_LINE,
            ConformanceError::File { .. } => exit_code::UNAVAILABLE,
            ConformanceError::NotStarted { .. } | ConformanceError::Catalog(_) => exit_code::CONFIGURATION,
        };
        Self::new(error.code(), exit_code, &error, error.hint())
    }
}

impl From<CatalogError> for Failure {
    fn from(error: CatalogError) -> Self {
        Self::new(error.code(), exit_code::CONFIGURATION, &error, error.hint())
    }
}

impl From<SchemaRefused> for Failure {
    fn from(error: SchemaRefused) -> Self {
        Self::new(error.code(), exit_code::DATA, &error, error.hint())
    }
}

#[cfg(test)]
mod tests {
    use runner::{RunError, Side, TapFailure, TargetFailure};

    use super::Failure;

    #[test]
    fn a_python_module_that_is_missing_is_told_with_what_brings_it() {
        let lines = |text: &str| text.lines().map(str::to_owned).collect();
        let exited = || Failure::from(RunError::Tap(TapFailure::Exited { code: 1, records: None }));
        let hint = |failure: Failure| failure.hint.unwrap_or_default();
        let lacks = "Traceback:\n  import x\nModuleNotFoundError: No module named 'pkg_resources'\n";
        let heard = exited().heard(Side::Tap, lines(lacks));
        assert_eq!(heard.tap_said.len(), 3);
        assert!(hint(heard).contains("`pip: [PACKAGE, \"setuptools<81\"]`"));
        let other = lines("ModuleNotFoundError: No module named 'attr.more'\nsee above");
        let target = Failure::from(RunError::TargetProgram(TargetFailure::Exited { code: 1 }));
        assert!(hint(target.heard(Side::Target, other)).contains("`attr`"));
        let usual = hint(exited());
        assert_eq!(hint(exited().heard(Side::Tap, lines("no rights"))), usual);
        let silent = || Failure::from(RunError::Tap(TapFailure::Silent(std::time::Duration::from_secs(9))));
        assert_eq!(
            hint(silent().heard(Side::Tap, lines(lacks))),
            hint(silent()),
            "it is about something else"
        );
    }
}
