//! Finds the types of a stream's columns in its files, one pass, with a byte a column in memory.

use indexmap::IndexMap;

use crate::column::{ColumnType, Conversion};
use crate::config::FileEntry;
use crate::error::{FileError, Problem};
use crate::files;
use crate::header::{Header, listed};
use crate::reader::{Record, RecordReader};
use crate::record::{NullValues, unquoted};
use crate::value::{Kinds, kinds};

/// The columns of a stream, from all of its files, in the order in which they appear. Declared types hold; of the
/// others the narrowest that holds all texts, and none where there is no text. Records are looked at only as long as
/// a type is open.
pub(crate) fn columns(
    entry: &FileEntry,
    paths: &[String],
) -> Result<IndexMap<String, ColumnType>, FileError> {
    let mut inference = Inference {
        entry,
        null_values: NullValues::new(&entry.null_values),
        columns: IndexMap::new(),
        cut: false,
    };
    for path in paths {
        inference.file(path)?;
    }
    let names: Vec<String> = inference.columns.keys().cloned().collect();
    if let Some(missing) = entry.columns.keys().find(|&name| !inference.columns.contains_key(name)) {
        let (column, stream) = (missing.clone(), entry.stream.clone());
        let problem = Problem::ColumnMissing { column, stream, header: listed(&names) };
        return Err(FileError::new(&entry.path, problem));
    }
    let cut = inference.cut;
    let found = inference.columns.into_iter().map(|(name, column)| {
        let declared = entry.columns.get(&name).cloned();
        let column_type = declared.unwrap_or_else(|| match column {
            Texts { seen: true, kinds, .. } => ColumnType::of(kinds),
            // What the sample does not show may be anything.
            _ if cut => ColumnType::plain(Conversion::Text),
            _ => ColumnType::plain(Conversion::Unknown),
        });
        (name, column_type)
    });
    Ok(found.collect())
}

struct Inference<'a> {
    entry: &'a FileEntry,
    null_values: NullValues,
    columns: IndexMap<String, Texts>,
    /// Whether a sample left records out.
    cut: bool,
}

/// What is known of a column's texts.
#[derive(Clone, Copy)]
struct Texts {
    /// What all so far can be read as.
    kinds: Kinds,
    /// Whether there was one that is not null.
    seen: bool,
    declared: bool,
}

impl Texts {
    fn is_open(self) -> bool {
        !self.declared && self.kinds != Kinds::NONE
    }
}

impl Inference<'_> {
    fn file(&mut self, path: &str) -> Result<(), FileError> {
        let dialect = self.entry.dialect();
        let mut reader = RecordReader::new(files::open(path)?, path, dialect);
        let header = Header::read(&mut reader, path, dialect)?;
        header.require(&self.entry.key_properties, path)?;
        if let Some(other) = header.other_delimiter {
            tap_sdk::log::warning(&format!(
                "{path}: the header has one column that holds {other:?}: is `delimiter` right?"
            ));
        }
        let mut open = self.open_columns(&header);
        let mut left = self.entry.sample.map_or(u64::MAX, std::num::NonZeroU64::get);
        while left > 0 && !open.is_empty() {
            let Some(record) = reader.next()? else { break };
            header.check(&record, path)?;
            if self.look_at(&record, &open) {
                open.retain(|&(_, column)| self.texts(column).is_open());
            }
            left -= 1;
        }
        self.cut |= left == 0;
        Ok(())
    }

    /// Field and column of those whose type is not settled.
    fn open_columns(&mut self, header: &Header) -> Vec<(usize, usize)> {
        let mut open = Vec::new();
        for (field, name) in header.names.iter().enumerate() {
            let declared = self.entry.columns.contains_key(name);
            let entry = self.columns.entry(name.clone());
            let column = entry.index();
            let texts = *entry.or_insert(Texts { kinds: Kinds::ALL, seen: false, declared });
            if texts.is_open() {
                open.push((field, column));
            }
        }
        open
    }

    fn texts(&self, column: usize) -> Texts {
        let settled = Texts { kinds: Kinds::NONE, seen: true, declared: true };
        self.columns.get_index(column).map_or(settled, |(_, texts)| *texts)
    }

    /// Takes a record in; whether that has settled a type.
    fn look_at(&mut self, record: &Record<'_>, open: &[(usize, usize)]) -> bool {
        let mut settled = false;
        for &(field, column) in open {
            let Some((bytes, quoting)) = record.field(field) else { continue };
            let text = unquoted(bytes, quoting);
            if self.null_values.holds(&text) {
                continue;
            }
            let Some((_, texts)) = self.columns.get_index_mut(column) else { continue };
            texts.seen = true;
            texts.kinds = texts.kinds.both(kinds(&text));
            settled |= texts.kinds == Kinds::NONE;
        }
        settled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types(text: &str, entry: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, text).unwrap();
        let path = path.to_str().unwrap().to_owned();
        let entry: FileEntry =
            serde_json::from_str(&format!(r#"{{"path":"a.csv","stream":"a"{entry}}}"#)).unwrap();
        let columns = columns(&entry, &[path]).unwrap();
        columns.iter().map(|(name, column_type)| format!("{name} {}", column_type.schema(false))).collect()
    }

    #[test]
    fn types_are_those_of_all_records() {
        let text = "i,n,b,d,t,s,mixed,empty\n1,1,true,2024-02-29,2024-02-29T01:02:03Z,007,1,\n-5,1.10,FALSE,,2024-02-29 01:02:03+01,8,x,NA\n\"7\",NA,NA,NA,NA,NA,NA,\n";
        assert_eq!(
            types(text, r#","null_values":["NA"]"#),
            [
                r#"i {"type":["integer"]}"#,
                r#"n {"type":["number"]}"#,
                r#"b {"type":["boolean"]}"#,
                r#"d {"type":["string"],"format":"date"}"#,
                r#"t {"type":["string"],"format":"date-time"}"#,
                r#"s {"type":["string"]}"#,
                r#"mixed {"type":["string"]}"#,
                r#"empty {"type":["null"]}"#,
            ]
        );
    }

    #[test]
    fn declared_types_hold_and_a_sample_is_a_sample() {
        assert_eq!(
            types("a,b,c\n1,1,\nx,2,3\n", r#","sample":1,"columns":{"b":"text"}"#),
            [r#"a {"type":["integer"]}"#, r#"b {"type":["string"]}"#, r#"c {"type":["string"]}"#]
        );
    }
}
