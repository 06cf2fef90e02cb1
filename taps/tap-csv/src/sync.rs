//! Sends the selected streams: SCHEMA, the records of their files, a STATE now and then.

use singer::Envelope;
use tap_sdk::{Output, SyncRequest, TapError, TapState, log, time_extracted_now, version_now};

use crate::bookmark::StreamBookmark;
use crate::config::{Config, ReplicationMethod};
use crate::error::{FileError, Problem};
use crate::files::{self, Stamp};
use crate::header::Header;
use crate::pace::Pace;
use crate::plan::StreamPlan;
use crate::reader::RecordReader;

/// Sends everything that is selected.
pub(crate) fn sync(request: SyncRequest<'_, Config>) -> Result<(), TapError> {
    let SyncRequest { config, catalog, state, output } = request;
    let selected = catalog.selected_streams().map(|stream| {
        let bookmark = state.bookmark::<StreamBookmark>(&stream.tap_stream_id)?.unwrap_or_default();
        StreamPlan::new(stream, config, &bookmark.types)
    });
    // All mistakes in the catalog are found before the first message.
    let plans = selected.collect::<Result<Vec<_>, _>>()?;
    let mut session = Session { state, output, pace: Pace::new(config.state_every) };
    for plan in &plans {
        session.state.set_currently_syncing(Some(plan.id));
        StreamSync::start(plan, &mut session)?.run()?;
    }
    session.state.set_currently_syncing(None);
    session.output.state(&session.state)
}

/// What all streams share.
struct Session<'a> {
    state: TapState,
    output: &'a mut Output,
    pace: Pace,
}

/// One stream on its way.
struct StreamSync<'a, 'o> {
    plan: &'a StreamPlan<'a>,
    session: &'a mut Session<'o>,
    bookmark: StreamBookmark,
    /// Whether the stream has a bookmark from before.
    known: bool,
}

/// What came of a file.
enum Outcome {
    /// It has the size and time that it had when it was read to its end.
    Untouched,
    /// It is read to its end, so many records.
    Read(u64),
    /// What was read of it before is not there any more.
    Rewritten,
}

impl<'a, 'o> StreamSync<'a, 'o> {
    fn start(plan: &'a StreamPlan<'a>, session: &'a mut Session<'o>) -> Result<Self, TapError> {
        let bookmark = session.state.bookmark::<StreamBookmark>(plan.id)?;
        let known = bookmark.is_some();
        Ok(Self { plan, session, bookmark: bookmark.unwrap_or_default(), known })
    }

    fn run(mut self) -> Result<(), TapError> {
        let paths = files::find(&self.plan.entry.path)?;
        if let Some(schema) = &self.plan.schema {
            self.session.output.schema(self.plan.name, schema, &self.plan.keys, &[])?;
        } else {
            log::warning(&format!(
                "{}: no record yet, so no column has a type: there is no table until there is one",
                self.plan.name
            ));
        }
        self.bookmark.types.extend(self.plan.types.clone());
        match self.plan.method {
            ReplicationMethod::Incremental => self.incremental(&paths)?,
            ReplicationMethod::FullTable => self.full_table(&paths)?,
        }
        self.send_state()
    }

    fn incremental(&mut self, paths: &[String]) -> Result<(), TapError> {
        if self.bookmark.version.take().is_some() {
            if self.plan.keys.is_empty() {
                let id = self.plan.id;
                return Err(TapError::config(format!(
                    "the stream `{id}` was FULL_TABLE before and has no key: INCREMENTAL would send its records once more"
                ))
                .with_hint("give it `key_properties`, or run once with --full-refresh"));
            }
            self.bookmark.files.clear();
        }
        for path in paths {
            let outcome = match self.file(path)? {
                Outcome::Rewritten => self.rewritten(path)?,
                other => other,
            };
            log_outcome(path, &outcome);
        }
        Ok(())
    }

    /// With a key the records of a rewritten file find their old selves, without one they would be doubled.
    fn rewritten(&mut self, path: &str) -> Result<Outcome, TapError> {
        let place = self.bookmark.files.shift_remove(path);
        if self.plan.keys.is_empty() {
            let (bytes, lines) = place.map_or((0, 0), |place| (place.bytes, place.lines));
            let problem = Problem::Rewritten { stream: self.plan.name.to_owned(), bytes, lines };
            return Err(FileError::new(path, problem).into());
        }
        log::warning(&format!(
            "{path}: has changed in the part that was read before: it is read whole again. Records that it no longer holds stay where they were loaded"
        ));
        self.file(path)
    }

