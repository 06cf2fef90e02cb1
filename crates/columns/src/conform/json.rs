//! Cells of Arrow columns as the JSON texts that a tap would have written of them.

use std::fmt::Write as _;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, ListArray, StringArray};
use arrow_cast::cast;
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{DataType, TimeUnit};

use super::pass::is_tagged;
use crate::ColumnType;

/// Writes the cells of one column, or of what is nested in it.
pub(super) struct JsonCells {
    array: ArrayRef,
    kind: Kind,
}

enum Kind {
    Null,
    Bool,
    /// What is written without quotes, where it is finite.
    Number,
    /// Days, times, instants.
    Quoted,
    Text,
    /// Texts that are JSON themselves.
    Json,
    Bytes,
    List(Box<JsonCells>),
    /// Names and members.
    Struct(Vec<(String, JsonCells)>),
    /// Names and values.
    Map(StringArray, Box<JsonCells>),
}

/// A column of a type that no JSON value is like.
pub(super) struct NoJson;

impl JsonCells {
    /// Prepares a column. `is_json`: its texts are JSON themselves.
    pub(super) fn new(array: &ArrayRef, is_json: bool) -> Result<Self, NoJson> {
        use DataType as D;
        let simple = |kind| Ok(Self { array: ArrayRef::clone(array), kind });
        let as_type =
            |to: &D| cast(array, to).map_err(|_| NoJson).and_then(|array| Self::new(&array, is_json));
        match array.data_type() {
            D::Null => simple(Kind::Null),
            D::Boolean => simple(Kind::Bool),
            number if number.is_numeric() => simple(Kind::Number),
            D::Utf8 if is_json => simple(Kind::Json),
            D::Utf8 => simple(Kind::Text),
            D::Binary => simple(Kind::Bytes),
            D::LargeUtf8 | D::Utf8View => as_type(&D::Utf8),
            D::LargeBinary | D::BinaryView | D::FixedSizeBinary(_) => as_type(&D::Binary),
            D::Date32 | D::Time32(_) | D::Time64(_) | D::Timestamp(_, None) => simple(Kind::Quoted),
            // A day, in milliseconds.
            D::Date64 => as_type(&D::Timestamp(TimeUnit::Millisecond, None)),
            D::Timestamp(_, Some(zone)) if &**zone == "+00:00" => simple(Kind::Quoted),
            D::Timestamp(unit, Some(_)) => as_type(&D::Timestamp(*unit, Some("+00:00".into()))),
            D::Dictionary(_, values) => as_type(values),
            D::List(item) => {
                let list: &ListArray = array.as_list();
                let is_json = is_tagged(item, &ColumnType::Json);
                simple(Kind::List(Box::new(Self::new(list.values(), is_json)?)))
            }
            D::LargeList(item) | D::FixedSizeList(item, _) | D::ListView(item) => {
                as_type(&D::List(item.clone()))
            }
            D::Struct(fields) => {
                let members = fields.iter().zip(array.as_struct().columns());
                let members =
                    members.map(|(field, column)| Ok((field.name().clone(), Self::new(column, false)?)));
                simple(Kind::Struct(members.collect::<Result<_, NoJson>>()?))
            }
            D::Map(_, _) => {
                let map = array.as_map();
                let names = cast(map.keys(), &D::Utf8).map_err(|_| NoJson)?;
                simple(Kind::Map(names.as_string().clone(), Box::new(Self::new(map.values(), false)?)))
            }
            _ => Err(NoJson),
        }
    }

    /// Adds the JSON text of a cell; `Err` when the cell has none, such as a year that no calendar has.
    pub(super) fn write(&self, row: usize, out: &mut String) -> Result<(), NoJson> {
        if self.array.is_null(row) {
            out.push_str("null");
            return Ok(());
        }
        match &self.kind {
            Kind::Null => out.push_str("null"),
            Kind::Bool => out.push_str(if self.array.as_boolean().value(row) { "true" } else { "false" }),
            Kind::Number => {
                let start = out.len();
                self.format(row, out)?;
                if !out.ends_with(|last: char| last.is_ascii_digit()) {
                    out.insert(start, '"');
                    out.push('"');
                }
            }
            Kind::Quoted => {
                out.push('"');
                self.format(row, out)?;
                out.push('"');
            }
            Kind::Text => quote(self.array.as_string::<i32>().value(row), out)?,
            Kind::Json => out.push_str(self.array.as_string::<i32>().value(row)),
            Kind::Bytes => {
                out.push_str("\"\\\\x");
                for byte in self.array.as_binary::<i32>().value(row) {
                    write!(out, "{byte:02x}").map_err(|_| NoJson)?;
                }
                out.push('"');
            }
            Kind::List(items) => items.write_list(self.array.as_list(), row, out)?,
            Kind::Struct(members) => {
                let members = members.iter().map(|(name, cells)| (name.as_str(), cells, row));
                write_object(members, out)?;
            }
            Kind::Map(names, values) => {
                let offsets = self.array.as_map().value_offsets();
                let entries = offset(offsets, row)..offset(offsets, row + 1);
                write_object(entries.map(|entry| (names.value(entry), &**values, entry)), out)?;
            }
        }
        Ok(())
    }

    fn format(&self, row: usize, out: &mut String) -> Result<(), NoJson> {
        let options = FormatOptions::default().with_display_error(false);
        let formatter = ArrayFormatter::try_new(&self.array, &options).map_err(|_| NoJson)?;
        write!(out, "{}", formatter.value(row)).map_err(|_| NoJson)
    }

    fn write_list(&self, list: &ListArray, row: usize, out: &mut String) -> Result<(), NoJson> {
        let offsets = list.value_offsets();
        let mut before = '[';
        for item in offset(offsets, row)..offset(offsets, row + 1) {
            out.push(before);
            self.write(item, out)?;
            before = ',';
        }
        out.push_str(if before == '[' { "[]" } else { "]" });
        Ok(())
    }
}

fn offset(offsets: &[i32], at: usize) -> usize {
    offsets.get(at).and_then(|offset| usize::try_from(*offset).ok()).unwrap_or_default()
}

fn write_object<'a>(
    members: impl Iterator<Item = (&'a str, &'a JsonCells, usize)>,
    out: &mut String,
) -> Result<(), NoJson> {
    let mut before = '{';
    for (name, cells, row) in members {
        out.push(before);
        quote(name, out)?;
        out.push(':');
        cells.write(row, out)?;
        before = ',';
    }
    out.push_str(if before == '{' { "{}" } else { "}" });
    Ok(())
}

fn quote(text: &str, out: &mut String) -> Result<(), NoJson> {
    out.push_str(&serde_json::to_string(text).map_err(|_| NoJson)?);
    Ok(())
}
