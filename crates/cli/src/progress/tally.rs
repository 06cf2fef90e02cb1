use std::time::{Duration, Instant};

use runner::RunEvent;

/// Counts of a run so far, made from its events.
#[derive(Debug, Default)]
pub(super) struct Tally {
    streams: Vec<StreamTally>,
    committed: u64,
}

/// Counts of one stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct StreamTally {
    pub(super) stream: String,
    /// Where its table is; empty before that is known.
    pub(super) place: String,
    /// Whether its records replace those of the same key.
    pub(super) merged: bool,
    /// Records accepted by the target.
    pub(super) records: u64,
    pub(super) bytes: u64,
    /// Those of them that no commit covers yet.
    pub(super) open_records: u64,
    pub(super) open_bytes: u64,
    /// When its first batch was accepted.
    pub(super) first: Option<Instant>,
    /// How long after the first its last batch was.
    pub(super) span: Duration,
}

impl Tally {
    /// Takes in one event; gives the stream that it changed.
    pub(super) fn hear(&mut self, event: &RunEvent) -> Option<&StreamTally> {
        match event {
            RunEvent::TableOpened { stream, place, merged, .. } => {
                let tally = self.stream(stream);
                tally.place.clone_from(place);
                tally.merged = *merged;
                Some(tally)
            }
            // Of records that were relayed it is never known that they are committed.
            RunEvent::BatchWritten { stream, records, bytes, .. }
            | RunEvent::Relayed { stream, records, bytes, .. } => {
                let tally = self.stream(stream);
                if let RunEvent::Relayed { merged, .. } = event {
                    tally.merged = *merged;
                }
                tally.records += records;
                tally.bytes += bytes;
                tally.open_records += records;
                tally.open_bytes += bytes;
                tally.span = tally.first.get_or_insert_with(Instant::now).elapsed();
                Some(tally)
            }
            RunEvent::Checkpointed { .. } => {
                for tally in &mut self.streams {
                    self.committed += std::mem::take(&mut tally.open_records);
                    tally.open_bytes = 0;
                }
                None
            }
            // The tap sends again what no commit covers.
            RunEvent::Retrying { .. } => {
                for tally in &mut self.streams {
                    tally.records -= std::mem::take(&mut tally.open_records);
                    tally.bytes -= std::mem::take(&mut tally.open_bytes);
                }
                None
            }
            _ => None,
        }
    }

    /// Records that are durable.
    pub(super) fn committed(&self) -> u64 {
        self.committed
    }

    /// All streams, in the order in which they came.
    pub(super) fn streams(&self) -> &[StreamTally] {
        &self.streams
    }

    fn stream(&mut self, name: &str) -> &mut StreamTally {
        let place = self.streams.iter().position(|tally| tally.stream == name).unwrap_or_else(|| {
            self.streams.push(StreamTally { stream: name.to_owned(), ..StreamTally::default() });
            self.streams.len() - 1
        });
        &mut self.streams[place]
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Tally;
    use runner::RunEvent;

    fn batch(stream: &str, records: u64) -> RunEvent {
        RunEvent::BatchWritten {
            stream: stream.into(),
            records,
            bytes: records * 10,
            reading: std::time::Duration::ZERO,
        }
    }

    #[test]
    fn what_is_sent_again_is_not_counted_twice() {
        let mut tally = Tally::default();
        for event in [
            batch("a", 5),
            RunEvent::Checkpointed { state: None, sequence: 1 },
            batch("b", 3),
            batch("a", 2),
            RunEvent::Retrying { error: String::new(), code: "E0301", wait: Duration::ZERO },
            batch("a", 2),
            RunEvent::Checkpointed { state: None, sequence: 2 },
        ] {
            tally.hear(&event);
        }
        let told: Vec<_> = tally.streams().iter().map(|t| (t.stream.as_str(), t.records, t.bytes)).collect();
        assert_eq!(told, [("a", 7, 70), ("b", 0, 0)]);
        assert_eq!(tally.committed(), 7);
    }
}
