use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Hold a tap or a target to what it owes whoever runs it
///
/// For their authors: each check says what it found and why that matters. Any program that speaks Singer can be tested.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  tapster test tap --config config.json -- python3 tap.py
  tapster test target --config config.json -- target-mine

docs/guides/write-a-tap.md and write-a-target.md say how to write one.")]
pub(crate) enum Test {
    Tap(TestTap),
    Target(TestTarget),
}

/// Test a tap: discovery, schemas, records, keys, STATE, resuming, SIGTERM, a closed pipe
///
/// Starts the tap several times: for its help and catalog, for a run, for a run from its last STATE, to ask it to end,
/// and without a reader. Loads nothing. What it reads is cut off after --records.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tapster test tap --config config.json -- python3 tap.py
  tapster test tap --config config.json --select orders --records 1000 -- tap-shop
  tapster test tap --pipeline shop

Exit codes: 0 every check holds, 76 one does not.
A check that could not be made is skipped: it says why, and changes nothing about that.")]
pub(crate) struct TestTap {
    /// The tap's config, JSON
    #[arg(long, value_name = "FILE", conflicts_with = "pipeline")]
    pub(crate) config: Option<PathBuf>,
    /// The catalog to give it [default: that of its discovery, every stream selected]
    #[arg(long, value_name = "FILE")]
    pub(crate) catalog: Option<PathBuf>,
    /// Only these streams (a name or a pattern); the others must stay away
    #[arg(long, value_name = "PATTERN")]
    pub(crate) select: Vec<String>,
    /// The tap of this pipeline, with its config and environment
    #[arg(long, value_name = "PIPELINE", conflicts_with = "command", required_unless_present = "command")]
    pub(crate) pipeline: Option<String>,
    /// Look at so many records of a run
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub(crate) records: u64,
    #[command(flatten)]
    pub(crate) longest: Longest,
    /// The tap's program and its first arguments
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

/// Test a target: STATE, refusals, SIGTERM, a closed stdout, over streams of a few records
///
/// Starts the target once for each of tapster's golden streams. It loads tables of a few records, which stay: give it a
/// place that may be thrown away. What lies in the warehouse is not looked at.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tapster test target --config config.json -- target-mine
  tapster test target --config config.json --json -- python3 target.py

Exit codes: 0 every check holds, 69 one does not.
A check that could not be made is skipped: it says why, and changes nothing about that.")]
pub(crate) struct TestTarget {
    /// The target's config, JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) longest: Longest,
    /// The target's program and its first arguments
    #[arg(last = true, value_name = "COMMAND", required = true)]
    pub(crate) command: Vec<OsString>,
}

/// How long a tested program may take.
#[derive(Debug, Args)]
pub(crate) struct Longest {
    /// Longest time of one start of it
    #[arg(long, value_name = "DURATION", default_value = "2m")]
    pub(crate) timeout: String,
    /// How long it may take to end when asked to; `limits.grace` of a run is 30s
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    pub(crate) grace: String,
}
