//! A cell as a JSON value.

use std::io::Write as _;

use thiserror::Error;

use crate::array::Items;
use crate::column_type::{ColumnType, Form};
use crate::config::DatePolicy;
use crate::moment::{self, Refused};
use crate::scalar::{self, Malformed};

/// Why a cell has no JSON value. No text holds the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum Unfit {
    #[error("does not have the binary form of its type")]
    Malformed,
    #[error("holds text that is not UTF-8")]
    Encoding,
    #[error("holds a day or an instant outside the years 1 to 9999, and `dates` is `fail`")]
    Date,
    #[error("holds an array of {found} dimensions where its table declares {declared}")]
    Dimensions { found: usize, declared: usize },
}

impl From<Malformed> for Unfit {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl From<Refused> for Unfit {
    fn from(_: Refused) -> Self {
        Self::Date
    }
}

/// Appends the value of a cell that is not null.
pub(crate) fn write(
    column_type: &ColumnType,
    cell: &[u8],
    dates: DatePolicy,
    out: &mut Vec<u8>,
) -> Result<(), Unfit> {
    if column_type.depth == 0 {
        return write_scalar(column_type.form, cell, dates, out);
    }
    let mut items = Items::new(cell)?;
    let (found, declared) = (items.dimensions(), column_type.depth);
    if found == 0 {
        out.extend_from_slice(b"[]");
        return Ok(());
    }
    if found != declared {
        return Err(Unfit::Dimensions { found, declared });
    }
    let lengths = items.lengths();
    write_list(column_type.form, lengths.get(..found).unwrap_or_default(), &mut items, dates, out)
}

fn write_list(
    form: Form,
    lengths: &[usize],
    items: &mut Items<'_>,
    dates: DatePolicy,
    out: &mut Vec<u8>,
) -> Result<(), Unfit> {
    let Some((length, inner)) = lengths.split_first() else { return Ok(()) };
    out.push(b'[');
    for at in 0..*length {
        if at > 0 {
            out.push(b',');
        }
        if !inner.is_empty() {
            write_list(form, inner, items, dates, out)?;
            continue;
        }
        match items.next_item()? {
            Some(item) => write_scalar(form, item, dates, out)?,
            None => out.extend_from_slice(b"null"),
        }
    }
    out.push(b']');
    Ok(())
}

pub(crate) fn write_scalar(
    form: Form,
    cell: &[u8],
    dates: DatePolicy,
    out: &mut Vec<u8>,
) -> Result<(), Unfit> {
    match form {
        Form::Bool => out.extend_from_slice(if scalar::bool(cell)? { b"true" } else { b"false" }),
        Form::Int2 => out.extend_from_slice(itoa::Buffer::new().format(scalar::int2(cell)?).as_bytes()),
        Form::Int4 => out.extend_from_slice(itoa::Buffer::new().format(scalar::int4(cell)?).as_bytes()),
        Form::Int8 => out.extend_from_slice(itoa::Buffer::new().format(scalar::int8(cell)?).as_bytes()),
        Form::Oid => out.extend_from_slice(itoa::Buffer::new().format(scalar::oid(cell)?).as_bytes()),
        // Every float of 32 bits is one of 64: the same number, with the digits that it has there.
        Form::Float4 => write_float(scalar::float4(cell)?.into(), out)?,
        Form::Float8 => write_float(scalar::float8(cell)?, out)?,
        Form::Numeric => write_numeric(cell, out)?,
        Form::Text => write_text(scalar::text(cell).map_err(|_| Unfit::Encoding)?, out)?,
        Form::Json => write_json(cell, out)?,
        Form::Jsonb => write_json(scalar::jsonb(cell)?, out)?,
        Form::Date => moment::date(scalar::int4(cell)?, dates, out)?,
        Form::Time => moment::time(scalar::int8(cell)?, out),
        Form::Timestamp | Form::TimestampTz => moment::instant(scalar::int8(cell)?, dates, out)?,
        Form::Uuid => write_uuid(cell, out)?,
        Form::Bytea => {
            out.push(b'"');
            write_hex(cell, out);
            out.push(b'"');
        }
    }
    Ok(())
}

/// JSON has no word for what is no number: it goes out as a string.
fn write_float(value: f64, out: &mut Vec<u8>) -> Result<(), Unfit> {
    if value.is_finite() {
        serde_json::to_writer(out, &value).map_err(|_| Unfit::Malformed)
    } else {
        let name = if value.is_nan() {
            "NaN"
        } else if value > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        };
        write!(out, "\"{name}\"").map_err(|_| Unfit::Malformed)
    }
}

fn write_numeric(cell: &[u8], out: &mut Vec<u8>) -> Result<(), Unfit> {
    let start = out.len();
    if postgres::numeric::digits(cell, out).ok_or(Unfit::Malformed)? {
        return Ok(());
    }
    out.insert(start, b'"');
    out.push(b'"');
    Ok(())
}

fn write_text(text: &str, out: &mut Vec<u8>) -> Result<(), Unfit> {
    serde_json::to_writer(out, text).map_err(|_| Unfit::Malformed)
}

