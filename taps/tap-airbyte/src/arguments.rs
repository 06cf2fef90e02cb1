//! The command line: that of every Singer tap, and how the source is started.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Parser;

/// Runs an Airbyte source as a Singer tap.
#[derive(Debug, Parser)]
#[command(name = "tap-airbyte", version, about, after_help = AFTER)]
pub(crate) struct Arguments {
    /// The source's program and its first arguments, one a flag: --command=python3 --command=main.py
    #[arg(long, value_name = "ARGUMENT", required = true, allow_hyphen_values = true)]
    pub(crate) command: Vec<OsString>,
    /// The manifest of a manifest-only source; the program is then source-declarative-manifest
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: Option<PathBuf>,
    /// The Python file of the classes that the manifest names as its own
    #[arg(long, value_name = "FILE", requires = "manifest")]
    pub(crate) components: Option<PathBuf>,
    /// The source's settings, as JSON. Rewritten in place when the source gives itself new ones
    #[arg(long, short, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// What is selected, as JSON; without it, all that --discover finds
    #[arg(long, short = 'p', alias = "properties", value_name = "FILE")]
    pub(crate) catalog: Option<PathBuf>,
    /// The value of the last STATE message, to go on from there
    #[arg(long, short, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
    /// Print the catalog and end
    #[arg(long, short)]
    pub(crate) discover: bool,
    /// Ask the source whether it reaches what it reads from, and end
    #[arg(long, conflicts_with = "discover")]
    pub(crate) check: bool,
    /// Where the source's specification is kept, so that it is not asked each time
    #[arg(long, value_name = "FOLDER")]
    pub(crate) cache: Option<PathBuf>,
    /// Longest line that the source may write
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 20)]
    pub(crate) line_bytes: usize,
}

const AFTER: &str = "Messages go to stdout, logs to stderr. Exit code 0: every selected stream is complete; \
    75: the source failed for now, try again; 78: its config is refused; else 1.";
