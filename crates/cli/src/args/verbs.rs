use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clap_complete::Shell;

/// Begin a project: a pipeline that runs as it is
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tapster init                   in this folder
  tapster init warehouse         in a new one

Then: tapster run hello")]
pub(crate) struct Init {
    /// The folder; made if it is not there [default: this one]
    pub(crate) dir: Option<PathBuf>,
}

/// Validate pipelines, ask tap and target; loads nothing
///
/// Reads the files, resolves the secrets, asks the target for its rights and the tap for its catalog, and
/// holds every rule against it. An Airbyte source is asked, too, whether it reaches what it reads from.
/// Missing packages are installed first, as for a run.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tapster check                  every pipeline of the project
  tapster check flights -e prod
  tapster check --offline        the files alone: for CI, without secrets or network")]
pub(crate) struct Check {
    /// Names or patterns of files in pipelines/, or paths [default: all]
    #[arg(value_name = "PIPELINE")]
    pub(crate) pipelines: Vec<String>,
    /// Only the files: no secret, no tap, no target
    #[arg(long)]
    pub(crate) offline: bool,
}

/// List the tap's streams and which rule selects them
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tapster discover shop
  tapster discover shop --select 'orders*'
  tapster discover shop --json > catalog.json     the catalog itself")]
pub(crate) struct Discover {
    /// The pipeline
    pub(crate) pipeline: String,
    /// Only these streams (a name or a pattern)
    #[arg(long, value_name = "PATTERN")]
    pub(crate) select: Vec<String>,
}

/// Show the first records as they would load; loads nothing
///
/// Prints values of records, and therefore only on a terminal.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tapster preview shop
  tapster preview shop --select orders -n 3")]
pub(crate) struct Preview {
    /// The pipeline
    pub(crate) pipeline: String,
    /// Only these streams (a name or a pattern)
    #[arg(long, value_name = "PATTERN")]
    pub(crate) select: Vec<String>,
    /// So many records a stream
    #[arg(short = 'n', long = "records", value_name = "N", default_value_t = 10)]
    pub(crate) records: u32,
}

/// Print a pipeline as it is resolved, each value with its place
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tapster config flights
  tapster config flights -e prod --json

Secrets are masked.")]
pub(crate) struct Config {
    /// The pipeline
    pub(crate) pipeline: String,
}

/// Print the JSON Schema of a file, for editors
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tapster schema pipeline > pipeline.schema.json

An editor with the YAML language server completes and checks a file that begins with
  # yaml-language-server: $schema=PATH/pipeline.schema.json")]
pub(crate) struct Schema {
    /// Which file
    pub(crate) kind: SchemaKind,
}

/// The files that have a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
pub(crate) enum SchemaKind {
    /// pipelines/NAME.yml
    Pipeline,
    /// tapster.yml
    Project,
}

/// Say what an error code means and what to do
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tapster explain E0505
  tapster explain              all codes")]
pub(crate) struct Explain {
    /// The code, for example E0505 [default: list all]
    pub(crate) code: Option<String>,
}

/// Print the completion script of a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tapster completions bash > ~/.local/share/bash-completion/completions/tapster
  tapster completions zsh > ~/.zfunc/_tapster
  tapster completions fish > ~/.config/fish/completions/tapster.fish")]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: Shell,
}
