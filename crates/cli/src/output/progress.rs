//! What a run shows while it is on: live lines on a terminal, log lines elsewhere.

mod live;
mod plain;
mod tally;

use std::io::IsTerminal;

use runner::RunEvent;

use crate::args::{Global, LogFormat};
use live::Live;
use plain::Plain;

pub(super) use live::above;

/// Shows one run. Dropped, the live lines are gone and the terminal is as it was.
pub(crate) enum Progress {
    Live(Live),
    Plain(Plain),
}

impl Progress {
    /// Chooses by the terminal and the flags.
    pub(crate) fn start(global: &Global, pipeline: &str) -> Self {
        let for_people = global.log_format == LogFormat::Text && global.verbose == 0 && !global.quiet;
        if for_people && !global.json && std::io::stderr().is_terminal() {
            Self::Live(Live::start(pipeline))
        } else {
            Self::Plain(Plain::start(pipeline))
        }
    }

    /// Takes in one event of the run.
    pub(crate) fn hear(&self, event: &RunEvent) {
        match self {
            Self::Live(live) => live.hear(event),
            Self::Plain(plain) => plain.hear(event),
        }
    }
}
