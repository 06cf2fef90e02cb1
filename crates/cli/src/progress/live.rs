//! One live line a stream on a terminal.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use runner::{Observer, RunEvent};

use crate::output::{count, size};

/// The live lines of a run; they go when it ends.
pub(crate) struct Live {
    bars: MultiProgress,
    streams: Mutex<HashMap<String, Stream>>,
}

struct Stream {
    bar: ProgressBar,
    first: Instant,
    records: u64,
    bytes: u64,
}

impl Live {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { bars: MultiProgress::new(), streams: Mutex::default() })
    }

    /// The listener that redraws.
    pub(crate) fn observer(self: &Arc<Self>) -> Observer {
        let live = Arc::clone(self);
        Arc::new(move |event: &RunEvent| live.hear(event))
    }

    fn hear(&self, event: &RunEvent) {
        match event {
            RunEvent::TableOpened { stream, .. } => self.with(stream, |_| {}),
            RunEvent::BatchWritten { stream, records, bytes } => self.with(stream, |line| {
                line.records += records;
                line.bytes += bytes;
                line.draw();
            }),
            RunEvent::Retrying { error, wait, .. } => {
                let _ = self.bars.println(format!("{error}; again in {} s from the last checkpoint", wait.as_secs()));
            }
            RunEvent::Finished { .. } => {
                let _ = self.bars.clear();
            }
            _ => {}
        }
    }

    fn with(&self, stream: &str, change: impl FnOnce(&mut Stream)) {
        let Ok(mut streams) = self.streams.lock() else { return };
        let line = streams.entry(stream.to_owned()).or_insert_with(|| {
            let bar = self.bars.add(ProgressBar::new_spinner().with_prefix(stream.to_owned()));
            if let Ok(style) = ProgressStyle::with_template("{spinner:.dim} {prefix:24!} {msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(100));
            Stream { bar, first: Instant::now(), records: 0, bytes: 0 }
        });
        change(line);
    }
}

impl Stream {
    fn draw(&self) {
        let millis = self.first.elapsed().as_millis().max(1);
        let rate = u128::from(self.records) * 1000 / millis;
        let rate = count(u64::try_from(rate).unwrap_or(u64::MAX));
        self.bar.set_message(format!("{:>12} records  {rate:>10}/s  {:>10}", count(self.records), size(self.bytes)));
    }
}
