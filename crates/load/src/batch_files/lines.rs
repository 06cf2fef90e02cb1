//! `jsonl`: a record a line, plain or gzip, read piece by piece.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use singer::LineBuffer;

use super::FileError;

/// How much of the packed file is read at once.
const READ_BYTES: usize = 128 << 10;

const GZIP: &[u8] = &[0x1f, 0x8b];

/// A file of lines.
pub(crate) struct Lines {
    input: Box<dyn Read + Send>,
    format: &'static str,
    buffer: LineBuffer,
}

impl Lines {
    /// Opens it. The SDK's taps pack whatever their config says, so that one is unpacked that is said to be plain;
    /// one that is said to be packed must be.
    pub(crate) fn open(file: File, compression: Option<&str>, line_bytes: usize) -> Result<Self, FileError> {
        let mut file = BufReader::with_capacity(READ_BYTES, file);
        let start = file.fill_buf().map_err(|error| damaged("jsonl", &error))?;
        let (is_packed, is_empty) = (start.starts_with(GZIP), start.is_empty());
        match compression {
            None | Some("none") => {}
            Some("gzip") if is_packed || is_empty => {}
            Some("gzip") => {
                return Err(FileError::NotOfFormat { expected: "gzip, as its BATCH message says" });
            }
            Some(other) => return Err(FileError::Compression { compression: other.to_owned() }),
        }
        let (input, format): (Box<dyn Read + Send>, _) =
            if is_packed { (Box::new(MultiGzDecoder::new(file)), "gzip") } else { (Box::new(file), "jsonl") };
        Ok(Self { input, format, buffer: LineBuffer::new(line_bytes) })
    }

    /// Reads on, and hands over the complete lines with their numbers; false at the end.
    pub(crate) fn read(
        &mut self,
        mut take: impl FnMut(u64, &[u8]) -> Result<(), FileError>,
    ) -> Result<bool, FileError> {
        let count = match self.input.read(self.buffer.space()) {
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => return Ok(true),
            Err(error) => return Err(damaged(self.format, &error)),
        };
        self.buffer.filled(count);
        loop {
            let number = self.buffer.line_number() + 1;
            let Some(line) = self.buffer.next_line()? else { break };
            take(number, line)?;
        }
        if count == 0
            && let Some(line) = self.buffer.last_line()
        {
            let line = line.to_vec();
            take(self.buffer.line_number(), &line)?;
        }
        Ok(count > 0)
    }
}

fn damaged(format: &'static str, error: &std::io::Error) -> FileError {
    FileError::Damaged { format, reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};

    use flate2::write::GzEncoder;

    use super::*;

    fn packed(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    fn read(bytes: &[u8], compression: Option<&str>) -> Result<Vec<(u64, String)>, FileError> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        let mut lines = Lines::open(file, compression, 1 << 20)?;
        let mut found = Vec::new();
        while lines.read(|number, line| {
            found.push((number, String::from_utf8(line.to_vec()).unwrap()));
            Ok(())
        })? {}
        Ok(found)
    }

    #[test]
    fn packed_or_plain_the_lines_are_the_same() {
        let text = "{\"a\":1}\r\n\n{\"a\":2}";
        let expected = vec![(1, "{\"a\":1}".to_owned()), (3, "{\"a\":2}".to_owned())];
        assert_eq!(read(text.as_bytes(), None).unwrap(), expected);
        assert_eq!(read(text.as_bytes(), Some("none")).unwrap(), expected);
        assert_eq!(read(&packed(text), Some("gzip")).unwrap(), expected);
        // What the SDK writes under any name.
        assert_eq!(read(&packed(text), None).unwrap(), expected);
        let (one, other) = text.split_at(4);
        assert_eq!(read(&[packed(one), packed(other)].concat(), Some("gzip")).unwrap(), expected);
        assert_eq!(read(b"", Some("gzip")).unwrap(), []);
    }

    #[test]
    fn what_is_not_packed_as_said_or_breaks_off_is_refused() {
        assert!(matches!(read(b"{}", Some("gzip")), Err(FileError::NotOfFormat { .. })));
        assert!(matches!(read(b"{}", Some("zstd")), Err(FileError::Compression { .. })));
        let whole = packed(&"{\"a\":1}\n".repeat(10_000));
        assert!(matches!(read(&whole[..whole.len() - 9], None), Err(FileError::Damaged { .. })));
        let mut wrong = whole.clone();
        wrong[whole.len() / 2] ^= 0xff;
        assert!(matches!(read(&wrong, None), Err(FileError::Damaged { .. })));
    }

    #[test]
    fn a_line_without_end_is_refused_and_not_gathered() {
        let bomb = packed(&"x".repeat(64 << 20));
        assert!(bomb.len() < 100_000);
        assert!(matches!(read(&bomb, None), Err(FileError::Framing(_))));
    }
}
