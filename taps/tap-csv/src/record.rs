//! Turns a record of a file into the JSON of a RECORD message, field by field, without anything in between.

use std::borrow::Cow;

use singer::Json;

use crate::column::Conversion;
use crate::error::{FileError, Found, Problem};
use crate::reader::Record;
use crate::scan::Quoting;
use crate::value::{self, Kinds, Number};

/// The texts that mean null in one stream.
#[derive(Debug, Clone, Default)]
pub(crate) struct NullValues(Vec<Vec<u8>>);

impl NullValues {
    pub(crate) fn new(texts: &[String]) -> Self {
        Self(texts.iter().map(|text| text.as_bytes().to_vec()).collect())
    }

    /// Whether a field of a column that is not text is null: empty, or one of the texts.
    pub(crate) fn holds(&self, text: &[u8]) -> bool {
        text.is_empty() || self.lists(text)
    }

    /// Whether a field of a text column is null: one of the texts, and not in quotes, which say that it is a text.
    pub(crate) fn holds_as_text(&self, text: &[u8], quoting: Quoting) -> bool {
        quoting == Quoting::Bare && self.lists(text)
    }

    fn lists(&self, text: &[u8]) -> bool {
        self.0.iter().any(|null| null == text)
    }
}

/// One property of the records and where it comes from.
#[derive(Debug)]
pub(crate) struct RecordColumn {
    name: String,
    /// `"name":`
    label: Vec<u8>,
    /// Which field of the file.
    field: usize,
    conversion: Conversion,
    /// Declared columns also take what people mean: `007`, `+1.5`, ` 3`, `yes`.
    declared: bool,
    key: bool,
}

impl RecordColumn {
    pub(crate) fn new(name: &str, field: usize, conversion: Conversion, declared: bool, key: bool) -> Self {
        let label = format!("{}:", Json::String(name.to_owned())).into_bytes();
        Self { name: name.to_owned(), label, field, conversion, declared, key }
    }
}

/// Writes the records of one file.
pub(crate) struct RecordEncoder {
    pub(crate) columns: Vec<RecordColumn>,
    pub(crate) null_values: NullValues,
}

impl RecordEncoder {
    /// Replaces `json` by the record's JSON object.
    pub(crate) fn encode(
        &self,
        record: &Record<'_>,
        file: &str,
        json: &mut Vec<u8>,
    ) -> Result<(), FileError> {
        json.clear();
        json.push(b'{');
        for column in &self.columns {
            let (bytes, quoting) = record.field(column.field).unwrap_or((&[], Quoting::Bare));
            let fault = |problem| FileError::at(file, record.line, problem);
            if column.conversion == Conversion::Unknown {
                self.nothing(column, &unquoted(bytes, quoting)).map_err(fault)?;
                continue;
            }
            json.extend_from_slice(&column.label);
            self.value(column, bytes, quoting, json).map_err(fault)?;
            json.push(b',');
        }
        if json.len() > 1 {
            json.pop();
        }
        json.push(b'}');
        Ok(())
    }

    /// A column without a type is no property: nothing is written of it.
    fn nothing(&self, column: &RecordColumn, text: &[u8]) -> Result<(), Problem> {
        if !self.null_values.holds(text) {
            return Err(Problem::Untyped(column.name.clone()));
        }
        if column.key { Err(Problem::NullKey(column.name.clone())) } else { Ok(()) }
    }

    fn value(
        &self,
        column: &RecordColumn,
        bytes: &[u8],
        quoting: Quoting,
        json: &mut Vec<u8>,
    ) -> Result<(), Problem> {
        let is_text = column.conversion == Conversion::Text;
        let null = if is_text {
            self.null_values.holds_as_text(bytes, quoting)
        } else {
            self.null_values.holds(bytes)
        };
        if null && column.key {
            return Err(Problem::NullKey(column.name.clone()));
        }
        if null {
            json.extend_from_slice(b"null");
            return Ok(());
        }
        if is_text {
            write_text(bytes, quoting, json);
            return Ok(());
        }
        let text = unquoted(bytes, quoting);
        let text = if column.declared { text.trim_ascii() } else { &text };
        if write_value(column.conversion, text, column.declared, json) {
            Ok(())
        } else {
            Err(unfit(column, text))
        }
    }
}

