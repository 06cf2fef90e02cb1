//! What makes environments: `uv` where it is on PATH, else Python's own venv and pip.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::diagnosis::{Printed, diagnose};
use crate::interpreter::{Interpreter, on_path};
use crate::locked::LockedEnvironment;
use crate::pip::Pip;
use crate::{PackagesError, Result, uv};

/// Which of the two.
#[derive(Debug, Clone)]
pub(crate) enum Installer {
    Uv(PathBuf),
    Pip,
}

/// What one call of an installer is about.
pub(crate) struct Work<'a> {
    /// `.tapster/environments`.
    pub(crate) folder: &'a Path,
    /// Handed to everything that is started, so that the environment is locked for as long as that lives, even if
    /// tapster does not.
    pub(crate) guard: &'a File,
    /// All requirements in one line, for people.
    pub(crate) about: &'a str,
}

impl Installer {
    /// The one to use here.
    pub(crate) fn here() -> Self {
        on_path("uv").next().map_or(Self::Pip, Self::Uv)
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Uv(_) => "uv",
            Self::Pip => "pip",
        }
    }

    /// Its program, where that is one.
    pub(crate) fn uv(&self) -> Option<&Path> {
        match self {
            Self::Uv(path) => Some(path),
            Self::Pip => None,
        }
    }

    /// What the requirements come to. `constraints` are versions to stay at.
    pub(crate) fn resolve(
        &self,
        work: &Work,
        python: &Interpreter,
        requirements: &[String],
        constraints: &str,
    ) -> Result<LockedEnvironment> {
        let constraints = text_file(work.folder, constraints)?;
        let packages = match self {
            Self::Uv(uv) => uv::resolve(uv, work, python, requirements, constraints.path())?,
            Self::Pip => Pip::prepare(work, python)?.resolve(work, requirements, constraints.path())?,
        };
        let platform = match self {
            // It asks for every platform at once.
            Self::Uv(_) => None,
            Self::Pip => Some(crate::locked::platform()),
        };
        let (requirements, python) = (requirements.to_vec(), python.version.clone());
        Ok(LockedEnvironment { requirements, python, platform, packages })
    }

    /// Makes an environment in a folder that is not there yet, with what the lock says and nothing else.
    pub(crate) fn make(
        &self,
        work: &Work,
        python: &Interpreter,
        entry: &LockedEnvironment,
        environment: &Path,
    ) -> Result<()> {
        let pip = match self {
            Self::Uv(_) => None,
            Self::Pip => Some(Pip::prepare(work, python)?),
        };
        let mut create = match self {
            Self::Uv(uv) => uv::create(uv, python),
            Self::Pip => {
                let mut command = Command::new(&python.path);
                command.args(["-I", "-m", "venv", "--without-pip"]);
                command
            }
        };
        self.run(work, create.arg(environment))?;
        let [hashed, commits] = entry.requirement_files();
        // A hash cannot be asked of a commit, which is one itself: those come apart.
        for (text, is_hashed) in [(hashed, true), (commits, false)] {
            if text.is_empty() {
                continue;
            }
            let file = text_file(work.folder, &text)?;
            let mut command = match (self, &pip) {
                (Self::Uv(uv), _) => uv::install(uv, environment),
                (Self::Pip, Some(pip)) => pip.install(environment),
                (Self::Pip, None) => continue,
            };
            command.args(["--no-deps", "-r"]).arg(file.path());
            if is_hashed {
                command.arg("--require-hashes");
            }
            self.run(work, &mut command)?;
        }
        Ok(())
    }

    fn run(&self, work: &Work, command: &mut Command) -> Result<()> {
        run(self.name(), work, command).map(drop)
    }
}

/// Runs an installer and gives what it printed.
pub(crate) fn run(installer: &'static str, work: &Work, command: &mut Command) -> Result<Printed> {
    let program = PathBuf::from(command.get_program());
    let failed = || PackagesError::file("start", &program);
    let guard = work.guard.try_clone().map_err(failed())?;
    // These would lead it, or what it starts, elsewhere. All else reaches it: indexes, proxies, certificates.
    for name in ["PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "CONDA_PREFIX", "UV_PYTHON", "UV_SYSTEM_PYTHON"] {
        command.env_remove(name);
    }
    for name in ["PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_QUIET", "PIP_NO_DEPS", "PIP_PYTHON"]
    {
        command.env_remove(name);
    }
    command.env("PIP_DISABLE_PIP_VERSION_CHECK", "1").env("PIP_NO_INPUT", "1").env("NO_COLOR", "1");
    command.stdin(guard).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = command.output().map_err(failed())?;
    let printed = Printed::new(&output.stdout, &output.stderr);
    if output.status.success() { Ok(printed) } else { Err(diagnose(installer, work.about, &printed)) }
}

/// A text for an installer to read, gone when it is dropped.
pub(crate) fn text_file(folder: &Path, text: &str) -> Result<tempfile::NamedTempFile> {
    let made = tempfile::Builder::new().prefix("requirements-").suffix(".txt").tempfile_in(folder);
    let file = made.map_err(PackagesError::file("write a file in", folder))?;
    fs::write(file.path(), text).map_err(PackagesError::file("write", file.path()))?;
    Ok(file)
}
