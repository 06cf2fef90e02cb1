//! Lines into batches, as in a run.

use std::sync::Arc;

use columns::arrow_array::RecordBatch;
use columns::{BatchBuilder, Envelope, StreamName, TableOptions, TableSchema, ValueLimits};
use singer::{JsonReader, LineBuffer, Message, ReadError, TakeRecord};

/// When a batch is finished, in bytes of its records.
const BATCH_BYTES: usize = 8 << 20;

struct Builder<'b>(&'b mut BatchBuilder);

impl TakeRecord for Builder<'_> {
    fn record(&mut self, _: &str, record: &mut JsonReader<'_>) -> Result<(), ReadError> {
        self.0.walk(record)
    }
}

/// The table of a SCHEMA message.
pub(crate) fn table(schema: &str) -> Arc<TableSchema> {
    let Ok(Message::Schema(message)) = singer::parse(schema, &mut singer::SkipRecords) else {
        unreachable!("the order stream has a SCHEMA")
    };
    let options = TableOptions { metadata: true, versioned: false, deleted_at: false, include: &|_| true };
    let stream = StreamName::from("orders");
    let table = columns::table_schema(&stream, &message.schema, &message.key_properties, &options);
    Arc::new(table.expect("the order stream's SCHEMA makes a table"))
}

/// Reads all lines as the decode thread does.
pub(crate) fn decode(bytes: &[u8], table: &Arc<TableSchema>, take: &mut dyn FnMut(RecordBatch)) {
    let mut lines = LineBuffer::new(64 << 20);
    let mut builder = BatchBuilder::new(Arc::clone(table), ValueLimits::default());
    let (mut sequence, mut rest) = (0, bytes);
    while !rest.is_empty() {
        let space = lines.space();
        let count = space.len().min(rest.len()).min(1 << 20);
        space[..count].copy_from_slice(&rest[..count]);
        lines.filled(count);
        rest = &rest[count..];
        while let Some(line) = lines.next_line().expect("no line is too long") {
            let text = simdutf8::compat::from_utf8(line).expect("lines are UTF-8");
            let message = singer::parse(text, &mut Builder(&mut builder)).expect("lines are messages");
            let Message::Record(message) = message else { continue };
            sequence += 1;
            let time_extracted = message.time_extracted.as_deref();
            let envelope = Envelope { version: None, time_extracted, received: 0, sync_started: 0, sequence };
            builder.accept(&envelope).expect("records fit");
            if builder.bytes() > BATCH_BYTES {
                builder.finish().into_iter().for_each(&mut *take);
            }
        }
    }
    builder.finish().into_iter().for_each(take);
}