fn write_value(conversion: Conversion, text: &[u8], declared: bool, json: &mut Vec<u8>) -> bool {
    match conversion {
        Conversion::Integer | Conversion::Number => {
            let whole = conversion == Conversion::Integer;
            match value::number(text) {
                Number::Integer => json.extend_from_slice(text),
                Number::Decimal if !whole => json.extend_from_slice(text),
                _ => return declared && write_loose_number(text, whole, json),
            }
        }
        Conversion::Boolean => {
            match value::boolean(text).or_else(|| if declared { loose_boolean(text) } else { None }) {
                Some(true) => json.extend_from_slice(b"true"),
                Some(false) => json.extend_from_slice(b"false"),
                None => return false,
            }
        }
        Conversion::Date if value::moment(text, 0) == Kinds::DATE => write_quoted(text, json),
        Conversion::Timestamp if timestamp_fits(text, declared) => write_quoted(text, json),
        Conversion::Text => write_text(text, Quoting::Bare, json),
        Conversion::Date | Conversion::Timestamp | Conversion::Unknown => return false,
    }
    true
}

fn timestamp_fits(text: &[u8], declared: bool) -> bool {
    let kinds = Kinds::LOCAL.any(Kinds::ZONED);
    let kinds = if declared { kinds.any(Kinds::DATE) } else { kinds };
    value::moment(text, if declared { 9 } else { 6 }).has(kinds)
}

/// Numbers that JSON does not write so: `+1`, `007`, `.5`, `5.`.
fn write_loose_number(text: &[u8], whole: bool, json: &mut Vec<u8>) -> bool {
    let (sign, digits): (&[u8], _) = match text {
        [b'+', rest @ ..] => (b"", rest),
        [b'-', rest @ ..] => (b"-", rest),
        _ => (b"", text),
    };
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    let significant = digits.get(zeros..).unwrap_or_default();
    let mut number = sign.to_vec();
    if !significant.first().is_some_and(u8::is_ascii_digit) {
        number.push(b'0');
    }
    number.extend_from_slice(significant);
    if number.ends_with(b".") {
        number.pop();
    }
    let mut mantissa = digits.iter().take_while(|byte| !matches!(byte, b'e' | b'E'));
    let has_digit = mantissa.any(u8::is_ascii_digit);
    let good = match value::number(&number) {
        Number::Integer => has_digit && (!whole || !digits.contains(&b'.')),
        Number::Decimal => has_digit && !whole,
        Number::None => false,
    };
    if good {
        json.extend_from_slice(&number);
    }
    good
}

fn loose_boolean(text: &[u8]) -> Option<bool> {
    let any = |words: [&str; 4]| words.iter().any(|word| text.eq_ignore_ascii_case(word.as_bytes()));
    if any(["t", "yes", "y", "1"]) {
        Some(true)
    } else if any(["f", "no", "n", "0"]) {
        Some(false)
    } else {
        None
    }
}

fn unfit(column: &RecordColumn, text: &[u8]) -> Problem {
    let kinds = value::kinds(text);
    let found = if kinds.has(Kinds::INTEGER) {
        Found::Integer
    } else if kinds.has(Kinds::NUMBER) {
        Found::Number
    } else if kinds.has(Kinds::BOOLEAN) {
        Found::Boolean
    } else if kinds.has(Kinds::DATE) {
        Found::Date
    } else if kinds.has(Kinds::LOCAL.any(Kinds::ZONED)) {
        Found::Timestamp
    } else {
        Found::Text(text.len())
    };
    let (column, expected, declared) = (column.name.clone(), column.conversion.expected(), column.declared);
    Problem::Unfit { column, expected, found, declared }
}

/// The text of a field, with doubled quotes made one.
pub(crate) fn unquoted(bytes: &[u8], quoting: Quoting) -> Cow<'_, [u8]> {
    let Quoting::Doubled(quote) = quoting else { return Cow::Borrowed(bytes) };
    let mut text = Vec::with_capacity(bytes.len());
    let mut second = false;
    for &byte in bytes {
        second = byte == quote && !second;
        if byte != quote || second {
            text.push(byte);
        }
    }
    Cow::Owned(text)
}

fn write_quoted(text: &[u8], json: &mut Vec<u8>) {
    json.push(b'"');
    json.extend_from_slice(text);
    json.push(b'"');
}

fn write_text(bytes: &[u8], quoting: Quoting, json: &mut Vec<u8>) {
    let text = unquoted(bytes, quoting);
    json.push(b'"');
    let mut rest: &[u8] = &text;
    while let Some(length) = rest.iter().position(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        let (plain, special) = rest.split_at(length);
        json.extend_from_slice(plain);
        if let [byte, after @ ..] = special {
            write_escape(*byte, json);
            rest = after;
        }
    }
    json.extend_from_slice(rest);
    json.push(b'"');
}

fn write_escape(byte: u8, json: &mut Vec<u8>) {
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ => {
            let hex = |digit: u8| if digit < 10 { b'0' + digit } else { b'a' + digit - 10 };
            json.extend_from_slice(&[b'\\', b'u', b'0', b'0', hex(byte >> 4), hex(byte & 15)]);
            return;
        }
    };
    json.extend_from_slice(&[b'\\', short]);
}

#[cfg(test)]
mod tests;
