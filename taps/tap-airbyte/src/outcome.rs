//! Whether a source has done what it was asked for: by its statuses and errors, not by its exit code alone.

use std::fmt;

use indexmap::IndexMap;
use serde::Deserialize;
use tap_sdk::{TapError, log};

use crate::offered::Descriptor;
use crate::secrets::Secrets;
use crate::source::Exit;
use crate::stream::Stream;

/// A TRACE message.
#[derive(Deserialize)]
struct Trace {
    error: Option<TraceError>,
    stream_status: Option<StreamStatus>,
    estimate: Option<Estimate>,
}

/// How much is to come, as the source believes before it reads; after a resume most count from the beginning.
#[derive(Deserialize)]
struct Estimate {
    #[serde(flatten)]
    of: Descriptor,
    row_estimate: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct TraceError {
    message: String,
    internal_message: Option<String>,
    stack_trace: Option<String>,
    failure_type: Option<String>,
    stream_descriptor: Option<Descriptor>,
}

impl TraceError {
    fn kind(&self) -> FailureType {
        match self.failure_type.as_deref() {
            Some("transient_error") => FailureType::Transient,
            Some("config_error") => FailureType::Config,
            _ => FailureType::System,
        }
    }
}

/// The gravest last: what a person must do outranks what passes by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum FailureType {
    Transient,
    System,
    Config,
}

#[derive(Deserialize)]
struct StreamStatus {
    stream_descriptor: Descriptor,
    status: Status,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Status {
    Started,
    Complete,
    Incomplete,
    #[serde(other)]
    Running,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Started => "started",
            Self::Running => "running",
            Self::Complete => "complete",
            Self::Incomplete => "incomplete",
        })
    }
}

/// The errors that a source traces.
#[derive(Debug, Default)]
pub(crate) struct Errors {
    secrets: Secrets,
    errors: Vec<TraceError>,
}

impl Errors {
    pub(crate) fn new(secrets: Secrets) -> Self {
        Self { secrets, errors: Vec::new() }
    }

    /// Hears a TRACE; one that is no error is passed over.
    pub(crate) fn hear(&mut self, payload: &str) {
        let error = serde_json::from_str::<Trace>(payload).ok().and_then(|trace| trace.error);
        let Some(error) = error else { return };
        for detail in [&error.internal_message, &error.stack_trace].into_iter().flatten() {
            log::debug(&self.secrets.redact(detail));
        }
        self.errors.push(error);
    }

    /// The failure that they are. What is said of single streams outranks the word about all of them, which the CDK
    /// ends with and always calls an error of the config.
    pub(crate) fn verdict(&self, word: &str) -> Result<(), TapError> {
        let of_streams = || self.errors.iter().filter(|error| error.stream_descriptor.is_some());
        let gravest = |errors: &mut dyn Iterator<Item = &'_ TraceError>| errors.map(TraceError::kind).max();
        let kind = gravest(&mut of_streams()).or_else(|| gravest(&mut self.errors.iter()));
        let Some(kind) = kind else { return Ok(()) };
        let one = of_streams().chain(&self.errors).find(|error| error.kind() == kind);
        let Some(error) = one else { return Ok(()) };
        let stream = error.stream_descriptor.as_ref().map(|of| format!("stream {}: ", of.id()));
        let said = self.secrets.redact(&error.message);
        let problem = format!("the source's `{word}` failed: {}{said}", stream.unwrap_or_default());
        Err(match kind {
            FailureType::Transient => TapError::temporary(problem)
                .with_hint("it passes by itself, says the source: try again later"),
            FailureType::Config => TapError::config(problem)
                .with_hint("it is for you to change: the config, or the rights of its credentials"),
            FailureType::System => TapError::failed(problem).with_hint(
                "what a STATE covers is kept; TAP_AIRBYTE_LOGLEVEL=debug under `tap: { env: … }` tells more",
            ),
        })
    }
}

/// How far the streams of a sync have come.
#[derive(Debug, Default)]
pub(crate) struct Statuses(IndexMap<String, Status>);

impl Statuses {
    /// Hears a TRACE. Gives the stream that it is about and its new status. What helps to follow a long read is logged.
    pub(crate) fn hear(&mut self, payload: &str) -> Option<(Descriptor, Status)> {
        let said = serde_json::from_str::<Trace>(payload).ok()?;
        if let Some((of, rows)) = said.estimate.and_then(|said| Some((said.of, said.row_estimate?))) {
            log::info(&format!("{}: about {rows:.0} records, the source believes", of.id()));
        }
        let said = said.stream_status?;
        let id = said.stream_descriptor.id();
        let before = self.0.insert(id.clone(), said.status);
        if before != Some(said.status) {
            log::info(&format!("{id}: {}", said.status));
        }
        Some((said.stream_descriptor, said.status))
    }

    /// Whether the source tells statuses at all. Old ones do not: then its exit and its errors decide.
    pub(crate) fn are_told(&self) -> bool {
        !self.0.is_empty()
    }

    /// Fails unless each of the streams is complete and the source has ended well.
    pub(crate) fn verdict(&self, streams: &[Stream], exit: Exit) -> Result<(), TapError> {
        let is_complete = |stream: &&Stream| self.0.get(&stream.id) == Some(&Status::Complete);
        let missing: Vec<&str> =
            streams.iter().filter(|stream| !is_complete(stream)).map(|stream| stream.id.as_str()).collect();
        let hint = "what a STATE covers is kept, and the next run goes on from there; the lines above are the source's own";
        if self.are_told() && !missing.is_empty() {
            let names = missing.join(", ");
            let problem = format!("the source ended without completing {names}: {exit}");
            return Err(TapError::failed(problem).with_hint(hint));
        }
        if exit.is_success() {
            return Ok(());
        }
        let told = if self.are_told() { "although every stream is complete" } else { "before it was done" };
        Err(TapError::failed(format!("the source failed {told}: {exit}")).with_hint(hint))
    }
}

#[cfg(test)]
mod tests {
    use super::Errors;

    fn verdict(errors: &[(&str, Option<&str>)]) -> (u8, String) {
        let mut heard = Errors::default();
        for (at, (kind, stream)) in errors.iter().enumerate() {
            let stream = stream.map(|name| format!(r#","stream_descriptor":{{"name":"{name}"}}"#));
            let stream = stream.unwrap_or_default();
            heard.hear(&format!(
                r#"{{"type":"ERROR","emitted_at":1.5,"error":{{"message":"m{at}","failure_type":"{kind}"{stream}}}}}"#
            ));
        }
        let error = heard.verdict("read").unwrap_err();
        (error.exit_code(), error.to_string())
    }

    #[test]
    fn the_gravest_error_of_a_stream_decides() {
        let summary = ("config_error", None);
        for (errors, code, said) in [
            (&[("transient_error", Some("a")), summary][..], 75, "stream a: m0"),
            (&[("transient_error", Some("a")), ("system_error", Some("b")), summary], 1, "stream b: m1"),
            (&[("system_error", Some("a")), ("config_error", Some("b"))], 78, "stream b: m1"),
            (&[summary], 78, "failed: m0"),
            (&[("new_error", None)], 1, "failed: m0"),
        ] {
            let (found, told) = verdict(errors);
            assert_eq!(found, code, "{errors:?}");
            assert!(told.ends_with(said), "{told}");
        }
        let mut none = Errors::default();
        none.hear(r#"{"type":"ESTIMATE","emitted_at":1,"estimate":{"name":"a","type":"STREAM"}}"#);
        assert!(none.verdict("read").is_ok());
    }
}
