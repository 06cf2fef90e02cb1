//! The config file.

use std::num::{NonZeroU64, NonZeroUsize};

use indexmap::IndexMap;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use singer::Json;

use crate::column::ColumnType;
use crate::dialect::Dialect;

/// Settings of the tap; `settings.json` describes them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    #[serde(deserialize_with = "entries")]
    pub(crate) files: Vec<FileEntry>,
    /// Records from one STATE to the next, at most.
    #[serde(default = "state_every")]
    pub(crate) state_every: NonZeroU64,
}

/// One stream and its files.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileEntry {
    pub(crate) path: String,
    pub(crate) stream: String,
    #[serde(default)]
    pub(crate) key_properties: Vec<String>,
    #[serde(default)]
    pub(crate) null_values: Vec<String>,
    #[serde(default = "comma")]
    delimiter: Character,
    #[serde(default = "double_quote")]
    quote: Option<Character>,
    #[serde(default, deserialize_with = "columns")]
    pub(crate) columns: IndexMap<String, ColumnType>,
    #[serde(default)]
    pub(crate) replication_method: ReplicationMethod,
    #[serde(default)]
    pub(crate) sample: Option<NonZeroU64>,
    #[serde(default)]
    max_record_bytes: Option<NonZeroUsize>,
}

/// How a stream is extracted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum ReplicationMethod {
    /// New files, and what was appended to known ones.
    #[default]
    Incremental,
    /// Everything each time, in place of what was there.
    FullTable,
}

impl ReplicationMethod {
    /// The word for it in a catalog.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Incremental => "INCREMENTAL",
            Self::FullTable => "FULL_TABLE",
        }
    }

    /// The method of that word.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Incremental, Self::FullTable].into_iter().find(|method| method.name() == name)
    }
}

impl FileEntry {
    pub(crate) fn dialect(&self) -> Dialect {
        let usual = Dialect::default();
        Dialect {
            delimiter: self.delimiter.0,
            quote: self.quote.map(|quote| quote.0).filter(|&quote| quote != NO_CHARACTER),
            max_record_bytes: self.max_record_bytes.map_or(usual.max_record_bytes, NonZeroUsize::get),
        }
    }
}

/// One ASCII character.
#[derive(Debug, Clone, Copy)]
struct Character(u8);

/// Stands for the empty text.
const NO_CHARACTER: u8 = 0;

impl<'de> Deserialize<'de> for Character {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_bytes() {
            [] => Ok(Self(NO_CHARACTER)),
            [byte @ (b'\t' | b' '..=b'~')] => Ok(Self(*byte)),
            b"tab" | b"\\t" => Ok(Self(b'\t')),
            _ => Err(D::Error::custom("`delimiter` and `quote` must be one ASCII character")),
        }
    }
}

fn comma() -> Character {
    Character(b',')
}

#[expect(clippy::unnecessary_wraps, reason = "serde wants the field's own type")]
fn double_quote() -> Option<Character> {
    Some(Character(b'"'))
}

fn state_every() -> NonZeroU64 {
    NonZeroU64::new(5000).unwrap_or(NonZeroU64::MIN)
}

/// Reads the entries one by one, so that an error names the entry.
fn entries<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<FileEntry>, D::Error> {
    let items = Vec::<Json>::deserialize(deserializer)?;
    let mut entries: Vec<FileEntry> = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let refuse = |text: &str| D::Error::custom(format!("files[{index}]: {text}"));
        let entry: FileEntry = serde_json::from_str(&item.to_string()).map_err(|error| {
            let text = error.to_string();
            refuse(text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text))
        })?;
        check(&entry).map_err(|text| refuse(&text))?;
        if entries.iter().any(|other| other.stream == entry.stream) {
            return Err(refuse(&format!(
                "the stream `{}` is there already: one entry a stream; `path` may be a pattern",
                entry.stream
            )));
        }
        entries.push(entry);
    }
    if entries.is_empty() {
        return Err(D::Error::custom("`files` is empty: it needs an entry for each stream"));
    }
    Ok(entries)
}

fn check(entry: &FileEntry) -> Result<(), String> {
    let dialect = entry.dialect();
    if entry.path.is_empty() || entry.stream.is_empty() {
        return Err("`path` and `stream` must not be empty".to_owned());
    }
    if dialect.delimiter == NO_CHARACTER || Some(dialect.delimiter) == dialect.quote {
        return Err("`delimiter` must be one character, and another one than `quote`".to_owned());
    }
    if let Some(twice) = entry
        .key_properties
        .iter()
        .enumerate()
        .find(|(index, key)| entry.key_properties.iter().take(*index).any(|other| other == *key))
    {
        return Err(format!("`key_properties` names `{}` twice", twice.1));
    }
    Ok(())
}

fn columns<'de, D: Deserializer<'de>>(deserializer: D) -> Result<IndexMap<String, ColumnType>, D::Error> {
    let texts = IndexMap::<String, String>::deserialize(deserializer)?;
    let column = |(name, text): (String, String)| {
        let column_type =
            text.parse().map_err(|error| D::Error::custom(format!("columns.{name}: {error}")))?;
        Ok((name, column_type))
    };
    texts.into_iter().map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(entry: &str) -> String {
        serde_json::from_str::<Config>(&format!(r#"{{"files":[{{"path":"a","stream":"a"}},{entry}]}}"#))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn the_smallest_entry_has_the_usual_dialect() {
        let config: Config = serde_json::from_str(r#"{"files":[{"path":"a.csv","stream":"a"}]}"#).unwrap();
        assert_eq!(config.files[0].dialect(), Dialect::default());
        assert_eq!(config.files[0].replication_method, ReplicationMethod::Incremental);
        assert_eq!(config.state_every.get(), 5000);
    }

    #[test]
    fn marks_may_be_a_tab_and_none() {
        let entry = |text: &str| serde_json::from_str::<FileEntry>(text).unwrap().dialect();
        assert_eq!(entry(r#"{"path":"a","stream":"a","delimiter":"\t"}"#).delimiter, b'\t');
        assert_eq!(entry(r#"{"path":"a","stream":"a","delimiter":"tab","quote":null}"#).quote, None);
        assert_eq!(entry(r#"{"path":"a","stream":"a","quote":"'"}"#).quote, Some(b'\''));
        assert_eq!(entry(r#"{"path":"a","stream":"a","quote":""}"#).quote, None);
    }

    #[test]
    fn a_mistake_is_named_with_its_entry() {
        let unknown = refusal(r#"{"path":"b","stream":"b","delimeter":";"}"#);
        assert!(
            unknown.starts_with("files[1]: unknown field `delimeter`, expected one of `path`"),
            "{unknown}"
        );
        assert!(
            refusal(r#"{"path":"b","stream":"b","columns":{"at":"timstamp"}}"#)
                .starts_with("files[1]: columns.at: `timstamp` is no column type")
        );
        assert!(
            refusal(r#"{"path":"b","stream":"a"}"#).starts_with("files[1]: the stream `a` is there already")
        );
        assert!(
            refusal(r#"{"path":"b","stream":"b","delimiter":"\"" }"#).contains("another one than `quote`")
        );
        assert!(
            refusal(r#"{"path":"b","stream":"b","key_properties":["k","k"]}"#).contains("names `k` twice")
        );
        assert!(refusal(r#"{"path":"b"}"#).starts_with("files[1]: missing field `stream`"));
        assert!(serde_json::from_str::<Config>(r#"{"files":[]}"#).is_err());
    }
}
