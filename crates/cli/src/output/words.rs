//! Words on stderr: `warning: …` for people, one JSON object a line with `--log-format json`.

use std::fmt::Debug;
use std::sync::OnceLock;

use serde::Serialize;
use tracing::Level;
use tracing::field::{Field, Visit};

use crate::args::LogFormat;
use crate::failure::Failure;

/// What the command line says about stderr, once it is read.
static FORM: OnceLock<Form> = OnceLock::new();

#[derive(Debug)]
struct Form {
    json: bool,
    /// The pipeline that all words are about, where several talk at once.
    subject: Option<String>,
}

/// Sets the form of everything that is said on stderr from now on.
pub(crate) fn set_form(format: LogFormat, subject: Option<String>) {
    // A second call would be a second command line in one process; the first stays.
    let _ = FORM.set(Form { json: format == LogFormat::Json, subject });
}

/// Whether stderr is for a program.
pub(super) fn in_json() -> bool {
    FORM.get().is_some_and(|form| form.json)
}

/// The pipeline that all words are about, where several talk at once.
pub(super) fn subject() -> Option<&'static str> {
    FORM.get().and_then(|form| form.subject.as_deref())
}

#[derive(Serialize)]
struct Line<'a> {
    timestamp: String,
    level: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pipeline: Option<&'a str>,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a Failure>,
}

/// A message, and the failure that it is about, as one JSON object and a line feed.
pub(super) fn json_line(level: Level, message: &str, error: Option<&Failure>) -> String {
    let timestamp = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    let line = Line { timestamp, level: level.as_str(), pipeline: subject(), message, error };
    serde_json::to_string(&line).unwrap_or_default() + "\n"
}

/// A log's message with its fields, gathered to be read by a person.
#[derive(Debug, Default)]
pub(crate) struct Words {
    message: String,
    error: Option<String>,
    fields: Vec<(String, String)>,
}

impl Words {
    /// Adds a field of the event; `message` and `error` have places of their own.
    pub(crate) fn add(&mut self, name: &str, value: String) {
        match name {
            "message" => self.message = value,
            "error" => self.error = Some(value),
            _ => self.fields.push((name.to_owned(), value)),
        }
    }

    /// `warning: shop: dropped a property (stream orders, property note)`.
    pub(crate) fn line(&self, level: Level, subject: Option<&str>) -> String {
        let mut text = match level {
            Level::ERROR => "error: ",
            Level::WARN => "warning: ",
            Level::INFO => "",
            _ => "debug: ",
        }
        .to_owned();
        if let Some(subject) = subject {
            text.extend([subject, ": "]);
        }
        let fields: Vec<_> = self.fields.iter().map(|(name, value)| format!("{name} {value}")).collect();
        match (self.message.is_empty(), fields.is_empty()) {
            (true, _) => text.push_str(&fields.join(", ")),
            (false, true) => text.push_str(&self.message),
            (false, false) => text.extend([&*self.message, " (", &fields.join(", "), ")"]),
        }
        if let Some(error) = &self.error {
            text.extend([": ", error]);
        }
        // What comes from a tap must not steer the terminal.
        text.replace(|letter: char| letter.is_control() && letter != '\n', " ")
    }
}

impl Visit for Words {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.add(field.name(), format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::Words;
    use tracing::Level;

    #[test]
    fn a_log_line_reads_as_a_sentence() {
        let mut words = Words::default();
        words.add("message", "dropped a property".into());
        words.add("stream", "orders".into());
        words.add("property", "no\u{1b}[2Jte".into());
        assert_eq!(
            words.line(Level::WARN, None),
            "warning: dropped a property (stream orders, property no [2Jte)"
        );
        words = Words::default();
        words.add("error", "disk full".into());
        words.add("message", "the log is not kept".into());
        assert_eq!(words.line(Level::WARN, Some("shop")), "warning: shop: the log is not kept: disk full");
        words = Words::default();
        words.add("phase", "merge".into());
        assert_eq!(words.line(Level::DEBUG, None), "debug: phase merge");
    }
}
