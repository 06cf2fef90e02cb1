//! What a target prints: a STATE a line, and whatever else it has to say.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;

use singer::{LineBuffer, STATE_BYTES, State, framing_excerpt};
use tokio::sync::mpsc;

/// So many of the lines that are no STATE are warned of.
const WARNINGS: usize = 5;
/// So many STATEs may wait to be kept.
const CHANNEL_STATES: usize = 64;

/// Reads the target's output on a thread of its own, so that it never blocks there while it is written to. The channel
/// closes when the output ends.
pub(super) fn listen(output: OwnedFd) -> mpsc::Receiver<State> {
    let (sender, states) = mpsc::channel(CHANNEL_STATES);
    std::thread::spawn(move || {
        let mut output = File::from(output);
        let mut lines = Lines { buffer: LineBuffer::new(STATE_BYTES), strange: 0 };
        while let Ok(count) = output.read(lines.buffer.space()) {
            let is_end = count == 0;
            lines.buffer.filled(count);
            while let Some(state) = lines.next(is_end) {
                // Nobody listens any more: the target is about to be ended.
                let _ = sender.blocking_send(state);
            }
            if is_end {
                break;
            }
        }
    });
    states
}

struct Lines {
    buffer: LineBuffer,
    /// Lines that are no STATE.
    strange: usize,
}

impl Lines {
    /// The next STATE among the lines that are there.
    fn next(&mut self, is_end: bool) -> Option<State> {
        loop {
            let line = match self.buffer.next_line() {
                Ok(Some(line)) => line,
                Ok(None) if is_end => self.buffer.last_line()?,
                Ok(None) => return None,
                Err(error) => {
                    tracing::warn!("what the target prints is not looked at any more: {error}");
                    self.buffer = LineBuffer::new(usize::MAX);
                    return None;
                }
            };
            let state = state(line);
            if state.is_some() {
                return state;
            }
            self.strange += 1;
            if self.strange <= WARNINGS {
                tracing::warn!("the target printed a line that is no STATE: {}", framing_excerpt(line));
            }
        }
    }
}

/// A number or a word alone is more likely a print than a STATE.
fn state(line: &[u8]) -> Option<State> {
    let text = std::str::from_utf8(line).ok()?;
    text.trim_start().starts_with(['{', '[']).then(|| State::parse(text).ok())?
}
