//! The program of a tap or a target, to be started by hand.

use std::path::PathBuf;

use config::{Pipeline, Program, Project};
use packages::Mode;
use runner::TapCommand;

use super::installed::{Installed, installed};
use super::{programs, settings, tap};
use crate::error::CliError;
use crate::failure::Failure;
use crate::output::Printer;

/// How to start it.
pub(crate) struct Invoked {
    pub(crate) command: TapCommand,
    /// In use for as long as this lives.
    _installed: Option<Installed>,
}

impl Invoked {
    /// The tap's; that of a package is installed where it is not there yet.
    pub(crate) fn tap(project: &Project, pipeline: &Pipeline, printer: Printer) -> Result<Self, Failure> {
        programs::check(pipeline)?;
        settings::honoured(pipeline, None)?;
        let installed = match &pipeline.tap.program {
            Program::Package(package) => {
                Some(installed(project, package, Mode::Missing, &mut |text| printer.note(text))?)
            }
            _ => None,
        };
        let command = tap::command(project, pipeline, installed.as_ref(), PathBuf::new())?;
        Ok(Self { command, _installed: installed })
    }

    /// The target's, which lies beside this one.
    pub(crate) fn target(project: &Project, pipeline: &Pipeline) -> Result<Self, Failure> {
        programs::check(pipeline)?;
        let program = match &pipeline.target.program {
            Program::Named(name) => programs::program("target", name),
            _ => None,
        };
        let Some(program) = program else {
            return Err(CliError::NotBuiltYet("invoke --target".into()).into());
        };
        let command = tap::target_command(project, pipeline, program)?;
        Ok(Self { command, _installed: None })
    }
}
