//! Reads records from a stream of bytes and knows its place in it.

use std::io::{self, Read};

use flate2::Crc;

use crate::bookmark::Place;
use crate::dialect::Dialect;
use crate::error::{FileError, Problem};
use crate::scan::{Field, Mark, Quoting, Scanned, Scanner};

/// Bytes asked for at once.
const CHUNK: usize = 256 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// A record, borrowed from its reader.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    /// Its bytes, without the line end: UTF-8.
    pub(crate) bytes: &'a [u8],
    /// Where its fields lie in them.
    pub(crate) fields: &'a [Field],
    /// The line that it begins in, from 1.
    pub(crate) line: u64,
}

impl Record<'_> {
    /// The bytes of a field, doubled quotes still doubled.
    pub(crate) fn field(&self, index: usize) -> Option<(&[u8], Quoting)> {
        let field = self.fields.get(index)?;
        Some((self.bytes.get(field.start..field.end)?, field.quoting))
    }
}

/// Cuts the uncompressed bytes of one file into records. Memory is one chunk or the longest record.
pub(crate) struct RecordReader {
    input: Box<dyn Read>,
    file: String,
    scanner: Scanner,
    max_record_bytes: usize,
    buffer: Vec<u8>,
    /// The first byte in the buffer that is not read yet.
    position: usize,
    filled: usize,
    ended: bool,
    /// Bytes of the file before the buffer.
    before: u64,
    /// Line ends read.
    lines: u64,
    /// Of all bytes up to `summed` in the buffer.
    sum: Crc,
    summed: usize,
    last_byte: Option<u8>,
    fields: Vec<Field>,
}

impl RecordReader {
    pub(crate) fn new(input: Box<dyn Read>, file: &str, dialect: Dialect) -> Self {
        Self {
            input,
            file: file.to_owned(),
            scanner: Scanner::new(dialect),
            max_record_bytes: dialect.max_record_bytes,
            buffer: vec![0; CHUNK],
            position: 0,
            filled: 0,
            ended: false,
            before: 0,
            lines: 0,
            sum: Crc::new(),
            summed: 0,
            last_byte: None,
            fields: Vec::new(),
        }
    }

    /// Passes over the mark that some editors put before UTF-8.
    pub(crate) fn skip_byte_order_mark(&mut self) -> Result<(), FileError> {
        while self.filled < BYTE_ORDER_MARK.len() && !self.ended {
            self.refill()?;
        }
        if self.unread().starts_with(BYTE_ORDER_MARK) {
            self.position += BYTE_ORDER_MARK.len();
        }
        Ok(())
    }

