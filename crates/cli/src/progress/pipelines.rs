//! Several runs at once on a terminal: a line a pipeline, made from the JSON log of its process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar};
use serde::Deserialize;
use serde_json::{Map, Value};
use tracing::Level;

use super::live::{above, lock, set_lines, style};
use crate::failure::Failure;
use crate::output::{Words, count, print_failure_of, print_words, records};

/// The live lines of the pipelines that run, and one for those that wait.
pub(crate) struct Pipelines {
    lines: MultiProgress,
    waiting: ProgressBar,
    shown: Mutex<Shown>,
}

struct Shown {
    /// Pipelines that have not begun.
    waiting: usize,
    running: BTreeMap<String, (ProgressBar, Figures)>,
}

/// What is known of one run.
#[derive(Debug, Default)]
struct Figures {
    doing: &'static str,
    read: u64,
    committed: u64,
}

/// A line of the child's log: an event of the run, or a message with a level.
#[derive(Deserialize)]
struct Line {
    event: Option<String>,
    level: Option<String>,
    error: Option<Value>,
    records: Option<u64>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Pipelines {
    pub(crate) fn new(pipelines: usize) -> Arc<Self> {
        let lines = MultiProgress::new();
        let waiting = lines.add(ProgressBar::new_spinner());
        waiting.set_style(style("{spinner:.cyan} {wide_msg}"));
        waiting.enable_steady_tick(Duration::from_millis(120));
        set_lines(Some(lines.clone()));
        let shown = Mutex::new(Shown { waiting: pipelines, running: BTreeMap::new() });
        Arc::new(Self { lines, waiting, shown })
    }

    /// Takes in a line of a run's log: its own line changes, and what a person must read goes above.
    pub(crate) fn hear(&self, pipeline: &str, line: &str) {
        let Ok(heard) = serde_json::from_str::<Line>(line) else {
            return above(|| print_words(&format!("{pipeline}: {line}")));
        };
        let mut shown = lock(&self.shown);
        let (bar, figures) = self.entry(&mut shown, pipeline);
        if heard.event.is_some() && figures.hear(&heard) {
            bar.set_message(figures.text(pipeline));
        }
        drop(shown);
        if let Some(Ok(failure)) = heard.error.clone().map(serde_json::from_value::<Failure>) {
            above(|| print_failure_of(pipeline, &failure));
        } else if let Some(words) = words(pipeline, heard) {
            above(|| print_words(&words));
        }
    }

    /// The run is over: its line goes.
    pub(crate) fn ended(&self, pipeline: &str) {
        let mut shown = lock(&self.shown);
        self.entry(&mut shown, pipeline);
        if let Some((bar, _)) = shown.running.remove(pipeline) {
            bar.finish_and_clear();
        }
    }

    /// All runs are over.
    pub(crate) fn clear(&self) {
        set_lines(None);
        self.waiting.finish_and_clear();
        // The terminal may be gone; then nothing is left to clear.
        let _ = self.lines.clear();
    }

    fn entry<'a>(&self, shown: &'a mut Shown, pipeline: &str) -> &'a mut (ProgressBar, Figures) {
        let Shown { waiting, running } = shown;
        running.entry(pipeline.to_owned()).or_insert_with(|| {
            *waiting = waiting.saturating_sub(1);
            self.waiting.set_message(match *waiting {
                0 => String::new(),
                more => format!("{more} more to come"),
            });
            let bar = self.lines.insert_before(&self.waiting, ProgressBar::new_spinner());
            bar.set_style(style("  {wide_msg}"));
            (bar, Figures { doing: "connecting", ..Figures::default() })
        })
    }
}

impl Figures {
    /// Whether the event changes the line.
    fn hear(&mut self, line: &Line) -> bool {
        match line.event.as_deref() {
            Some("resumed") => self.doing = "starting the tap",
            Some("tap_started") => self.doing = "reading",
            Some("batch_written") => self.read += line.records.unwrap_or_default(),
            Some("checkpointed") => self.committed = self.read,
            Some("tap_exited") => self.doing = "committing the rest",
            Some("retrying") => (self.doing, self.read) = ("waiting to try again", self.committed),
            _ => return false,
        }
        true
    }

    /// `shop      reading, 336,776 records, 300,000 of them committed`.
    fn text(&self, pipeline: &str) -> String {
        let Self { doing, read, committed } = self;
        match read {
            0 => format!("{pipeline:<20} {doing}"),
            _ => {
                format!("{pipeline:<20} {doing}, {}, {} of them committed", records(*read), count(*committed))
            }
        }
    }
}

/// What a message, or the event of a retry, says to a person.
fn words(pipeline: &str, line: Line) -> Option<String> {
    let level = match line.level.as_deref() {
        Some("ERROR") => Level::ERROR,
        Some("WARN") => Level::WARN,
        Some("INFO") => Level::INFO,
        Some("DEBUG") => Level::DEBUG,
        Some(_) => Level::TRACE,
        None if line.event.as_deref() == Some("retrying") => {
            return Some(format!("{pipeline}: {}; it is tried again", line.error?.as_str()?));
        }
        None => return None,
    };
    let mut words = Words::default();
    let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if let Some(error) = line.error {
        words.add("error", text(error));
    }
    for (name, value) in line.rest {
        if !matches!(&*name, "timestamp" | "target" | "pipeline") {
            words.add(&name, text(value));
        }
    }
    Some(words.line(level, Some(pipeline)))
}

#[cfg(test)]
mod tests {
    use super::{Figures, Line, words};

    fn line(text: &str) -> Line {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_pipeline_s_line_says_what_is_read_and_what_is_safe() {
        let mut figures = Figures::default();
        for event in [
            r#"{"event":"tap_started","pid":1,"attempt":1}"#,
            r#"{"event":"batch_written","stream":"a","records":1000,"bytes":1}"#,
            r#"{"event":"checkpointed","sequence":1}"#,
            r#"{"event":"batch_written","stream":"b","records":500,"bytes":1}"#,
        ] {
            assert!(figures.hear(&line(event)));
        }
        assert_eq!(
            figures.text("shop"),
            "shop                 reading, 1,500 records, 1,000 of them committed"
        );
        figures
            .hear(&line(r#"{"event":"retrying","error":"gone","code":"E0301","wait":{"secs":1,"nanos":0}}"#));
        assert_eq!(
            figures.text("shop"),
            "shop                 waiting to try again, 1,000 records, 1,000 of them committed"
        );
    }

    #[test]
    fn warnings_of_a_child_s_log_name_its_pipeline() {
        let warning =
            r#"{"timestamp":"t","level":"WARN","message":"dropped","stream":"a","target":"load::cutter"}"#;
        assert_eq!(words("shop", line(warning)).as_deref(), Some("warning: shop: dropped (stream a)"));
        let retry = r#"{"timestamp":"t","event":"retrying","error":"gone","code":"E0301","wait":{"secs":1,"nanos":0}}"#;
        assert_eq!(words("shop", line(retry)).as_deref(), Some("shop: gone; it is tried again"));
        assert_eq!(words("shop", line(r#"{"event":"tap_exited","code":0,"signal":null}"#)), None);
    }
}
