//! What is new since the last sync, by a column that grows.

use serde_json::value::RawValue;
use singer::Json;
use tap_sdk::{TapError, log};

use crate::bookmark::Bookmark;
use crate::column_type::{ColumnType, Form};
use crate::config::DatePolicy;
use crate::plan::StreamPlan;
use crate::relation::TableColumn;
use crate::row::Row;
use crate::sender::Sender;
use crate::statement::{literal, quoted};
use crate::sync::Run;
use crate::{copy, json};

/// The column and how far before the bookmark reading begins.
#[derive(Debug)]
pub(crate) struct ReplicationKey {
    pub(crate) column: String,
    column_type: ColumnType,
    lag: Option<Lag>,
}

/// What is taken off the bookmark.
#[derive(Debug, PartialEq, Eq)]
enum Lag {
    /// Digits, of a key that is a number.
    Number(String),
    /// Microseconds, of a key that is a day or an instant.
    Time(u64),
}

impl ReplicationKey {
    /// Checks what the catalog says.
    pub(crate) fn new(
        id: &str,
        name: Option<&str>,
        lag: Option<&Json>,
        columns: &[TableColumn],
    ) -> Result<Self, TapError> {
        let usable = || {
            let names = columns.iter().filter(|column| column.readable && column.column_type.is_ordered());
            let names: Vec<_> = names.map(|column| column.name.as_str()).collect();
            format!("the columns that may be it are {}", names.join(", "))
        };
        let Some(name) = name else {
            return Err(TapError::config(format!("`{id}` is INCREMENTAL and has no replication key"))
                .with_hint(usable()));
        };
        let Some(column) = columns.iter().find(|column| column.name == name) else {
            return Err(TapError::config(format!(
                "`{id}` has no column `{name}`, which is to be the replication key"
            ))
            .with_hint(usable()));
        };
        if !column.column_type.is_ordered() {
            let sql_type = &column.sql_type;
            return Err(TapError::config(format!(
                "the replication key `{name}` of `{id}` is of type {sql_type}, which has no order to go by"
            ))
            .with_hint(usable()));
        }
        let lag = match lag {
            None | Some(Json::Null) => None,
            Some(lag) => Some(Lag::of(lag, column.column_type.form).ok_or_else(|| {
                TapError::config(format!(
                    "`replication_key_lag` of `{id}` does not fit its replication key, which is of type {}",
                    column.sql_type
                ))
                .with_hint(
                    "give a time such as 30s, 5m, 1h or 7d for days and instants, a number for numbers",
                )
            })?),
        };
        Ok(Self { column: name.to_owned(), column_type: column.column_type.clone(), lag })
    }

    /// What rows from the bookmark's value on fulfil.
    fn condition(&self, value: &str) -> String {
        let (column, value) = (quoted(&self.column), literal(value));
        match &self.lag {
            Some(Lag::Number(number)) if self.column_type.form == Form::Oid => {
                format!("{column}::pg_catalog.int8 >= {value}::pg_catalog.numeric - {number}")
            }
            Some(Lag::Number(number)) if matches!(self.column_type.form, Form::Float4 | Form::Float8) => {
                format!("{column} >= {value}::pg_catalog.float8 - {number}")
            }
            // The server takes the literal as what the column is.
            None => format!("{column} >= {value}"),
            Some(Lag::Number(number)) => format!("{column} >= {value}::pg_catalog.numeric - {number}"),
            Some(Lag::Time(micros)) => {
                let before = match self.column_type.form {
                    Form::Date => "date",
                    Form::Timestamp => "timestamp",
                    _ => "timestamptz",
                };
                format!(
                    "{column} >= {value}::pg_catalog.{before} - '{micros} microseconds'::pg_catalog.interval"
                )
            }
        }
    }
}

