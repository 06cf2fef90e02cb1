use std::io::{self, IsTerminal, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::args::{Color, Global, LogFormat};
use crate::progress;

/// Sends the log to stderr, in the form and with the detail asked for. `TAPSTER_LOG` overrides the
/// detail, in the syntax of tracing's filters.
pub(crate) fn start_logging(global: &Global) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "info",
        (false, 2) => "debug",
        (false, _) => "trace",
    };
    let filter = EnvFilter::try_from_env("TAPSTER_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let builder = fmt().with_env_filter(filter).with_writer(|| AboveLive);
    // A second call would be a second start of the program in one process; the first log stays.
    let _ = match global.log_format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Text => builder.with_target(false).with_ansi(colored(global.color)).try_init(),
    };
}

/// stderr, above the live lines of a run where there are some.
struct AboveLive;

impl Write for AboveLive {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        progress::above(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

fn colored(color: Color) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty())
        }
    }
}
