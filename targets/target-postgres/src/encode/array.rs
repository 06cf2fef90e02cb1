//! Arrays: dimensions, then the items. Postgres knows only rectangles, so lists in lists must be equally long.

use std::ops::Range;

use columns::ColumnType;
use columns::arrow_array::cast::AsArray;
use columns::arrow_array::{Array, ArrayRef, ListArray};

use super::{Cells, NULL, Refusal};

/// Most dimensions that the server knows.
const MOST_DIMENSIONS: usize = 6;

/// A column of lists, of lists of lists, …
pub(super) struct ListCells<'a> {
    /// From the outermost to the innermost.
    levels: Vec<&'a ListArray>,
    items: Box<Cells<'a>>,
    /// The item type's number at the server.
    item_type: u32,
}

impl<'a> ListCells<'a> {
    pub(super) fn new(array: &'a ArrayRef, item: &ColumnType) -> Option<Self> {
        let mut levels = vec![array.as_list_opt()?];
        let mut item = item;
        while let ColumnType::Array(inner) = item {
            levels.push(levels.last()?.values().as_list_opt()?);
            item = inner;
        }
        let items = Box::new(Cells::new(levels.last()?.values(), item)?);
        Some(Self { levels, items, item_type: type_number(item) })
    }

    pub(super) fn is_null(&self, row: usize) -> bool {
        self.levels.first().is_none_or(|outer| outer.is_null(row))
    }

    pub(super) fn write(&self, row: usize, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let start = out.len();
        out.extend_from_slice(&NULL);
        let (dimensions, items) = self.rectangle(row)?;
        let dimensions = if items.is_empty() { &[][..] } else { &dimensions };
        let any_null = items.clone().any(|item| self.items.is_null(item));
        let count = u32::try_from(dimensions.len()).unwrap_or_default();
        for word in [count, u32::from(any_null), self.item_type] {
            out.extend_from_slice(&word.to_be_bytes());
        }
        for length in dimensions {
            out.extend_from_slice(&i32::try_from(*length).map_err(|_| "too many items")?.to_be_bytes());
            out.extend_from_slice(&1_i32.to_be_bytes());
        }
        for item in items {
            self.items.write(item, out)?;
        }
        let length = i32::try_from(out.len() - start - 4).map_err(|_| "longer than 2 GiB")?;
        if let Some(head) = out.get_mut(start..start + 4) {
            head.copy_from_slice(&length.to_be_bytes());
        }
        Ok(())
    }

    /// How long each dimension is, and which items the rectangle holds.
    fn rectangle(&self, row: usize) -> Result<(Vec<usize>, Range<usize>), Refusal> {
        if self.levels.len() > MOST_DIMENSIONS {
            return Err(format!("more than {MOST_DIMENSIONS} lists in each other"));
        }
        let mut dimensions = Vec::with_capacity(self.levels.len());
        let mut range = row..row + 1;
        for level in &self.levels {
            let length = range.clone().next().map_or(0, |first| extent(level, first).len());
            let equal = range.clone().all(|list| !level.is_null(list) && extent(level, list).len() == length);
            if !equal || (length == 0 && !dimensions.is_empty()) {
                return Err("lists in a list must be equally long, and neither null nor empty".into());
            }
            dimensions.push(length);
            let (first, last) = (range.start, range.end.saturating_sub(1));
            range = extent(level, first).start..extent(level, last).end;
            if length == 0 {
                return Ok((dimensions, 0..0));
            }
        }
        Ok((dimensions, range))
    }
}

/// The items of one list.
fn extent(level: &ListArray, list: usize) -> Range<usize> {
    let at =
        |index: usize| level.value_offsets().get(index).map_or(0, |end| usize::try_from(*end).unwrap_or(0));
    at(list)..at(list + 1)
}

/// The server's number of a type: fixed for built-in types.
fn type_number(item: &ColumnType) -> u32 {
    match item {
        ColumnType::Bool => 16,
        ColumnType::Int64 => 20,
        ColumnType::Numeric { .. } | ColumnType::UnboundedNumeric => 1700,
        ColumnType::Float64 => 701,
        ColumnType::Text | ColumnType::TimeTz | ColumnType::Interval | ColumnType::Array(_) => 25,
        ColumnType::Date => 1082,
        ColumnType::Time => 1083,
        ColumnType::Timestamp => 1114,
        ColumnType::TimestampTz => 1184,
        ColumnType::Uuid => 2950,
        ColumnType::Json => 3802,
        ColumnType::Binary => 17,
    }
}