    fn full_table(&mut self, paths: &[String]) -> Result<(), TapError> {
        let unfinished = self.bookmark.version.filter(|_| !self.bookmark.files.is_empty());
        let mut version = unfinished.unwrap_or_else(version_now);
        if unfinished.is_none() {
            self.bookmark.files.clear();
        }
        if !self.known {
            // There is nothing to keep until all is there: what comes may be seen at once.
            self.activate(version)?;
        }
        self.bookmark.version = Some(version);
        while !self.all_files(paths)? {
            log::warning(&format!("{}: files changed since the last run: starting over", self.plan.name));
            version = version_now().max(version + 1);
            self.bookmark.files.clear();
            self.bookmark.version = Some(version);
        }
        // A version without places is a version that is through.
        self.bookmark.files.clear();
        self.activate(version)
    }

    /// Without a table there is nothing that a version could replace.
    fn activate(&mut self, version: i64) -> Result<(), TapError> {
        if self.plan.schema.is_none() {
            return Ok(());
        }
        self.session.output.activate_version(self.plan.name, version)
    }

    /// `false` when a file is not what it was in the run that is gone on with.
    fn all_files(&mut self, paths: &[String]) -> Result<bool, TapError> {
        for path in paths {
            let outcome = self.file(path)?;
            if matches!(outcome, Outcome::Rewritten) {
                return Ok(false);
            }
            log_outcome(path, &outcome);
        }
        Ok(true)
    }

    /// Sends what is new in a file.
    fn file(&mut self, path: &str) -> Result<Outcome, TapError> {
        let stamp = Stamp::of(path)?;
        let place = self.bookmark.files.get(path);
        let untouched = place.is_some_and(|place| {
            place.size == Some(stamp.size) && place.modified.is_some() && place.modified == stamp.modified
        });
        if untouched {
            return Ok(Outcome::Untouched);
        }
        let dialect = self.plan.entry.dialect();
        let mut reader = RecordReader::new(files::open(path)?, path, dialect);
        let header = Header::read(&mut reader, path, dialect)?;
        header.require(&self.plan.keys, path)?;
        if let Some(place) = place
            && !reader.skip_to(place)?
        {
            return Ok(Outcome::Rewritten);
        }
        let records = self.records(path, &header, &mut reader)?;
        let place = self.bookmark.files.entry(path.to_owned()).insert_entry(reader.place()).into_mut();
        (place.size, place.modified) = (Some(stamp.size), stamp.modified);
        if self.session.pace.is_due(self.bookmark.files.len()) {
            self.send_state()?;
        }
        Ok(Outcome::Read(records))
    }

    fn records(&mut self, path: &str, header: &Header, reader: &mut RecordReader) -> Result<u64, TapError> {
        let (encoder, unknown) = self.plan.encoder(header);
        if !unknown.is_empty() {
            let names =
                crate::header::listed(&unknown.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
            log::warning(&format!(
                "{path}: not in the catalog, so not sent: {names}. Discover again to have them"
            ));
        }
        let envelope = Envelope::new(self.plan.name, self.bookmark.version, Some(&time_extracted_now()));
        let mut json = Vec::new();
        let mut records = 0;
        while let Some(record) = reader.next()? {
            header.check(&record, path)?;
            encoder.encode(&record, path, &mut json)?;
            self.session.output.record_text(&envelope, &json)?;
            records += 1;
            self.session.pace.add(json.len());
            if self.session.pace.is_due(self.bookmark.files.len()) {
                self.bookmark.files.insert(path.to_owned(), reader.place());
                self.send_state()?;
            }
        }
        Ok(records)
    }

    fn send_state(&mut self) -> Result<(), TapError> {
        self.session.state.set_bookmark(self.plan.id, &self.bookmark)?;
        self.session.pace.reset();
        self.session.output.state(&self.session.state)
    }
}

fn log_outcome(path: &str, outcome: &Outcome) {
    match outcome {
        Outcome::Untouched => log::debug(&format!("{path}: unchanged")),
        Outcome::Read(0) => log::info(&format!("{path}: nothing new")),
        Outcome::Read(records) => log::info(&format!("{path}: {records} records")),
        Outcome::Rewritten => {}
    }
}
