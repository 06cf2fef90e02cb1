//! From the text of a value, as the log has it, to the form that COPY BINARY has: so that a change makes the same record
//! as a row that is read.

use crate::column_type::{ColumnType, Form};
use crate::moment;
use crate::scalar::{EPOCH_DAYS, Malformed};

/// `inet`, whose output leaves out the mask of a single address; its cast to text does not.
const INET: u32 = 869;
const DAY: i64 = 86_400_000_000;
/// Most dimensions that the server knows.
const MOST_DIMENSIONS: usize = 6;

/// Appends the cell of a value that is not null.
pub(super) fn cell(column_type: &ColumnType, text: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    let scalar = |text: &[u8], out: &mut Vec<u8>| scalar(column_type.form, column_type.oid, text, out);
    if column_type.depth == 0 {
        return scalar(text, out);
    }
    array(text, column_type.delimiter, scalar, out)
}

fn scalar(form: Form, oid: u32, text: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    match form {
        Form::Text | Form::Json => {
            out.extend_from_slice(text);
            if oid == INET && !text.contains(&b'/') {
                out.extend_from_slice(if text.contains(&b':') { b"/128" } else { b"/32" });
            }
        }
        Form::Jsonb => {
            out.push(1);
            out.extend_from_slice(text);
        }
        Form::Bool => out.push(u8::from(text == b"t")),
        Form::Int2 => out.extend_from_slice(&parsed::<i16>(text)?.to_be_bytes()),
        Form::Int4 => out.extend_from_slice(&parsed::<i32>(text)?.to_be_bytes()),
        Form::Int8 => out.extend_from_slice(&parsed::<i64>(text)?.to_be_bytes()),
        Form::Oid => out.extend_from_slice(&parsed::<u32>(text)?.to_be_bytes()),
        Form::Float4 => out.extend_from_slice(&parsed::<f32>(text)?.to_be_bytes()),
        Form::Float8 => out.extend_from_slice(&parsed::<f64>(text)?.to_be_bytes()),
        Form::Numeric => numeric(text, out)?,
        Form::Date => out.extend_from_slice(&date(string(text)?)?.to_be_bytes()),
        Form::Time => out.extend_from_slice(&time(string(text)?)?.to_be_bytes()),
        Form::Timestamp | Form::TimestampTz => {
            out.extend_from_slice(&instant(string(text)?)?.to_be_bytes());
        }
        Form::Uuid => hex(text.iter().copied().filter(|byte| *byte != b'-'), out)?,
        Form::Bytea => hex(text.strip_prefix(b"\\x").ok_or(Malformed)?.iter().copied(), out)?,
    }
    Ok(())
}

fn string(text: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(text).map_err(|_| Malformed)
}

fn parsed<T: std::str::FromStr>(text: &[u8]) -> Result<T, Malformed> {
    string(text)?.parse().map_err(|_| Malformed)
}

fn numeric(text: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    let start = out.len();
    postgres::numeric::text(string(text)?, out).map_err(|_| Malformed)?;
    // It has its length before it.
    out.drain(start..start + 4);
    Ok(())
}

fn hex(digits: impl Iterator<Item = u8>, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let mut first = None;
    for digit in digits {
        let digit =
            (digit as char).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).ok_or(Malformed)?;
        match first.take() {
            None => first = Some(digit),
            Some(high) => out.push(high << 4 | digit),
        }
    }
    if first.is_some() { Err(Malformed) } else { Ok(()) }
}

/// Days since 2000.
fn date(text: &str) -> Result<i32, Malformed> {
    match text {
        "infinity" => Ok(i32::MAX),
        "-infinity" => Ok(i32::MIN),
        _ => i32::try_from(days(text)?).map_err(|_| Malformed),
    }
}

