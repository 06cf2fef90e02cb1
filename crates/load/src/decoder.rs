//! Bytes in, steps out. No I/O, no clock: both are handed in.

use std::time::Duration;

use columns::ValueLimits;
use singer::LineBuffer;

use crate::cutter::Cutter;
use crate::{DecodeError, LoadStep, Rules};

/// How many bytes and how much time may gather.
#[derive(Debug, Clone)]
pub struct DecodeLimits {
    /// Longest line, in bytes.
    pub line_bytes: usize,
    /// Heap bytes at which a stream's batch goes out.
    pub batch_bytes: usize,
    /// Records at which a stream's batch goes out, whatever its bytes.
    pub batch_records: Option<usize>,
    /// Heap bytes of all open batches together, at which the largest goes out.
    pub open_bytes: usize,
    /// Bytes of input after which a STATE becomes a checkpoint.
    pub checkpoint_bytes: u64,
    /// Age at which a STATE becomes a checkpoint.
    pub checkpoint_every: Duration,
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self {
            line_bytes: 64 << 20,
            batch_bytes: 32 << 20,
            batch_records: None,
            open_bytes: 64 << 20,
            checkpoint_bytes: 64 << 20,
            checkpoint_every: Duration::from_secs(5),
        }
    }
}

/// The time, as the caller sees it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Now {
    /// Since the run's start; never goes back.
    pub elapsed: Duration,
    /// Wall clock, microseconds since 1970.
    pub wall: i64,
}

/// Turns a tap's bytes into steps.
pub struct Decoder {
    lines: LineBuffer,
    cutter: Cutter,
}

impl Decoder {
    /// A decoder at the start of a tap's output.
    #[must_use]
    pub fn new(limits: DecodeLimits, values: ValueLimits, rules: Rules, now: Now) -> Self {
        Self { lines: LineBuffer::new(limits.line_bytes), cutter: Cutter::new(limits, values, rules, now) }
    }

    /// Room for the next read.
    pub fn space(&mut self) -> &mut [u8] {
        self.lines.space()
    }

    /// Takes `count` bytes that were written into [`space`](Self::space).
    ///
    /// # Errors
    /// The line that cannot be loaded.
    pub fn filled(&mut self, count: usize, now: Now) -> Result<(), DecodeError> {
        self.cutter.set_time(now);
        self.lines.filled(count);
        loop {
            let number = self.lines.line_number() + 1;
            let Some(line) = self.lines.next_line()? else { return Ok(()) };
            self.cutter.line(number, line)?;
        }
    }

    /// Takes bytes, however many.
    ///
    /// # Errors
    /// As [`filled`](Self::filled).
    pub fn feed(&mut self, mut bytes: &[u8], now: Now) -> Result<(), DecodeError> {
        while !bytes.is_empty() {
            let space = self.space();
            let count = space.len().min(bytes.len());
            let (taken, rest) = bytes.split_at(count);
            space[..count].copy_from_slice(taken);
            self.filled(count, now)?;
            bytes = rest;
        }
        Ok(())
    }

    /// The input is silent: a STATE that is old enough becomes a checkpoint.
    pub fn tick(&mut self, now: Now) {
        self.cutter.set_time(now);
        if self.cutter.is_old() {
            self.cutter.settle(true);
        }
    }

    /// How long until [`tick`](Self::tick) has something to do; `None` while no STATE waits.
    #[must_use]
    pub fn next_tick(&self, now: Now) -> Option<Duration> {
        self.cutter.due_at().map(|due| due.saturating_sub(now.elapsed))
    }

    /// The input has ended whole, with or without a last newline.
    ///
    /// # Errors
    /// As [`filled`](Self::filled), and when it ends inside a message.
    pub fn end(&mut self, now: Now) -> Result<(), DecodeError> {
        self.cutter.set_time(now);
        if let Some(line) = self.lines.last_line() {
            let line = line.to_vec();
            self.cutter.last_line(self.lines.line_number(), &line)?;
        }
        self.cutter.end();
        Ok(())
    }

    /// The input is given up: the last STATE becomes a checkpoint, what came after it is dropped.
    pub fn stop(&mut self) {
        self.cutter.settle(false);
    }

    /// The next step that is ready.
    pub fn next_step(&mut self) -> Option<LoadStep> {
        self.cutter.next_step()
    }

    /// Records accepted so far.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.cutter.records()
    }
}

#[cfg(test)]
mod tests;
