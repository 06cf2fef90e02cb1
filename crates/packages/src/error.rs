use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// What a call of this crate gives.
pub type Result<T, E = PackagesError> = std::result::Result<T, E>;

/// Why a package is not there. Nothing half-made is left.
#[derive(Debug, thiserror::Error)]
pub enum PackagesError {
    /// Not the name of a package, nor an address.
    #[error("`{requirement}` is no requirement: {reason}")]
    BadRequirement {
        /// As it is written.
        requirement: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Not `3.11`.
    #[error("`{0}` is no version of Python: two numbers such as \"3.11\" are")]
    BadPython(String),
    /// Neither uv, nor a python3 that can make an environment.
    #[error("nothing here can make a Python environment: {reason}")]
    NoInstaller {
        /// What is missing.
        reason: String,
    },
    /// No interpreter of this version.
    #[error("there is no Python {wanted} here")]
    NoInterpreter {
        /// `3.11`.
        wanted: String,
        /// The versions there are.
        found: Vec<String>,
    },
    /// The index does not know it.
    #[error("the package index has no `{requirement}`")]
    NoPackage {
        /// As far as the installer named it.
        requirement: String,
        /// Its last lines.
        #[source]
        said: InstallerSaid,
    },
    /// The package is there, in other versions, or for other Pythons.
    #[error("there is no version of it that fits `{requirement}`")]
    NoVersion {
        /// As far as the installer named it.
        requirement: String,
        /// Its last lines.
        #[source]
        said: InstallerSaid,
    },
    /// Two requirements exclude each other.
    #[error("the requirements {requirements} exclude each other")]
    Conflict {
        /// All of them.
        requirements: String,
        /// The installer's last lines.
        #[source]
        said: InstallerSaid,
    },
    /// What was downloaded is not what the lock says.
    #[error("what the index has of {requirements} is not what tapster.lock says")]
    HashMismatch {
        /// All of them.
        requirements: String,
        /// The installer's last lines.
        #[source]
        said: InstallerSaid,
    },
    /// A package without a built file for this machine does not build.
    #[error("{requirements} cannot be built on this machine")]
    Build {
        /// All of them.
        requirements: String,
        /// The installer's last lines.
        #[source]
        said: InstallerSaid,
    },
    /// The index or the repository is out of reach.
    #[error("{requirements} is not installed yet, and the package index is out of reach")]
    Offline {
        /// All of them.
        requirements: String,
        /// The installer's last lines.
        #[source]
        said: InstallerSaid,
    },
    /// Something else.
    #[error("{installer} failed to install {requirements}")]
    Installer {
        /// `uv` or `pip`.
        installer: &'static str,
        /// All of them.
        requirements: String,
        /// The installer's last lines.
        #[source]
        said: InstallerSaid,
    },
    /// Which of its programs is meant must be said.
    #[error("{requirements} has several programs: {}", programs.join(", "))]
    SeveralPrograms {
        /// The package.
        requirements: String,
        /// All of them.
        programs: Vec<String>,
    },
    /// The program is not in it.
    #[error("{requirements} has no program{}", executable.as_ref().map(|name| format!(" `{name}`")).unwrap_or_default())]
    NoProgram {
        /// The package.
        requirements: String,
        /// The one that was asked for.
        executable: Option<String>,
        /// Those there are.
        programs: Vec<String>,
    },
    /// `--locked`, and the lock does not have it.
    #[error("tapster.lock does not hold {requirements}{} for {platform}", python.as_ref().map(|python| format!(" with Python {python}")).unwrap_or_default())]
    NotLocked {
        /// The package.
        requirements: String,
        /// The version of Python that the file asks for.
        python: Option<String>,
        /// This machine's kind.
        platform: String,
    },
    /// The lock is not what tapster writes.
    #[error("{} is not a lock file of this tapster: {reason}", path.display())]
    BadLock {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The machine refuses.
    #[error("cannot {what} {}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The last lines that an installer printed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InstallerSaid(pub Vec<String>);

impl fmt::Display for InstallerSaid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.join("\n"))
    }
}

impl Error for InstallerSaid {}

impl PackagesError {
    pub(crate) fn file(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { what, path, source }
    }

    /// The code, with a page under `docs/errors`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadRequirement { .. } | Self::BadPython(_) => "E0601",
            Self::NoInstaller { .. } => "E0602",
            Self::NoInterpreter { .. } => "E0603",
            Self::NoPackage { .. } => "E0604",
            Self::NoVersion { .. } => "E0605",
            Self::Conflict { .. } => "E0606",
            Self::HashMismatch { .. } => "E0607",
            Self::Build { .. } => "E0608",
            Self::Offline { .. } => "E0609",
            Self::Installer { .. } => "E0610",
            Self::SeveralPrograms { .. } | Self::NoProgram { .. } => "E0611",
            Self::NotLocked { .. } => "E0612",
            Self::BadLock { .. } => "E0613",
            Self::File { .. } => "E0614",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::BadRequirement { .. } => {
                "write a package with its version, such as meltanolabs-tap-github==1.30.1, or git+https://…@commit"
                    .to_owned()
            }
            Self::BadPython(_) => "write it in quotes: python: \"3.11\"".to_owned(),
            Self::NoInstaller { .. } => {
                "install uv (https://docs.astral.sh/uv), or Python with its venv module; Debian and Ubuntu: apt-get install python3-venv"
                    .to_owned()
            }
            Self::NoInterpreter { wanted, found } if found.is_empty() => {
                format!("install it (with uv: uv python install {wanted})")
            }
            Self::NoInterpreter { wanted, found } => format!(
                "there are {}; install it (with uv: uv python install {wanted}), or ask for another with python:",
                found.join(", ")
            ),
            Self::NoPackage { .. } => {
                "check the name; where it lies in an index of your own, set PIP_INDEX_URL or PIP_EXTRA_INDEX_URL (for uv: UV_INDEX)"
                    .to_owned()
            }
            Self::NoVersion { .. } => {
                "choose one of the versions there are, or another Python with python:".to_owned()
            }
            Self::Conflict { .. } => "loosen or leave out one of them".to_owned(),
            Self::HashMismatch { .. } => {
                "if the lock was not changed by hand, somebody has replaced the file: look before you trust it; `tapster install --update` takes what the index has now"
                    .to_owned()
            }
            Self::Build { .. } => {
                "install what it misses (a compiler, header files), or ask with python: for a version of Python that it has built files for"
                    .to_owned()
            }
            Self::Offline { .. } => {
                "check the network, the proxy variables and PIP_INDEX_URL; once installed, it runs offline".to_owned()
            }
            Self::Installer { .. } => return None,
            Self::SeveralPrograms { .. } => "say which, with executable:".to_owned(),
            Self::NoProgram { programs, .. } if programs.is_empty() => {
                "check that it is the package of a tap".to_owned()
            }
            Self::NoProgram { programs, .. } => {
                format!("there are {}: say which, with executable:", programs.join(", "))
            }
            Self::NotLocked { .. } => {
                "run `tapster install` without --locked and commit tapster.lock".to_owned()
            }
            Self::BadLock { .. } => {
                "restore it from version control, or remove it and run `tapster install`".to_owned()
            }
            Self::File { path, .. } => format!("check the rights and the free space at {}", path.display()),
        })
    }
}