/// A document as it is. The type json keeps line ends, which can only stand between its tokens; a message is one line.
fn write_json(document: &[u8], out: &mut Vec<u8>) -> Result<(), Unfit> {
    scalar::text(document).map_err(|_| Unfit::Encoding)?;
    let start = out.len();
    // Blanks around it are no part of a value in a RECORD, and a reader of columns looks for `null` without them.
    out.extend_from_slice(document.trim_ascii());
    for byte in out.iter_mut().skip(start) {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    Ok(())
}

fn write_uuid(cell: &[u8], out: &mut Vec<u8>) -> Result<(), Unfit> {
    let cell: &[u8; 16] = cell.try_into().map_err(|_| Unfit::Malformed)?;
    out.push(b'"');
    for (part, byte) in cell.iter().enumerate() {
        if matches!(part, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        write_hex(&[*byte], out);
    }
    out.push(b'"');
    Ok(())
}

fn write_hex(bytes: &[u8], out: &mut Vec<u8>) {
    let digit = |digit: u8| if digit < 10 { b'0' + digit } else { b'a' + digit - 10 };
    out.extend(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(oid: u32, depth: usize, cell: &[u8]) -> Result<String, Unfit> {
        let mut out = b"x".to_vec();
        let column_type = ColumnType::scalar(oid, -1).array(depth);
        write(&column_type, cell, DatePolicy::Keep, &mut out)?;
        Ok(String::from_utf8(out.split_off(1)).unwrap())
    }

    #[test]
    fn every_form_has_its_value() {
        let cases: [(u32, &[u8], &str); 18] = [
            (16, &[1], "true"),
            (21, &[0x80, 0], "-32768"),
            (23, &[0xff, 0xff, 0xff, 0xff], "-1"),
            (20, &i64::MIN.to_be_bytes(), "-9223372036854775808"),
            (26, &[0xff; 4], "4294967295"),
            (700, &0.1_f32.to_be_bytes(), "0.10000000149011612"),
            (701, &0.1_f64.to_be_bytes(), "0.1"),
            (701, &f64::NEG_INFINITY.to_be_bytes(), "\"-Infinity\""),
            (701, &(-0.0_f64).to_be_bytes(), "-0.0"),
            (1700, &[0, 2, 0, 0, 0, 0, 0, 3, 0, 1, 0x13, 0x88], "1.500"),
            (1700, &[0, 0, 0, 0, 0xc0, 0, 0, 0], "\"NaN\""),
            (25, "a\"\n\\é\u{1}".as_bytes(), r#""a\"\n\\é\u0001""#),
            (114, b"{\"a\" :\n1.10}", "{\"a\" : 1.10}"),
            (3802, b"\x01[1]", "[1]"),
            (1083, &1_000_000_i64.to_be_bytes(), "\"00:00:01\""),
            (2950, &[0xab; 16], "\"abababab-abab-abab-abab-abababababab\""),
            (17, &[0, 0xff], "\"00ff\""),
            (17, &[], "\"\""),
        ];
        for (oid, cell, expected) in cases {
            assert_eq!(json(oid, 0, cell).as_deref(), Ok(expected), "{oid}");
        }
    }

    #[test]
    fn what_has_another_form_is_refused() {
        for (oid, cell) in [(16, &[][..]), (23, &[0; 3]), (3802, b"[1]"), (2950, &[0; 15])] {
            assert_eq!(json(oid, 0, cell), Err(Unfit::Malformed), "{oid}");
        }
        for oid in [25, 114] {
            assert_eq!(json(oid, 0, &[0xff]), Err(Unfit::Encoding), "{oid}");
        }
    }

    fn array(lengths: &[i32], items: &[Option<&[u8]>]) -> Vec<u8> {
        let mut cell = Vec::new();
        for word in [i32::try_from(lengths.len()).unwrap(), 1, 23] {
            cell.extend_from_slice(&word.to_be_bytes());
        }
        for length in lengths {
            cell.extend_from_slice(&[length.to_be_bytes(), 1_i32.to_be_bytes()].concat());
        }
        for item in items {
            let length = item.map_or(-1, |item| i32::try_from(item.len()).unwrap());
            cell.extend_from_slice(&length.to_be_bytes());
            cell.extend_from_slice(item.unwrap_or_default());
        }
        cell
    }

    #[test]
    fn arrays_are_lists_with_nulls() {
        let flat = array(&[3], &[Some(b"a"), None, Some(b"")]);
        assert_eq!(json(25, 1, &flat).as_deref(), Ok(r#"["a",null,""]"#));
        let nested = array(&[2, 2], &[Some(b"a"), None, Some(b"c"), Some(b"d")]);
        assert_eq!(json(25, 2, &nested).as_deref(), Ok(r#"[["a",null],["c","d"]]"#));
        assert_eq!(json(25, 2, &array(&[], &[])).as_deref(), Ok("[]"));
        assert_eq!(json(25, 1, &nested), Err(Unfit::Dimensions { found: 2, declared: 1 }));
        assert_eq!(json(25, 1, &flat[..flat.len() - 5]), Err(Unfit::Malformed));
    }
}
