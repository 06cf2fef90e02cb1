//! Line framing over one large buffer that is used again and again.

use memchr::memchr;
use thiserror::Error;

/// How many bytes one read from the pipe may bring.
const READ_BYTES: usize = 1 << 20;

/// A line that cannot be framed.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum FramingError {
    /// A line grew beyond the cap.
    #[error("line {line} is longer than {limit} bytes{}", .stream.as_ref().map(|s| format!(" (stream {s})")).unwrap_or_default())]
    TooLong {
        /// Number of the line, from 1.
        line: u64,
        /// The cap that it broke, in bytes.
        limit: usize,
        /// The stream that its framing names, when it does.
        stream: Option<String>,
    },
}

/// Cuts a byte stream into lines. Accepts `\r\n`, blank lines, a byte order mark, and a missing last newline.
///
/// The reader fills [`space`](Self::space) and reports how much came by [`filled`](Self::filled); then
/// [`next_line`](Self::next_line) gives the complete lines. The buffer grows to the longest line and shrinks again.
pub struct LineBuffer {
    bytes: Vec<u8>,
    /// Where the unread bytes begin and end, and up to where no newline was found.
    start: usize,
    end: usize,
    searched: usize,
    limit: usize,
    line: u64,
}

impl LineBuffer {
    /// A buffer that refuses lines of more than `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), start: 0, end: 0, searched: 0, limit, line: 0 }
    }

    /// Number of the line last given out, from 1.
    #[must_use]
    pub fn line_number(&self) -> u64 {
        self.line
    }

    /// Room for the next read, never empty.
    pub fn space(&mut self) -> &mut [u8] {
        if self.start == self.end {
            (self.start, self.end, self.searched) = (0, 0, 0);
        } else if self.start > 0 && self.bytes.len() - self.end < READ_BYTES / 2 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.searched -= self.start;
            self.start = 0;
        }
        if self.bytes.len() - self.end < READ_BYTES / 2 {
            // Doubling would take twice the memory of a very long line: grow by an eighth.
            let more = READ_BYTES.max(self.end / 8);
            self.bytes.reserve_exact(more);
            self.bytes.resize(self.end + more, 0);
        }
        &mut self.bytes[self.end..]
    }

    /// After a very long line the memory is given back, before its record goes on and takes memory elsewhere.
    fn shrink(&mut self) {
        let left = self.end - self.start;
        if self.bytes.len() > 4 * READ_BYTES && left < READ_BYTES {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.searched, self.end) = (0, self.searched - self.start, left);
            self.bytes.truncate(READ_BYTES);
            self.bytes.shrink_to_fit();
        }
    }

    /// Says that `count` bytes were written into [`space`](Self::space).
    pub fn filled(&mut self, count: usize) {
        self.end = (self.end + count).min(self.bytes.len());
    }

    /// The next complete line, without its ending; `None` when more bytes are needed.
    ///
    /// # Errors
    /// When the bytes since the last newline are over the cap.
    pub fn next_line(&mut self) -> Result<Option<&[u8]>, FramingError> {
        loop {
            let Some(found) = memchr(b'\n', &self.bytes[self.searched..self.end]) else {
                self.searched = self.end;
                if self.end - self.start > self.limit {
                    return Err(self.too_long());
                }
                self.shrink();
                return Ok(None);
            };
            let (from, to) = (self.start, self.searched + found);
            self.line += 1;
            if to - from > self.limit {
                self.line -= 1;
                return Err(self.too_long());
            }
            (self.start, self.searched) = (to + 1, to + 1);
            if let Some((from, to)) = self.content(from, to) {
                return Ok(Some(&self.bytes[from..to]));
            }
        }
    }

    /// What is left at the end of input: a line without its newline, or nothing.
    pub fn last_line(&mut self) -> Option<&[u8]> {
        let (from, to) = (self.start, self.end);
        self.start = self.end;
        let (from, to) = self.content(from, to)?;
        self.line += 1;
        Some(&self.bytes[from..to])
    }

    /// Bounds of the line without `\r`, byte order mark and blanks around it; `None` when nothing is left.
    fn content(&self, mut from: usize, to: usize) -> Option<(usize, usize)> {
        if self.line <= 1 && self.bytes[from..to].starts_with(b"\xef\xbb\xbf") {
            from += 3;
        }
        let line = &self.bytes[from..to];
        let trimmed = line.trim_ascii_end();
        if trimmed.is_empty() { None } else { Some((from, from + trimmed.len())) }
    }

    fn too_long(&self) -> FramingError {
        let head = &self.bytes[self.start..self.end.min(self.start + 200)];
        FramingError::TooLong { line: self.line + 1, limit: self.limit, stream: stream_of(head) }
    }
}

/// The stream that the first bytes of a line name.
fn stream_of(head: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(head);
    let after =
        text.split_once("\"stream\"")?.1.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    Some(after.split_once('"')?.0.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{FramingError, LineBuffer};

    fn feed(buffer: &mut LineBuffer, mut bytes: &[u8], step: usize) -> Result<Vec<String>, FramingError> {
        let mut lines = Vec::new();
        while !bytes.is_empty() {
            let space = buffer.space();
            let count = bytes.len().min(step).min(space.len());
            space[..count].copy_from_slice(&bytes[..count]);
            buffer.filled(count);
            bytes = &bytes[count..];
            while let Some(line) = buffer.next_line()? {
                lines.push(String::from_utf8_lossy(line).into_owned());
            }
        }
        lines.extend(buffer.last_line().map(|line| String::from_utf8_lossy(line).into_owned()));
        Ok(lines)
    }

    #[test]
    fn lines_are_the_same_however_the_bytes_arrive() {
        let input = b"\xef\xbb\xbf{\"a\":1}\r\n\r\n  \n{\"b\":2}\n{\"c\":3}";
        for step in 1..input.len() {
            let mut buffer = LineBuffer::new(1000);
            assert_eq!(
                feed(&mut buffer, input, step),
                Ok(vec!["{\"a\":1}".into(), "{\"b\":2}".into(), "{\"c\":3}".into()])
            );
            assert_eq!(buffer.line_number(), 5, "blank lines count");
        }
    }

    #[test]
    fn a_line_over_the_cap_is_refused_with_its_stream() {
        let line = format!(
            "{{\"type\": \"RECORD\", \"stream\": \"notes\", \"record\": \"{}\"}}\n",
            "x".repeat(5000)
        );
        let error = feed(&mut LineBuffer::new(4096), line.as_bytes(), 700).unwrap_err();
        assert_eq!(error, FramingError::TooLong { line: 1, limit: 4096, stream: Some("notes".into()) });
        assert!(feed(&mut LineBuffer::new(6000), line.as_bytes(), 700).is_ok());
    }

    #[test]
    fn memory_shrinks_after_a_long_line() {
        let mut buffer = LineBuffer::new(64 << 20);
        let mut long = vec![b'x'; 20 << 20];
        long.push(b'\n');
        feed(&mut buffer, &long, 1 << 20).unwrap();
        assert!(buffer.space().len() <= 2 << 20);
    }
}