impl Lag {
    fn of(lag: &Json, form: Form) -> Option<Self> {
        let text = lag.as_number().or_else(|| lag.as_str())?.trim();
        match form {
            Form::Date | Form::Timestamp | Form::TimestampTz => micros(text).map(Self::Time),
            Form::Int2
            | Form::Int4
            | Form::Int8
            | Form::Oid
            | Form::Numeric
            | Form::Float4
            | Form::Float8 => {
                let digits = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
                (digits && text.parse::<f64>().is_ok()).then(|| Self::Number(text.to_owned()))
            }
            _ => None,
        }
    }
}

/// `100ms 30s 5m 1h 7d`; a number alone is seconds.
fn micros(text: &str) -> Option<u64> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "ms" => 1000,
        "" | "s" => 1_000_000,
        "m" => 60_000_000,
        "h" => 3_600_000_000,
        "d" => 86_400_000_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

/// Sends the records from the bookmark on, in the order of the key.
pub(crate) async fn run(
    plan: &StreamPlan,
    key: &ReplicationKey,
    known: Bookmark,
    run: &mut Run<'_>,
) -> Result<(), TapError> {
    let start = start(plan, key, &known)?;
    let mut bookmark = Bookmark { replication_key: Some(key.column.clone()), ..Bookmark::default() };
    if start.is_some() {
        bookmark.replication_key_value = known.replication_key_value;
        bookmark.nulls_are_out = known.nulls_are_out;
    }
    let keys = std::slice::from_ref(&key.column);
    run.output.schema(&plan.name, &plan.schema, &plan.keys, keys)?;
    // What has no value in the key comes once, in the first sync, before the others.
    let order = format!("{} NULLS FIRST", quoted(&key.column));
    let sql = plan.copy(start, Some(&order));
    let sessions = std::slice::from_ref(&run.session);
    let Some(pieces) = copy::start(sessions, vec![sql], &format!("reading {}", plan.id)).pop() else {
        return Ok(());
    };
    let mut sender = Sender::new(plan, None, run.config, run.output);
    let mut last = LastKey::of(plan, key);
    run.records(&mut sender, pieces, Some(&mut last), &mut bookmark).await?;
    bookmark.nulls_are_out = bookmark.replication_key_value.is_none();
    run.send_state(&mut sender, &bookmark)
}

/// The value of the replication key that is out last.
#[derive(Debug)]
pub(crate) struct LastKey<'a> {
    /// Which field of a row.
    at: usize,
    column_type: &'a ColumnType,
    cell: Vec<u8>,
    seen: bool,
    past_nulls: bool,
}

impl<'a> LastKey<'a> {
    fn of(plan: &StreamPlan, key: &'a ReplicationKey) -> Self {
        let at = plan.columns.iter().position(|column| column.name == key.column);
        Self {
            at: at.unwrap_or_default(),
            column_type: &key.column_type,
            cell: Vec::new(),
            seen: false,
            past_nulls: false,
        }
    }

    /// Takes a row in.
    pub(crate) fn see(&mut self, row: &Row<'_>) {
        let Some(cell) = row.field(self.at) else { return };
        self.past_nulls = true;
        // Nothing is beyond it that ever comes: as a bookmark it would be the last one.
        if is_finite(self.column_type.form, cell) {
            self.cell.clear();
            self.cell.extend_from_slice(cell);
            self.seen = true;
        }
    }

    /// Whether the rows without a value are out: before that no bookmark says how far the sync has come.
    pub(crate) fn is_past_nulls(&self) -> bool {
        self.past_nulls
    }

    /// Puts the value into the bookmark. Days and instants are never bent here, whatever is made of them in records.
    pub(crate) fn remember(&self, bookmark: &mut Bookmark) -> Result<(), TapError> {
        if !self.seen {
            bookmark.nulls_are_out = self.past_nulls && bookmark.replication_key_value.is_none();
            return Ok(());
        }
        bookmark.nulls_are_out = false;
        let mut text = Vec::new();
        let unusable = || TapError::failed("a value of the replication key has no JSON form");
        json::write(self.column_type, &self.cell, DatePolicy::Keep, &mut text).map_err(|_| unusable())?;
        let text = String::from_utf8(text).map_err(|_| unusable())?;
        bookmark.replication_key_value = Some(RawValue::from_string(text).map_err(|_| unusable())?);
        Ok(())
    }
}

