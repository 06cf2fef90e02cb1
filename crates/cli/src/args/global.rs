use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};

/// Flags that every verb takes, before or after it.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that people type")]
#[command(next_help_heading = "On every command")]
pub(crate) struct Global {
    /// The project folder [default: the nearest one upwards with a tapster.yml or pipelines/]
    #[arg(short = 'C', long, global = true, value_name = "DIR")]
    pub(crate) project: Option<PathBuf>,

    /// The environment [default: `default_environment` of tapster.yml]
    #[arg(short, long, global = true, value_name = "NAME", env = "TAPSTER_ENVIRONMENT", hide_env = true)]
    pub(crate) environment: Option<String>,

    /// Print one JSON document on stdout and nothing else there
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// The form of the log on stderr
    #[arg(long, global = true, value_name = "FORM", default_value = "text", hide_default_value = true)]
    pub(crate) log_format: LogFormat,

    /// Log each step of a run (-vv: what the libraries say, too)
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,

    /// Print results and errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Colours: auto, always or never; auto heeds `NO_COLOR` in the environment
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_default_value = true)]
    pub(crate) color: Color,

    /// Do what deletes without asking; needed off a terminal
    #[arg(short, long, global = true)]
    pub(crate) yes: bool,

    /// Set for the runs that one `run` starts beside each other: no live lines, no next steps
    #[arg(long, global = true, hide = true)]
    pub(crate) beside_others: bool,
}

impl Global {
    /// What a next step must say to mean the same environment: ` -e prod`, or nothing.
    pub(crate) fn environment_flag(&self) -> String {
        self.environment.as_ref().map(|name| format!(" -e {name}")).unwrap_or_default()
    }
}

/// The form of the log on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
pub(crate) enum LogFormat {
    /// Lines for people
    Text,
    /// One JSON object a line
    Json,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
pub(crate) enum Color {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}
