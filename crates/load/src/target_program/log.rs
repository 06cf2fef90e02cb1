//! Words for people, on stderr: `warning: …`, `error[E0203]: …`.

use std::error::Error;
use std::fmt::{self, Debug, Write as _};
use std::io::Write as _;
use std::sync::Mutex;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, fmt as log};
use tracing_subscriber::registry::LookupSpan;

use super::ProgramError;

static PANIC: Mutex<Option<String>> = Mutex::new(None);

/// Sends the log to stderr. `TARGET_NAME_LOGLEVEL` (`TARGET_DUCKDB_LOGLEVEL=debug`) says how much, in the syntax of
/// tracing's filters.
pub(super) fn set_up(program: &str) {
    let variable = format!("{}_LOGLEVEL", program.replace('-', "_").to_ascii_uppercase());
    let wanted = std::env::var(variable).unwrap_or_default().to_ascii_lowercase();
    let filter = match wanted.as_str() {
        "" => EnvFilter::new("warn,load::target_program=info"),
        wanted => EnvFilter::new(wanted.replace("warning", "warn").replace("critical", "error")),
    };
    let _ = log().with_env_filter(filter).with_writer(std::io::stderr).event_format(ForPeople).try_init();
    keep_panics();
}

/// Keeps a panic's place instead of printing its text, which may hold a record's value.
fn keep_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        if let Ok(mut kept) = PANIC.lock() {
            kept.get_or_insert(place);
        }
        if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
            usual(panic);
        }
    }));
}

/// Where the first panic was.
pub(super) fn bug() -> ProgramError {
    let place = PANIC.lock().ok().and_then(|place| place.clone());
    ProgramError::Bug(place.unwrap_or_else(|| "an unknown place".to_owned()))
}

/// `error[E0203]: what, where`, a line for each cause, one for the hint.
pub(super) fn report(error: &ProgramError) {
    let message = error.to_string();
    let mut text = format!("error[{}]: {}\n", error.code(), message.trim_end());
    let mut cause = error.source();
    while let Some(source) = cause {
        let said = source.to_string();
        if !message.contains(&said) {
            let _ = writeln!(text, "  because: {}", set_in(&said, 11));
        }
        cause = source.source();
    }
    if let Some(hint) = error.hint() {
        let _ = writeln!(text, "  hint: {}", set_in(&hint, 8));
    }
    // A closed stderr is no reason to stop.
    let _ = std::io::stderr().write_all(plain(&text).as_bytes());
}

fn set_in(text: &str, columns: usize) -> String {
    text.trim_end().replace('\n', &format!("\n{}", " ".repeat(columns)))
}

/// What comes from a tap must not steer the terminal.
fn plain(text: &str) -> String {
    text.replace(|letter: char| letter.is_control() && letter != '\n', " ")
}

struct ForPeople;

impl<S, N> FormatEvent<S, N> for ForPeople
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut to: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut words = Words::default();
        event.record(&mut words);
        let level = match *event.metadata().level() {
            Level::ERROR => "error: ",
            Level::WARN => "warning: ",
            Level::INFO => "",
            _ => "debug: ",
        };
        let fields = words.fields.join(", ");
        let fields =
            if words.message.is_empty() || fields.is_empty() { fields } else { format!(" ({fields})") };
        writeln!(to, "{level}{}", plain(&(words.message + &fields)))
    }
}

#[derive(Default)]
struct Words {
    message: String,
    fields: Vec<String>,
}

impl Visit for Words {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => value.clone_into(&mut self.message),
            name => self.fields.push(format!("{name} {value}")),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}
