use std::io::ErrorKind;
use std::path::PathBuf;

use crate::exit_code;

/// What goes wrong in the command line itself. Everything else is an error of the crate that met it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// The target's config says of streams what cannot be done.
    #[error("the target's config: {0}")]
    TargetConfig(load::ProgramError),
    /// Said where nobody knows which streams are read in parts.
    #[error("the target's config cannot have `load_method: overwrite` in a pipeline")]
    OverwriteInConfig,
    /// The arguments; the text is clap's, with its usage line.
    #[error("{0}")]
    Usage(String),
    /// A reserved verb or flag.
    #[error("`tapster {0}` is not built yet")]
    NotBuiltYet(String),
    /// `explain` of a code that no error has.
    #[error("no error has the code `{code}`")]
    UnknownCode { code: String, nearest: Option<&'static str> },
    /// A file would be overwritten.
    #[error("{} is there already; nothing was written", path.display())]
    FileInTheWay { path: PathBuf },
    /// A file of the project cannot be read or written.
    #[error("cannot {what} {}", path.display())]
    File { what: &'static str, path: PathBuf, source: std::io::Error },
    /// `new pipeline` was given a tap or target that is nowhere.
    #[error("no {kind} `{name}`: it is neither beside the tapster program nor in tapster.yml")]
    UnknownProgram { kind: &'static str, name: String, known: Vec<String> },
    /// A program did not answer `--about`.
    #[error("{name} did not say its settings when asked with `--about --format json`: {reason}")]
    NoSettings { name: String, reason: String },
    /// A pipeline's name that would leave `pipelines/`.
    #[error("`{0}` cannot be the name of a pipeline")]
    BadName(String),
    /// The name of a new tap that its folder, its pipeline or its package could not have.
    #[error("`{0}` cannot be the name of a tap")]
    BadTapName(String),
    /// A setting of a tap or target breaks the schema that it publishes.
    #[error("{place}: the {block}'s `{path}` breaks the settings of {name}: {rule}")]
    Setting {
        place: String,
        block: &'static str,
        name: String,
        path: String,
        rule: String,
        hint: Option<String>,
    },
    /// Something that deletes was asked for where nobody can be asked.
    #[error("to {0} needs --yes where there is no terminal to ask on")]
    NeedsYes(String),
    /// The person said no.
    #[error("nothing was changed")]
    Declined,
    /// `--select` for a program without a catalog.
    #[error("the tap of pipeline {0} has no discovery, so its streams cannot be selected one by one")]
    NothingToSelect(String),
    /// `state clear --select` of what the STATE does not hold.
    #[error("the STATE of {pipeline} has no bookmark that {patterns} matches; nothing was changed")]
    NoBookmark { pipeline: String, patterns: String },
    /// `state set` with a text that is no JSON object.
    #[error("{} holds no STATE: {reason}", path.display())]
    BadState { path: PathBuf, reason: String },
    /// An entry that the history does not have.
    #[error("the history of {pipeline} has no sequence {sequence}")]
    NoEntry { pipeline: String, sequence: i64 },
    /// There is no STATE to export or compare.
    #[error("{0} has no STATE")]
    NoState(String),
    /// A pattern where one pipeline is wanted.
    #[error("`{argument}` names {} pipelines, and this verb takes one", names.len())]
    SeveralPipelines { argument: String, names: Vec<String> },
    /// Values of records may only be shown to a person.
    #[error("preview shows values of records, and stdout is no terminal")]
    NoTerminal,
    /// stdout is gone or full.
    #[error("cannot write to stdout")]
    Output(#[source] std::io::Error),
    /// A panic, at this place of the program.
    #[error("this is a bug in tapster, at {0}")]
    Bug(String),
}

impl CliError {
    /// The code, with a page under `docs/errors`.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::TargetConfig(error) => error.code(),
            Self::OverwriteInConfig => "E0123",
            Self::Usage(_) => "E0180",
            Self::NotBuiltYet(_) => "E0181",
            Self::UnknownCode { .. } => "E0182",
            Self::FileInTheWay { .. } => "E0183",
            Self::File { .. } => "E0184",
            Self::UnknownProgram { .. } => "E0185",
            Self::NoSettings { .. } => "E0186",
            Self::BadName(_) | Self::BadTapName(_) => "E0187",
            Self::Output(_) => "E0188",
            Self::Setting { .. } => "E0191",
            Self::NeedsYes(_) => "E0192",
            Self::Declined => "E0193",
            Self::NoTerminal => "E0194",
            Self::NothingToSelect(_) => "E0195",
            Self::NoBookmark { .. } => "E0196",
            Self::SeveralPipelines { .. } => "E0197",
            Self::BadState { .. } => "E0198",
            Self::NoEntry { .. } => "E0199",
            Self::NoState(_) => "E0189",
            Self::Bug(_) => "E0190",
        }
    }

    /// The exit code.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_)
            | Self::NotBuiltYet(_)
            | Self::UnknownCode { .. }
            | Self::UnknownProgram { .. }
            | Self::NeedsYes(_)
            | Self::Declined
            | Self::NoTerminal
            | Self::SeveralPipelines { .. }
            | Self::NothingToSelect(_)
            | Self::BadName(_)
            | Self::BadTapName(_) => exit_code::COMMAND_LINE,
            Self::FileInTheWay { .. }
            | Self::TargetConfig(_)
            | Self::OverwriteInConfig
            | Self::File { .. }
            | Self::Setting { .. }
            | Self::BadState { .. }
            | Self::NoEntry { .. }
            | Self::NoState(_)
            | Self::NoBookmark { .. } => exit_code::CONFIGURATION,
            Self::NoSettings { .. } => exit_code::TAP,
            Self::Output(_) => exit_code::UNAVAILABLE,
            Self::Bug(_) => exit_code::BUG,
        }
    }

    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Usage(_) | Self::Output(_) | Self::Declined => None,
            Self::Setting { hint, .. } => hint.clone(),
            Self::TargetConfig(error) => error.hint(),
            Self::OverwriteInConfig => {
                Some("write `load_method: overwrite` under `defaults` or under a stream".to_owned())
            }
            Self::NeedsYes(_) => Some("add --yes once you are sure".to_owned()),
            Self::SeveralPipelines { names, .. } => Some(format!("there are: {}", names.join(", "))),
            Self::BadState { .. } => Some(
                "it must be one JSON object; `tapster state get PIPELINE` prints the STATE as it is"
                    .to_owned(),
            ),
            Self::NoEntry { pipeline, .. } => Some(format!("`tapster state history {pipeline}` lists them")),
            Self::NoState(pipeline) => Some(format!("`tapster run {pipeline}` makes the first")),
            Self::NoBookmark { pipeline, .. } => Some(format!("`tapster state get {pipeline}` shows them")),
            Self::NothingToSelect(_) => Some("run it without --select and --exclude".to_owned()),
            Self::NoTerminal => Some(
                "type it in a terminal; `tapster discover` shows names and types without values".to_owned(),
            ),
            Self::NotBuiltYet(_) => Some("`tapster --help` lists what is".to_owned()),
            Self::UnknownCode { nearest, .. } => Some(match nearest {
                Some(nearest) => format!("did you mean {nearest}? `tapster explain` lists all codes"),
                None => "`tapster explain` lists all codes".to_owned(),
            }),
            Self::FileInTheWay { .. } => Some("choose another name or folder, or remove it".to_owned()),
            Self::File { source, .. } if source.kind() == ErrorKind::NotFound => {
                Some("check the path; `-C DIR` gives the project folder".to_owned())
            }
            Self::File { path, .. } => {
                Some(format!("check the rights and the free space at {}", path.display()))
            }
            Self::UnknownProgram { known, .. } if known.is_empty() => None,
            Self::UnknownProgram { known, .. } => Some(format!("there are: {}", known.join(", "))),
            Self::NoSettings { name, .. } => Some(format!("try it by hand: {name} --about --format json")),
            Self::BadName(_) => Some(
                "use letters, digits, `-`, `_` and `/` for folders, for example finance/orders".to_owned(),
            ),
            Self::BadTapName(_) => Some(
                "begin with a letter, and use letters, digits, `-` and `_` alone, for example tap-orders"
                    .to_owned(),
            ),
            Self::Bug(_) => Some(
                "what was committed is safe; please report it with the log of `--verbose` and what you typed"
                    .to_owned(),
            ),
        }
    }
}
