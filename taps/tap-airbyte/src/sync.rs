//! A sync: the source's `read` as Singer messages, in the order in which it says them.

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;

use chrono::{DateTime, SecondsFormat};
use serde_json::Value;
use singer::{Catalog, Envelope, MessageWriter};
use tap_sdk::{TapError, log, stdout, version_now};
use tempfile::NamedTempFile;

use crate::configured::configured;
use crate::control;
use crate::message::{Kind, Message, Record};
use crate::outcome::{Errors, Status, Statuses};
use crate::secrets::Secrets;
use crate::source::{Heard, Source};
use crate::state::{Said, SourceState};
use crate::stream::{Method, Stream, selected};

/// What a sync works with.
pub(crate) struct Request<'a> {
    pub(crate) source: &'a Source,
    /// The config's file.
    pub(crate) config: &'a Path,
    pub(crate) specification: &'a Value,
    pub(crate) secrets: &'a Secrets,
    pub(crate) catalog: &'a Catalog,
}

/// Reads the selected streams from `state` on.
///
/// # Errors
/// A stream is not complete, or the source breaks the protocol. What a STATE has covered until then counts.
pub(crate) fn sync(request: &Request, mut state: SourceState) -> Result<(), TapError> {
    let streams = selected(request.catalog)?;
    if streams.is_empty() {
        return Ok(());
    }
    let sync_id = version_now();
    let open: Vec<Open> = streams.iter().map(|stream| Open::new(state.begin(stream, sync_id))).collect();
    let generations = streams.iter().zip(open.iter().map(|open| open.generation));
    let no_json = |error: serde_json::Error| {
        TapError::failed(format!("a file for the source has no JSON form: {error}"))
    };
    let catalog = private(request.config, &configured(generations, sync_id).map_err(no_json)?)?;
    let given = state.for_source(&streams).map_err(no_json)?;
    let given = given.map(|text| private(request.config, &text)).transpose()?;
    let mut arguments: Vec<OsString> =
        vec!["--config".into(), request.config.into(), "--catalog".into(), catalog.path().into()];
    if let Some(given) = &given {
        arguments.extend(["--state".into(), given.path().into()]);
    }
    let mut sync = Syncing {
        writer: MessageWriter::new(stdout()?),
        streams: &streams,
        open,
        last: 0,
        state,
        sync_id,
        held: false,
        statuses: Statuses::default(),
        errors: request.source.errors(),
    };
    sync.schemas()?;
    let exit = request.source.run("read", &arguments, &mut |heard| sync.hear(heard, request))?;
    sync.conclude(exit)
}

/// A file beside the config, where nobody else can read, until it is dropped.
fn private(config: &Path, text: &str) -> Result<NamedTempFile, TapError> {
    let folder = config.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written = NamedTempFile::new_in(folder).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        Ok(file)
    });
    written.map_err(|error| {
        TapError::failed(format!(
            "the files for the source cannot be written to {}: {error}",
            folder.display()
        ))
    })
}

/// What is known of a stream while it is read.
struct Open {
    /// Of a full table; else 0.
    generation: i64,
    /// Records since its last state, and since it last was covered by one, which completeness is, too.
    since_state: u64,
    uncovered: u64,
    /// What its records have in common, and the time that this holds.
    envelope: Option<(Option<i64>, Envelope)>,
    is_active: bool,
}

impl Open {
    fn new(generation: i64) -> Self {
        Self { generation, since_state: 0, uncovered: 0, envelope: None, is_active: false }
    }
}

struct Syncing<'a, W: Write> {
    writer: MessageWriter<W>,
    streams: &'a [Stream],
    /// One a stream.
    open: Vec<Open>,
    /// The stream of the last record.
    last: usize,
    state: SourceState,
    sync_id: i64,
    /// Whether a STATE waits until it covers no half-read stream that would be doubled.
    held: bool,
    statuses: Statuses,
    errors: Errors,
}

