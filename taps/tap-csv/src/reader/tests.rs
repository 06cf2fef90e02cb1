use std::io::{self, Read};

use proptest::prelude::*;

use super::*;
use crate::record::unquoted;

/// Hands out so many bytes at once.
struct Drops {
    bytes: Vec<u8>,
    given: usize,
    size: usize,
}

impl Read for Drops {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = self.size.min(room.len()).min(self.bytes.len() - self.given);
        room[..count].copy_from_slice(&self.bytes[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

fn reader(text: &str, size: usize) -> RecordReader {
    let drops = Drops { bytes: text.as_bytes().to_vec(), given: 0, size };
    RecordReader::new(Box::new(drops), "a.csv", Dialect::default())
}

fn next(reader: &mut RecordReader) -> Option<Vec<String>> {
    let record = reader.next().unwrap()?;
    let fields = (0..record.fields.len()).map(|index| record.field(index).unwrap());
    Some(
        fields
            .map(|(bytes, quoting)| String::from_utf8(unquoted(bytes, quoting).into_owned()).unwrap())
            .collect(),
    )
}

fn rest(reader: &mut RecordReader) -> Vec<Vec<String>> {
    std::iter::from_fn(|| next(reader)).collect()
}

fn write(records: &[Vec<String>], line_end: &str) -> String {
    let field = |field: &String| {
        // A lone empty field without quotes is an empty line, which is passed over.
        let plain = !field.is_empty() && !field.contains([',', '"', '\r', '\n']);
        if plain { field.clone() } else { format!("\"{}\"", field.replace('"', "\"\"")) }
    };
    records.iter().map(|record| record.iter().map(field).collect::<Vec<_>>().join(",") + line_end).collect()
}

proptest! {
    #[test]
    fn what_is_written_is_read_however_the_bytes_arrive(
        records in prop::collection::vec(prop::collection::vec("[a,\"\r\né]{0,6}", 1..4), 0..12),
        size in 1usize..40,
        crlf: bool,
    ) {
        let text = write(&records, if crlf { "\r\n" } else { "\n" });
        prop_assert_eq!(rest(&mut reader(&text, size)), records);
    }

    #[test]
    fn from_every_place_the_rest_is_read(
        records in prop::collection::vec(prop::collection::vec("[a,\"\n]{0,4}", 2..3), 1..10),
        after in 0usize..10,
    ) {
        let text = write(&records, "\n");
        let after = after.min(records.len());
        let mut first = reader(&text, 7);
        for _ in 0..after {
            next(&mut first);
        }
        let place = first.place();
        let mut second = reader(&text, 5);
        prop_assert!(second.skip_to(&place).unwrap());
        prop_assert_eq!(rest(&mut second), records[after..].to_vec());
        let (lines, ends) = (second.place().lines, text.matches('\n').count());
        prop_assert_eq!(lines, ends as u64, "line numbers go on");
    }
}

#[test]
fn a_changed_beginning_and_a_line_that_went_on_are_seen() {
    let mut whole = reader("a\n1\n2", 64);
    rest(&mut whole);
    let place = whole.place();
    let same = |text: &str| reader(text, 3).skip_to(&place).unwrap();
    assert!(same("a\n1\n2") && same("a\n1\n2\n3\n") && same("a\n1\n2\r\n3"));
    assert!(!same("a\n9\n2\n3\n"), "changed before the place");
    assert!(!same("a\n1\n"), "shorter");
    assert!(!same("a\n1\n25\n"), "the last line was not whole");
    let mut grown = reader("a\n1\n2\r\n3", 3);
    grown.skip_to(&place).unwrap();
    assert_eq!(rest(&mut grown), [["3"]]);
}

#[test]
fn a_record_longer_than_allowed_is_refused_before_it_fills_the_memory() {
    let dialect = Dialect { max_record_bytes: CHUNK, ..Dialect::default() };
    let endless = io::Cursor::new(b"a\n\"".to_vec()).chain(io::repeat(b'x'));
    let mut reader = RecordReader::new(Box::new(endless), "a.csv", dialect);
    assert_eq!(reader.next().unwrap().unwrap().line, 1);
    let error = reader.next().unwrap_err();
    assert!(matches!(error.problem, Problem::TooLong(CHUNK)), "{error}");
    assert!(reader.buffer.len() <= 4 * CHUNK);
}

#[test]
fn lines_are_counted_through_quoted_line_ends() {
    let mut reader = reader("a,b\n\n\"x\ny\",1\nz,2\n", 4);
    let mut lines = Vec::new();
    while let Some(record) = reader.next().unwrap() {
        lines.push(record.line);
    }
    assert_eq!(lines, [1, 3, 5]);
}
