//! COPY BINARY, row by row: fields as slices of what the server sent, without a copy where a row comes whole.

use std::ops::Range;

use bytes::{Buf as _, Bytes, BytesMut};

use crate::scalar::Malformed;

/// What every COPY begins with; flags and an extension follow.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";

/// Takes what the server sends, in pieces of any size, and yields its rows.
#[derive(Debug)]
pub(crate) struct RowReader {
    buffer: Bytes,
    begun: bool,
    ended: bool,
    /// Where the fields of the current row lie; empty ranges that begin at [`NULL`] are null.
    fields: Vec<Range<usize>>,
}

const NULL: Range<usize> = usize::MAX..usize::MAX;

/// The fields of one row.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    bytes: Bytes,
    fields: &'a [Range<usize>],
}

impl Row<'_> {
    /// How many it has.
    pub(crate) fn width(&self) -> usize {
        self.fields.len()
    }

    /// A field's bytes; `None` is null.
    pub(crate) fn field(&self, at: usize) -> Option<&[u8]> {
        // NULL is no range of any buffer.
        self.bytes.get(self.fields.get(at)?.clone())
    }
}

impl RowReader {
    pub(crate) fn new() -> Self {
        Self { buffer: Bytes::new(), begun: false, ended: false, fields: Vec::new() }
    }

    /// Takes the next piece. Whole rows before it are best taken out: what is left is copied.
    pub(crate) fn push(&mut self, piece: Bytes) {
        if self.buffer.is_empty() {
            self.buffer = piece;
            return;
        }
        let mut whole = BytesMut::with_capacity(self.buffer.len() + piece.len());
        whole.extend_from_slice(&self.buffer);
        whole.extend_from_slice(&piece);
        self.buffer = whole.freeze();
    }

    /// The next row; `None` when the next piece is needed for it, or at the end.
    pub(crate) fn next_row(&mut self) -> Result<Option<Row<'_>>, Malformed> {
        if self.ended {
            return if self.buffer.is_empty() { Ok(None) } else { Err(Malformed) };
        }
        if !self.begun && !self.begin()? {
            return Ok(None);
        }
        let Some(count) = self.buffer.first_chunk::<2>().map(|word| i16::from_be_bytes(*word)) else {
            return Ok(None);
        };
        if count == -1 {
            self.ended = true;
            self.buffer.advance(2);
            return self.next_row();
        }
        let count = usize::try_from(count).map_err(|_| Malformed)?;
        self.fields.clear();
        let mut at = 2;
        for _ in 0..count {
            let Some(length) = self.buffer.get(at..).and_then(<[u8]>::first_chunk::<4>) else {
                return Ok(None);
            };
            at += 4;
            let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
                self.fields.push(NULL);
                continue;
            };
            if self.buffer.len() < at + length {
                return Ok(None);
            }
            self.fields.push(at..at + length);
            at += length;
        }
        Ok(Some(Row { bytes: self.buffer.split_to(at), fields: &self.fields }))
    }

    /// Whether the server's mark of the end has come.
    pub(crate) fn is_at_end(&self) -> bool {
        self.ended
    }

    /// Passes over what stands before the first row; `false` when more is needed.
    fn begin(&mut self) -> Result<bool, Malformed> {
        let known = self.buffer.len().min(SIGNATURE.len());
        if self.buffer.get(..known) != SIGNATURE.get(..known) {
            return Err(Malformed);
        }
        let Some(extension) = self.buffer.get(15..).and_then(<[u8]>::first_chunk::<4>) else {
            return Ok(false);
        };
        let length = usize::try_from(i32::from_be_bytes(*extension)).map_err(|_| Malformed)?;
        if self.buffer.len() < 19 + length {
            return Ok(false);
        }
        self.buffer.advance(19 + length);
        self.begun = true;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> Vec<u8> {
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 3, 7, 7, 7]);
        bytes.extend_from_slice(&[0, 3, 0, 0, 0, 1, b'a', 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&[0, 1, 0, 0, 0, 2, b'b', b'c']);
        bytes.extend_from_slice(&[0xff, 0xff]);
        bytes
    }

    type Rows = Vec<Vec<Option<Vec<u8>>>>;

    fn read(pieces: &[&[u8]]) -> Result<(Rows, bool), Malformed> {
        let mut reader = RowReader::new();
        let mut rows = Vec::new();
        for piece in pieces {
            reader.push(Bytes::copy_from_slice(piece));
            while let Some(row) = reader.next_row()? {
                rows.push((0..row.width()).map(|at| row.field(at).map(<[u8]>::to_vec)).collect());
            }
        }
        Ok((rows, reader.is_at_end()))
    }

    #[test]
    fn rows_are_the_same_however_the_pieces_are_cut() {
        let stream = stream();
        let whole = read(&[&stream]).unwrap();
        let row = vec![Some(b"a".to_vec()), None, Some(Vec::new())];
        assert_eq!(whole, (vec![row, Vec::new(), vec![Some(b"bc".to_vec())]], true));
        for cut in 0..=stream.len() {
            let (one, other) = stream.split_at(cut);
            assert_eq!(read(&[one, other]).unwrap(), whole, "{cut}");
        }
        assert_eq!(read(&stream.chunks(1).collect::<Vec<_>>()).unwrap(), whole);
    }

    #[test]
    fn what_is_cut_off_does_not_look_whole() {
        let stream = stream();
        assert!(!read(&[&stream[..stream.len() - 2]]).unwrap().1);
        assert_eq!(read(&[b"PGCOPX\n"]), Err(Malformed));
        assert_eq!(read(&[&stream, b"x"]), Err(Malformed));
    }
}
