//! Taps and targets from Python packages.

use std::path::PathBuf;

use config::{Package, Project};
use packages::{Environment, Mode, Packages, Wanted};
use runner::Side;

use crate::failure::Failure;

/// A program in the environment that is kept for it.
pub(crate) struct Installed {
    pub(crate) program: PathBuf,
    /// In use for as long as this lives.
    pub(crate) environment: Environment,
}

/// Finds the program of a package, and installs it where it is not there yet. `tell` hears what takes long.
pub(crate) fn installed(
    project: &Project,
    (side, package): (Side, &Package),
    mode: Mode,
    tell: &mut dyn FnMut(&str),
) -> Result<Installed, Failure> {
    let environment = Packages::new(project.root()).environment(&wanted(package), mode, tell)?;
    let program = environment.program(package.executable.as_deref(), &side.to_string())?;
    Ok(Installed { program, environment })
}

/// Whether the project has a lock, and an error when it has one that lacks the package.
pub(crate) fn is_locked(project: &Project, package: &Package) -> Result<bool, Failure> {
    Ok(Packages::new(project.root()).check(&wanted(package))?)
}

fn wanted(package: &Package) -> Wanted {
    Wanted { requirements: package.requirements.clone(), python: package.python.clone() }
}