/// Whether it is neither infinite nor no number.
fn is_finite(form: Form, cell: &[u8]) -> bool {
    let four = || <[u8; 4]>::try_from(cell).ok();
    let eight = || <[u8; 8]>::try_from(cell).ok();
    match form {
        Form::Date => four().map(i32::from_be_bytes).is_none_or(|days| days != i32::MIN && days != i32::MAX),
        Form::Timestamp | Form::TimestampTz => {
            eight().map(i64::from_be_bytes).is_none_or(|micros| micros != i64::MIN && micros != i64::MAX)
        }
        Form::Float4 => four().map(f32::from_be_bytes).is_none_or(f32::is_finite),
        Form::Float8 => eight().map(f64::from_be_bytes).is_none_or(f64::is_finite),
        // Of its sign, 0x4000 is the minus; the others are NaN and the infinities.
        Form::Numeric => cell.get(4).is_none_or(|sign| matches!(sign, 0 | 0x40)),
        _ => true,
    }
}

/// The condition of the rows to begin with; `None` is the beginning.
fn start(plan: &StreamPlan, key: &ReplicationKey, known: &Bookmark) -> Result<Option<String>, TapError> {
    let before = known.replication_key.as_deref();
    let change = match before {
        Some(before) if before == key.column => {
            let from = known.replication_text().map(|value| key.condition(&value));
            let others = || known.nulls_are_out.then(|| format!("{} IS NOT NULL", quoted(&key.column)));
            return Ok(from.or_else(others));
        }
        Some(before) => format!("went by `{before}` before"),
        None if known.version.is_some() => "was FULL_TABLE before".to_owned(),
        None => return Ok(None),
    };
    let id = &plan.id;
    if plan.keys.is_empty() {
        return Err(TapError::config(format!(
            "the stream `{id}` {change} and has no key: its records would be sent once more"
        ))
        .with_hint("give it `key_properties`, or run once with --full-refresh"));
    }
    log::warning(&format!("{id}: {change}: reading from the beginning by `{}`", key.column));
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lag(text: &str, oid: u32) -> Option<Lag> {
        Lag::of(&Json::parse(text).unwrap(), ColumnType::scalar(oid, -1).form)
    }

    #[test]
    fn a_lag_fits_its_key() {
        assert_eq!(lag("\"5m\"", 1184), Some(Lag::Time(300_000_000)));
        assert_eq!(lag("30", 1082), Some(Lag::Time(30_000_000)));
        assert_eq!(lag("100", 20), Some(Lag::Number("100".to_owned())));
        assert_eq!(lag("\"1.5\"", 1700), Some(Lag::Number("1.5".to_owned())));
        for (text, oid) in
            [("\"5m\"", 20), ("\"5 m\"", 1184), ("-5", 20), ("\"1); DROP\"", 20), ("\"1s\"", 25)]
        {
            assert_eq!(lag(text, oid), None, "{text}");
        }
    }

    #[test]
    fn the_condition_takes_the_lag_off() {
        let key = |oid, lag| ReplicationKey {
            column: "a\"b".to_owned(),
            column_type: ColumnType::scalar(oid, -1),
            lag,
        };
        assert_eq!(key(25, None).condition("o'c"), r#""a""b" >= 'o''c'"#);
        let lagging = key(1114, Some(Lag::Time(1_000_000))).condition("2024-01-01T00:00:00Z");
        assert_eq!(
            lagging,
            r#""a""b" >= '2024-01-01T00:00:00Z'::pg_catalog.timestamp - '1000000 microseconds'::pg_catalog.interval"#
        );
    }
}
