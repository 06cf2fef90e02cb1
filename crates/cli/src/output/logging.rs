use std::fmt;
use std::io::{self, Write};

use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, fmt as log};
use tracing_subscriber::registry::LookupSpan;

use super::words::{Words, subject};
use crate::args::{Global, LogFormat};
use crate::progress;

/// What is told in any case besides warnings: that and for whom something waits.
const WAITS: &str = "tapster::wait=info";

/// Our own crates, which `-v` makes talk. Libraries stay silent until `-vv`.
const OURS: [&str; 11] = [
    "tapster",
    "columns",
    "config",
    "load",
    "packages",
    "runner",
    "singer",
    "store",
    "target_duckdb",
    "target_jsonl",
    "target_postgres",
];

/// Sends the log to stderr, in the form and with the detail asked for. `TAPSTER_LOG` overrides the
/// detail, in the syntax of tracing's filters.
pub(crate) fn start_logging(global: &Global) {
    let filter = EnvFilter::try_from_env("TAPSTER_LOG").unwrap_or_else(|_| EnvFilter::new(detail(global)));
    let builder = log().with_env_filter(filter).with_writer(|| AboveLive);
    // A second call would be a second start of the program in one process; the first log stays.
    let _ = match global.log_format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Text => builder.event_format(ForPeople).try_init(),
    };
}

fn detail(global: &Global) -> String {
    match (global.quiet, global.verbose) {
        (true, _) => "error".to_owned(),
        (false, 0) => format!("warn,{WAITS}"),
        (false, 1) => format!("warn,{}=debug", OURS.join("=debug,")),
        (false, 2) => "debug".to_owned(),
        (false, _) => "trace".to_owned(),
    }
}

/// `warning: …`, like the other words on stderr: the log with times is the run's own.
struct ForPeople;

impl<S, N> FormatEvent<S, N> for ForPeople
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut to: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut words = Words::default();
        event.record(&mut words);
        writeln!(to, "{}", words.line(*event.metadata().level(), subject()))
    }
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
