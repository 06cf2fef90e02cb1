//! The program of a tap or a target, to be started by hand.

use std::path::PathBuf;

use config::{Pipeline, Program, Project};
use packages::Mode;
use runner::{ProgramCommand, Side};

use super::installed::{Installed, installed};
use super::{command, programs, settings};
use crate::error::CliError;
use crate::failure::Failure;
use crate::output::Printer;

/// How to start it.
pub(crate) struct Invoked {
    pub(crate) command: ProgramCommand,
    /// In use for as long as this lives.
    _installed: Option<Installed>,
}

impl Invoked {
    /// The tap's; one of a package is installed where it is not there yet.
    pub(crate) fn tap(project: &Project, pipeline: &Pipeline, printer: Printer) -> Result<Self, Failure> {
        programs::check(pipeline)?;
        settings::honoured(pipeline, None)?;
        Self::new(project, pipeline, Side::Tap, printer)
    }

    /// The target's; one of ours lies beside this program.
    pub(crate) fn target(project: &Project, pipeline: &Pipeline, printer: Printer) -> Result<Self, Failure> {
        programs::check(pipeline)?;
        if let Program::Named(name) = &pipeline.target.program
            && programs::program("target", name).is_none()
        {
            return Err(CliError::NotBuiltYet("invoke --target".into()).into());
        }
        Self::new(project, pipeline, Side::Target, printer)
    }

    fn new(project: &Project, pipeline: &Pipeline, side: Side, printer: Printer) -> Result<Self, Failure> {
        let block = if side == Side::Tap { &pipeline.tap } else { &pipeline.target };
        let installed = match &block.program {
            Program::Package(package) => {
                Some(installed(project, (side, package), Mode::Missing, &mut |text| printer.note(text))?)
            }
            _ => None,
        };
        let command = command::command(project, pipeline, side, installed.as_ref(), PathBuf::new())?;
        Ok(Self { command, _installed: installed })
    }
}
