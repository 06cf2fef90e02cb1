//! The command line: every verb and flag, with the words that teach it. What a verb does is in
//! `commands`, under the same name.

mod bench;
mod global;
mod install;
mod new;
mod reserved;
mod run;
mod runs;
mod state;
mod test;
mod verbs;

use clap::{Parser, Subcommand};

use crate::exit_code;

pub(crate) use bench::Bench;
pub(crate) use global::{Color, Global, LogFormat};
pub(crate) use install::{Install, Invoke};
pub(crate) use new::{Language, New, NewPipeline, NewTap};
pub(crate) use reserved::Reserved;
pub(crate) use run::{Narrowing, Run};
pub(crate) use runs::{Runs, RunsList, RunsLogs, RunsShow, Status};
pub(crate) use state::{
    State, StateClear, StateDiff, StateExport, StateFormat, StateGet, StateHistory, StateImport, StateMove,
    StateRollback, StateSet,
};
pub(crate) use test::{Longest, Test, TestTap, TestTarget};
pub(crate) use verbs::{Check, Completions, Config, Discover, Explain, Init, Preview, Schema, SchemaKind};

/// Runs Singer taps and loads what they say into a warehouse, each record once.
#[derive(Debug, Parser)]
#[command(
    name = "tapster",
    version,
    arg_required_else_help = true,
    after_help = FIRST_STEPS,
    after_long_help = format!("{FIRST_STEPS}\n\n{}", exit_code::HELP),
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const FIRST_STEPS: &str = "\
First steps:
  tapster init                begin a project here, with a pipeline that runs
  tapster run hello           run it
  tapster new pipeline NAME --tap tap-csv --target target-duckdb
  tapster check NAME          validate it, ask tap and target; loads nothing
  tapster run NAME            load; run again and only what is new is loaded

Every error has a code: `tapster explain CODE` says what to do about it.";

/// The verbs, in the order in which a project meets them.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(Init),
    #[command(subcommand)]
    New(New),
    Install(Install),
    Check(Check),
    Discover(Discover),
    Preview(Preview),
    Run(Box<Run>),
    Bench(Bench),
    Invoke(Invoke),
    #[command(subcommand)]
    Runs(Runs),
    #[command(subcommand)]
    State(State),
    #[command(subcommand)]
    Test(Test),
    Config(Config),
    Schema(Schema),
    Explain(Explain),
    Completions(Completions),
    #[command(flatten)]
    Reserved(Reserved),
}
