//! The command line that Singer taps share.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::{About, Action};

/// What was asked for.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    pub(crate) config: Option<PathBuf>,
    pub(crate) catalog: Option<PathBuf>,
    pub(crate) state: Option<PathBuf>,
    pub(crate) discover: bool,
    pub(crate) check: bool,
    pub(crate) about: Option<Format>,
    /// What of the tap's own was asked for.
    pub(crate) action: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Json,
}

impl Arguments {
    pub(crate) fn parse(
        about: &About,
        actions: &'static [Action],
        words: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    ) -> Result<Self, clap::Error> {
        let matches = command(about, actions).try_get_matches_from(words)?;
        let path = |name: &str| matches.get_one::<PathBuf>(name).cloned();
        Ok(Self {
            config: path("config"),
            catalog: path("catalog"),
            state: path("state"),
            discover: matches.get_flag("discover"),
            check: matches.get_flag("check"),
            about: matches.get_flag("about").then(|| format(&matches)),
            action: actions.iter().map(|action| action.name).find(|name| matches.get_flag(name)),
        })
    }
}

fn format(matches: &ArgMatches) -> Format {
    match matches.get_one::<String>("format").map(String::as_str) {
        Some("json") => Format::Json,
        _ => Format::Text,
    }
}

fn command(about: &About, actions: &[Action]) -> Command {
    let file = |name: &'static str, short: char| {
        let arg = Arg::new(name).long(name).short(short).value_name("FILE");
        // Runners that do not know a tap may say the same twice.
        arg.value_parser(value_parser!(PathBuf)).overrides_with(name)
    };
    let flag = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    Command::new(about.name)
        .version(about.version)
        .about(about.description)
        .after_help("Messages go to stdout, logs to stderr. Exit code 0: everything selected is out.")
        .arg(file("config", 'c').help("The settings, as JSON; --about names them"))
        .arg(
            file("catalog", 'p')
                .visible_alias("properties")
                .help("What is selected, as JSON; without it, what --discover selects by default"),
        )
        .arg(file("state", 's').help("The value of the last STATE message, to go on from there"))
        .arg(flag("discover").short('d').help("Print the catalog and end"))
        .arg(
            flag("check")
                .conflicts_with("discover")
                .help("Look whether what is selected can be read, and end"),
        )
        .arg(flag("about").help("Print what this tap is and its settings, and end"))
        .arg(
            Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .value_parser(["text", "json"])
                .default_value("text")
                .help("Of --about"),
        )
        .args(actions.iter().map(|action| flag(action.name).help(action.help)))
}