    /// The next record; `None` at the end of the file. Empty lines are passed over.
    pub(crate) fn next(&mut self) -> Result<Option<Record<'_>>, FileError> {
        let (start, end, line) = loop {
            if self.position == self.filled {
                if self.ended {
                    return Ok(None);
                }
                self.refill()?;
                continue;
            }
            let unread = self.buffer.get(self.position..self.filled).unwrap_or_default();
            match self.scanner.record(unread, self.ended, &mut self.fields) {
                Scanned::Record { end, next, lines } => {
                    let (start, line) = (self.position, self.lines + 1);
                    self.position += next;
                    self.lines += lines;
                    let blank = matches!(self.fields.as_slice(), [only] if only.quoting == Quoting::Bare && only.start == only.end);
                    if !blank {
                        break (start, start + end, line);
                    }
                }
                Scanned::Part => self.refill()?,
                Scanned::Bad(mark) => return Err(self.refuse(mark)),
            }
        };
        if end - start > self.max_record_bytes {
            return Err(FileError::at(&self.file, line, Problem::TooLong(self.max_record_bytes)));
        }
        let bytes = self.buffer.get(start..end).unwrap_or_default();
        if let Err(error) = std::str::from_utf8(bytes) {
            let bad = error.valid_up_to();
            let field = self.fields.iter().take_while(|field| field.end <= bad).count() + 1;
            return Err(FileError::at(&self.file, line, Problem::NotUtf8(field)));
        }
        Ok(Some(Record { bytes, fields: &self.fields, line }))
    }

    /// Reads on from a place that was reached before: `false` when the bytes up to it are not the same as then, or
    /// when what was the last line went on since.
    pub(crate) fn skip_to(&mut self, place: &Place) -> Result<bool, FileError> {
        loop {
            let here = self.before + self.position as u64;
            let Some(missing) = place.bytes.checked_sub(here) else { return Ok(false) };
            let unread = (self.filled - self.position) as u64;
            if missing <= unread {
                self.position += usize::try_from(missing).unwrap_or(0);
                break;
            }
            if self.ended {
                return Ok(false);
            }
            self.position = self.filled;
            self.refill()?;
        }
        let same = self.place().crc32 == place.crc32;
        self.lines = place.lines;
        Ok(same && self.at_line_start()?)
    }

    /// The place after the last record.
    pub(crate) fn place(&mut self) -> Place {
        self.add_up();
        Place {
            bytes: self.before + self.position as u64,
            lines: self.lines,
            crc32: self.sum.sum(),
            size: None,
            modified: None,
        }
    }

    /// Whether a record begins here. A last line without a line end counts as whole when it is read; when the file
    /// grew since, the line end must come first.
    fn at_line_start(&mut self) -> Result<bool, FileError> {
        if self.last_byte.is_none_or(|byte| byte == b'\n') {
            return Ok(true);
        }
        while self.filled - self.position < 2 && !self.ended {
            self.refill()?;
        }
        let end = match self.unread() {
            [] => 0,
            [b'\n', ..] => 1,
            [b'\r', b'\n', ..] => 2,
            _ => return Ok(false),
        };
        self.position += end;
        self.lines += u64::from(end > 0);
        Ok(true)
    }

    fn unread(&self) -> &[u8] {
        self.buffer.get(self.position..self.filled).unwrap_or_default()
    }

    /// Takes the bytes that are read into the sum.
    fn add_up(&mut self) {
        let read = self.buffer.get(self.summed..self.position).unwrap_or_default();
        self.sum.update(read);
        self.last_byte = read.last().copied().or(self.last_byte);
        self.summed = self.position;
    }

    /// Makes room and reads once more.
    fn refill(&mut self) -> Result<(), FileError> {
        if self.position > 0 {
            self.add_up();
            self.buffer.copy_within(self.position..self.filled, 0);
            self.before += self.position as u64;
            self.filled -= self.position;
            (self.position, self.summed) = (0, 0);
        }
        if self.filled == self.buffer.len() {
            if self.filled > self.max_record_bytes {
                let problem = Problem::TooLong(self.max_record_bytes);
                return Err(FileError::at(&self.file, self.lines + 1, problem));
            }
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let room = self.buffer.get_mut(self.filled..).unwrap_or_default();
        match self.input.read(room) {
            Ok(0) => self.ended = true,
            Ok(count) => self.filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(self.unreadable(error)),
        }
        Ok(())
    }

    fn unreadable(&self, error: io::Error) -> FileError {
        use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        let damaged = matches!(error.kind(), UnexpectedEof | InvalidInput | InvalidData);
        let problem = if damaged { Problem::Gzip(error) } else { Problem::Read(error) };
        FileError::new(&self.file, problem)
    }

    fn refuse(&self, mark: Mark) -> FileError {
        let before = self.unread().get(..mark.at()).unwrap_or_default();
        let line = self.lines + 1 + memchr::memchr_iter(b'\n', before).count() as u64;
        let problem = match mark {
            Mark::QuoteInside(_) => Problem::QuoteInside,
            Mark::AfterQuote(_) => Problem::AfterQuote,
            Mark::Unclosed(_) => Problem::QuoteUnclosed,
            Mark::BareReturn(_) => Problem::BareReturn,
        };
        FileError::at(&self.file, line, problem)
    }
}

#[cfg(test)]
mod tests;
