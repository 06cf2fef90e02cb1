//! The command line that Singer targets share.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgAction, Command, value_parser};

use super::TargetProgram;

/// What was asked for.
#[derive(Debug)]
pub(super) struct Arguments {
    pub(super) config: Option<PathBuf>,
    pub(super) input: Option<PathBuf>,
    pub(super) about: Option<Format>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Text,
    Json,
}

const AFTER: &str = "\
stdout carries STATE values and nothing else, one line each, as the tap wrote them. Each comes out once every record
before it is committed, the last one at the end of the input in any case. Whoever runs the target keeps it.

At least once: the target keeps no STATE of its own and cannot tell a tap that failed from one that has ended. What a
tap sends again, because its STATE was not kept, replaces the record with its key; without a key it is there twice.
(A run of tapster itself loads each message once.)

SIGTERM or Ctrl-C: what a STATE covers is committed and told, what came later is dropped.

Exit codes:
    0  all is loaded
    2  the command line
   65  the input, or a record in it
   69  the target
   70  a bug
   75  busy: try later
   76  too much waits for a STATE
   78  a setting or a file
  130  stopped by Ctrl-C     143  stopped by SIGTERM";

impl Arguments {
    pub(super) fn parse(
        program: &TargetProgram,
        words: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    ) -> Result<Self, clap::Error> {
        let matches = command(program).try_get_matches_from(words)?;
        let path = |name: &str| matches.get_one::<PathBuf>(name).cloned();
        let json = matches.get_one::<String>("format").is_some_and(|format| format == "json");
        let format = if json { Format::Json } else { Format::Text };
        let about = matches.get_flag("about").then_some(format);
        Ok(Self { config: path("config"), input: path("input"), about })
    }
}

fn command(program: &TargetProgram) -> Command {
    let file = |name: &'static str| {
        let arg = Arg::new(name).long(name).value_name("FILE");
        arg.value_parser(value_parser!(PathBuf)).overrides_with(name)
    };
    Command::new(program.name)
        .version(program.version)
        .about(program.description)
        .after_help(AFTER)
        .arg(file("config").short('c').help("The settings, as JSON; --about names them"))
        .arg(file("input").help("The tap's messages; by default what comes on stdin"))
        .arg(
            Arg::new("about")
                .long("about")
                .action(ArgAction::SetTrue)
                .help("Print what this target is and its settings, and end"),
        )
        .arg(
            Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .value_parser(["text", "json"])
                .default_value("text")
                .help("Of --about"),
        )
}