impl<W: Write> Syncing<'_, W> {
    fn schemas(&mut self) -> Result<(), TapError> {
        for stream in self.streams {
            let cursor = stream.cursor.get(..1).unwrap_or_default();
            let cursor = if stream.method == Method::Incremental { cursor } else { &[] };
            self.writer.schema(&stream.id, &stream.schema, &stream.key, cursor).map_err(TapError::Output)?;
        }
        Ok(())
    }

    fn hear(&mut self, heard: Heard, request: &Request) -> Result<(), TapError> {
        match heard {
            Heard::Message(Message::Record(record)) => self.record(&record),
            Heard::Message(Message::Other(Kind::State, payload)) => self.take_state(payload),
            Heard::Message(Message::Other(Kind::Trace, payload)) => self.trace(payload),
            Heard::Message(Message::Other(Kind::Control, payload)) => {
                if let Some(config) = control::obey(payload, request.config)? {
                    let config = serde_json::from_str(config).unwrap_or_default();
                    request.secrets.learn(request.specification, &config);
                }
                Ok(())
            }
            Heard::Message(_) => Ok(()),
            Heard::Pause => self.writer.flush().map_err(TapError::Output),
        }
    }

    fn record(&mut self, record: &Record) -> Result<(), TapError> {
        let namespace = record.namespace.as_deref();
        let is_of = |stream: &Stream| stream.descriptor.is(&record.stream, namespace);
        if !self.streams.get(self.last).is_some_and(is_of) {
            self.last = self.streams.iter().position(is_of).ok_or_else(|| {
                let name = namespace.map_or_else(String::new, |namespace| format!("{namespace}."));
                broken(&format!("it sent a record of {name}{}, which is not selected", record.stream))
            })?;
        }
        let (Some(stream), Some(open)) = (self.streams.get(self.last), self.open.get_mut(self.last)) else {
            return Ok(());
        };
        open.since_state += 1;
        open.uncovered += 1;
        let (emitted_at, envelope) = match open.envelope.take() {
            Some((time, envelope)) if time == record.emitted_at => (time, envelope),
            _ => (record.emitted_at, envelope(stream, open.generation, record.emitted_at)),
        };
        let written = self.writer.record_text(&envelope, record.data.get().as_bytes());
        open.envelope = Some((emitted_at, envelope));
        written.map_err(TapError::Output)
    }

    /// Checks a state's counts before it goes on.
    fn take_state(&mut self, payload: &str) -> Result<(), TapError> {
        let said: Said =
            serde_json::from_str(payload).map_err(|_| broken("it sent a STATE of a wrong form"))?;
        let of = said.stream().map(|of| self.streams.iter().position(|stream| stream.id == of.id()));
        let covers = |at: usize| of.is_none_or(|of| of == Some(at));
        let mut counted = 0;
        for (_, open) in self.open.iter_mut().enumerate().filter(|(at, _)| covers(*at)) {
            counted += std::mem::take(&mut open.since_state);
            open.uncovered = 0;
        }
        #[expect(clippy::cast_precision_loss, reason = "the source says it as a float itself")]
        if let Some(claimed) = said.record_count().filter(|claimed| (claimed - counted as f64).abs() > 0.5) {
            let whose =
                said.stream().map_or_else(|| "its streams".to_owned(), |of| format!("stream {}", of.id()));
            return Err(broken(&format!(
                "{counted} records of {whose} came before a STATE that counts {claimed}"
            )));
        }
        self.state.take(said, self.streams, self.sync_id).map_err(broken)?;
        self.say_state()
    }

    fn trace(&mut self, payload: &str) -> Result<(), TapError> {
        self.errors.hear(payload);
        let Some((of, Status::Complete)) = self.statuses.hear(payload) else { return Ok(()) };
        let at = self.streams.iter().position(|stream| stream.id == of.id());
        at.map_or(Ok(()), |at| self.complete(at))
    }

    /// A full table is whole: what was there before goes, in one commit with its STATE.
    fn complete(&mut self, at: usize) -> Result<(), TapError> {
        let (Some(stream), Some(open)) = (self.streams.get(at), self.open.get_mut(at)) else { return Ok(()) };
        if stream.method == Method::Incremental || open.is_active {
            return Ok(());
        }
        (open.is_active, open.uncovered) = (true, 0);
        self.state.complete(stream);
        self.writer.activate_version(&stream.id, open.generation).map_err(TapError::Output)?;
        self.say_state()
    }

    /// A STATE covers everything before it. Records of a stream without key that its own state does not cover yet
    /// would be sent again after a failure, and be there twice: until then it waits.
    fn say_state(&mut self) -> Result<(), TapError> {
        let doubled = |(stream, open): (&Stream, &Open)| stream.doubles() && open.uncovered > 0;
        self.held = self.streams.iter().zip(&self.open).any(doubled);
        if self.held { Ok(()) } else { self.writer.state(&self.state).map_err(TapError::Output) }
    }

    fn conclude(mut self, exit: crate::source::Exit) -> Result<(), TapError> {
        self.errors.verdict("read")?;
        self.statuses.verdict(self.streams, exit)?;
        if !self.statuses.are_told() {
            log::info("the source tells no statuses of its streams: its clean end counts");
            for at in 0..self.streams.len() {
                self.complete(at)?;
            }
        }
        if self.held {
            self.writer.state(&self.state).map_err(TapError::Output)?;
        }
        self.writer.flush().map_err(TapError::Output)
    }
}

fn envelope(stream: &Stream, generation: i64, emitted_at: Option<i64>) -> Envelope {
    let time = emitted_at.and_then(DateTime::from_timestamp_millis);
    let time = time.map(|time| time.to_rfc3339_opts(SecondsFormat::Millis, true));
    let version = Some(generation).filter(|_| stream.method == Method::FullTable);
    Envelope::new(&stream.id, version, time.as_deref())
}

/// A break of the protocol.
fn broken(problem: &str) -> TapError {
    TapError::failed(format!("the source breaks its protocol: {problem}"))
        .with_hint("what a STATE covers is kept; tell the source's author")
}
