//! How the records of a stream go out: as RECORD messages, or as columns to a reader that takes them.

use singer::Envelope;
use tap_sdk::{Output, TapError, time_extracted_now};

use crate::batch::Batch;
use crate::config::Config;
use crate::plan::StreamPlan;
use crate::record::RecordWriter;
use crate::row::Row;

/// Bytes of a batch of columns at which it goes out.
const BATCH: usize = 4 << 20;

/// Bytes of records from one STATE to the next.
pub(crate) const STATE_EVERY: usize = 4 << 20;

/// Sends the records of one stream, all of one version.
#[derive(Debug)]
pub(crate) struct Sender<'a> {
    plan: &'a StreamPlan,
    version: Option<i64>,
    time_extracted: String,
    form: Form<'a>,
    /// Bytes of records since the last STATE.
    bytes: usize,
    has_sent: bool,
}

#[derive(Debug)]
enum Form<'a> {
    Lines { envelope: Envelope, writer: RecordWriter<'a>, json: Vec<u8> },
    Columns { batch: Box<Batch<'a>>, bytes: usize },
}

impl<'a> Sender<'a> {
    pub(crate) fn new(plan: &'a StreamPlan, version: Option<i64>, config: &Config, output: &Output) -> Self {
        let (time_extracted, dates) = (time_extracted_now(), config.dates);
        let form = if config.sends_columns && output.takes_batches() {
            Form::Columns { batch: Box::new(Batch::new(plan, dates)), bytes: 0 }
        } else {
            let envelope = Envelope::new(&plan.name, version, Some(&time_extracted));
            Form::Lines { envelope, writer: RecordWriter::new(plan, dates), json: Vec::new() }
        };
        Self { plan, version, time_extracted, form, bytes: 0, has_sent: false }
    }

    /// The stream.
    pub(crate) fn plan(&self) -> &'a StreamPlan {
        self.plan
    }

    /// Whether so much has come since the last STATE that one is to follow.
    pub(crate) fn is_due(&self) -> bool {
        self.bytes >= STATE_EVERY
    }

    /// Whether there was any row.
    pub(crate) fn has_sent(&self) -> bool {
        self.has_sent
    }

    /// Sends a row, or keeps it with others.
    pub(crate) fn send(&mut self, row: &Row<'_>, output: &mut Output) -> Result<(), TapError> {
        self.has_sent = true;
        let (batch, bytes) = match &mut self.form {
            Form::Lines { envelope, writer, json } => {
                writer.write(row, json)?;
                self.bytes += json.len();
                return output.record_text(envelope, json);
            }
            Form::Columns { batch, bytes } => (batch, bytes),
        };
        let Some(more) = batch.push(row)? else {
            self.hand_over(output)?;
            // Its column holds texts now, and those take any value.
            return self.send(row, output);
        };
        (*bytes, self.bytes) = (*bytes + more, self.bytes + more);
        if *bytes >= BATCH { self.hand_over(output) } else { Ok(()) }
    }

    /// All rows so far go out; a STATE may follow.
    pub(crate) fn end_part(&mut self, output: &mut Output) -> Result<(), TapError> {
        self.bytes = 0;
        self.hand_over(output)
    }

    fn hand_over(&mut self, output: &mut Output) -> Result<(), TapError> {
        let Form::Columns { batch, bytes } = &mut self.form else { return Ok(()) };
        *bytes = 0;
        let Some(batch) = batch.finish()? else { return Ok(()) };
        output.batch(&self.plan.name, self.version, Some(&self.time_extracted), &batch)
    }
}
