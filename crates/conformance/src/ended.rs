//! How a process of the program ended, and what that says of it, tap or target.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use crate::Check;
use crate::report::Rule;

/// How it ended, once nothing of it is left.
pub(crate) struct Ended {
    /// `None` when it had to be killed.
    pub(crate) exit: Option<ExitStatus>,
    /// Processes of it that it did not end.
    pub(crate) left: usize,
    /// The last line on its standard error.
    pub(crate) last_words: String,
}

impl Ended {
    /// `; its last words: …`, where there are some.
    pub(crate) fn said(&self) -> String {
        if self.last_words.is_empty() {
            return String::new();
        }
        format!("; its last words: {}", self.last_words)
    }

    /// How it took SIGTERM, given `grace` to end, which took it `took`.
    pub(crate) fn obeys(&self, rule: &Rule, grace: Duration, took: Duration) -> Check {
        match self.exit {
            None => rule.failed(format!("it had not ended {} s after SIGTERM", grace.as_secs_f32())),
            Some(exit) => {
                rule.ok(format!("it ended with {}, {} ms after SIGTERM", ending(exit), took.as_millis()))
            }
        }
    }

    /// How it took that nobody reads its output, given `longest` to end.
    pub(crate) fn gives_up(&self, rule: &Rule, longest: Duration) -> Check {
        match self.exit {
            None => rule.failed(format!("it went on for {} s without a reader", longest.as_secs_f32())),
            Some(exit) => rule.ok(format!("without a reader it ended with {}", ending(exit))),
        }
    }

    /// What was left of a process that ended by itself.
    pub(crate) fn leftovers(&self, rule: &Rule) -> Check {
        match self.left {
            0 => rule.ok("nothing of it was left after its run"),
            left => rule.failed(format!("{left} of its processes went on after it had ended")),
        }
    }
}

/// How a program ended, as people say it.
pub(crate) fn ending(exit: ExitStatus) -> String {
    match (exit.code(), exit.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "an unknown end".to_owned(),
    }
}