/// Days since 2000 of `2024-02-29` and `0044-03-15 BC`.
fn days(text: &str) -> Result<i64, Malformed> {
    let (day, is_before) = text.strip_suffix(" BC").map_or((text, false), |day| (day, true));
    let mut parts = day.splitn(3, '-').map(|part| part.parse::<i64>().map_err(|_| Malformed));
    let mut next = || parts.next().unwrap_or(Err(Malformed));
    let (year, month, day) = (next()?, next()?, next()?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !(1..=6_000_000).contains(&year) {
        return Err(Malformed);
    }
    let year = if is_before { 1 - year } else { year };
    Ok(moment::days(year, month, day) - i64::from(EPOCH_DAYS))
}

/// Microseconds of `24:00:00` and `01:02:03.000004`.
fn time(text: &str) -> Result<i64, Malformed> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = whole.splitn(3, ':').map(|part| part.parse::<i64>().map_err(|_| Malformed));
    let mut next = || parts.next().unwrap_or(Err(Malformed));
    let (hours, minutes, seconds) = (next()?, next()?, next()?);
    let mut micros = 0;
    if !part.is_empty() {
        let scale =
            u32::try_from(part.len()).ok().and_then(|digits| 6_u32.checked_sub(digits)).ok_or(Malformed)?;
        micros = part.parse::<i64>().map_err(|_| Malformed)? * 10_i64.pow(scale);
    }
    Ok(((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + micros)
}

/// Microseconds since 2000 of `2024-02-29 01:02:03`, `… 01:02:03.5+00` and `0044-03-15 01:02:03 BC`.
fn instant(text: &str) -> Result<i64, Malformed> {
    match text {
        "infinity" => return Ok(i64::MAX),
        "-infinity" => return Ok(i64::MIN),
        _ => {}
    }
    let (moment, era) = text.strip_suffix(" BC").map_or((text, ""), |moment| (moment, " BC"));
    let (day, clock) = moment.split_once(' ').ok_or(Malformed)?;
    // The session is in UTC.
    let clock = clock.strip_suffix("+00").unwrap_or(clock);
    let days = if era.is_empty() { days(day)? } else { days(&format!("{day}{era}"))? };
    days.checked_mul(DAY).and_then(|days| days.checked_add(time(clock).ok()?)).ok_or(Malformed)
}

/// An array: `{1,NULL}`, `{{"a b","c\"d"},{e,f}}`, `[0:1]={1,2}`; `1 2` of a vector of the server's own.
fn array(
    text: &[u8],
    delimiter: u8,
    scalar: impl Fn(&[u8], &mut Vec<u8>) -> Result<(), Malformed>,
    out: &mut Vec<u8>,
) -> Result<(), Malformed> {
    let mut items =
        Items { lengths: [0; MOST_DIMENSIONS], dimensions: 0, body: Vec::new(), scalar, delimiter };
    match text.first() {
        Some(b'{') => items.read(text)?,
        Some(b'[') => {
            let bounds = text.iter().position(|byte| *byte == b'=').ok_or(Malformed)?;
            items.read(text.get(bounds + 1..).unwrap_or_default())?;
        }
        _ => {
            for item in text.split(|byte| *byte == b' ').filter(|item| !item.is_empty()) {
                items.put(Some(item))?;
                items.lengths[0] += 1;
            }
            items.dimensions = usize::from(items.lengths[0] > 0);
        }
    }
    let word = |number: usize| u32::try_from(number).map(u32::to_be_bytes).map_err(|_| Malformed);
    // Whether there are nulls, and the type of the items: nobody looks there.
    out.extend_from_slice(&[word(items.dimensions)?, [0; 4], [0; 4]].concat());
    for length in items.lengths.get(..items.dimensions).unwrap_or_default() {
        out.extend_from_slice(&[word(*length)?, word(1)?].concat());
    }
    out.extend_from_slice(&items.body);
    Ok(())
}

struct Items<S> {
    lengths: [usize; MOST_DIMENSIONS],
    dimensions: usize,
    body: Vec<u8>,
    scalar: S,
    delimiter: u8,
}

impl<S: Fn(&[u8], &mut Vec<u8>) -> Result<(), Malformed>> Items<S> {
    fn read(&mut self, text: &[u8]) -> Result<(), Malformed> {
        if text == b"{}" {
            return Ok(());
        }
        let rest = self.list(text, 0)?;
        if rest.is_empty() { Ok(()) } else { Err(Malformed) }
    }

    /// Reads a list at this depth; gives what follows it.
    fn list<'a>(&mut self, text: &'a [u8], depth: usize) -> Result<&'a [u8], Malformed> {
        let mut rest = text.strip_prefix(b"{").ok_or(Malformed)?;
        self.dimensions = self.dimensions.max(depth + 1);
        let mut length = 0;
        loop {
            rest = if rest.first() == Some(&b'{') { self.list(rest, depth + 1)? } else { self.item(rest)? };
            length += 1;
            let (next, after) = rest.split_first().ok_or(Malformed)?;
            rest = after;
            if *next == b'}' {
                // All lists of a depth are alike.
                *self.lengths.get_mut(depth).ok_or(Malformed)? = length;
                return Ok(rest);
            }
            if *next != self.delimiter {
                return Err(Malformed);
            }
        }
    }

    fn item<'a>(&mut self, text: &'a [u8]) -> Result<&'a [u8], Malformed> {
        let Some(mut rest) = text.strip_prefix(b"\"") else {
            let ends = |byte: &u8| *byte == self.delimiter || *byte == b'}';
            let (item, rest) = text.split_at(text.iter().position(ends).ok_or(Malformed)?);
            self.put(Some(item).filter(|item| !item.eq_ignore_ascii_case(b"NULL")))?;
            return Ok(rest);
        };
        let mut item = Vec::new();
        loop {
            let (byte, after) = rest.split_first().ok_or(Malformed)?;
            rest = after;
            match byte {
                b'"' => break,
                b'\\' => {
                    let (byte, after) = rest.split_first().ok_or(Malformed)?;
                    item.push(*byte);
                    rest = after;
                }
                byte => item.push(*byte),
            }
        }
        self.put(Some(&item))?;
        Ok(rest)
    }

    fn put(&mut self, item: Option<&[u8]>) -> Result<(), Malformed> {
        let start = self.body.len();
        self.body.extend_from_slice(&(-1_i32).to_be_bytes());
        let Some(item) = item else { return Ok(()) };
        (self.scalar)(item, &mut self.body)?;
        let length = i32::try_from(self.body.len() - start - 4).map_err(|_| Malformed)?;
        if let Some(place) = self.body.get_mut(start..start + 4) {
            place.copy_from_slice(&length.to_be_bytes());
        }
        Ok(())
    }
}
