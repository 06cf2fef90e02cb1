//! Which cells of a batch did not come, where the SCHEMA says that what a record lacks stays as it is.

use std::collections::BTreeSet;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ListArray, RecordBatch};

use crate::{Column, ColumnType};

/// Name of the column behind those of the table: for each record the indexes, from 0, of the table's columns of which
/// no cell came; NULL where all came. Cells that did not come are NULL in their own columns.
pub const ABSENT: &str = "_tapster_absent";

/// That column.
#[must_use]
pub fn absent_column() -> Column {
    let column_type = ColumnType::Array(Box::new(ColumnType::Int64));
    Column { name: ABSENT.to_owned(), column_type, nullable: true }
}

/// Which cells of a batch did not come, as [`ABSENT`] has them; `None` where the batch does not say.
#[must_use]
pub fn absent_cells(batch: &RecordBatch) -> Option<&ListArray> {
    let is_absent = batch.schema_ref().fields().last().is_some_and(|field| field.name() == ABSENT);
    batch.columns().last().filter(|_| is_absent).and_then(|array| array.as_list_opt())
}

/// A batch without [`ABSENT`]: the columns of its table alone.
#[must_use]
pub fn without_absent(batch: &RecordBatch) -> RecordBatch {
    let mut cells = batch.clone();
    if absent_cells(batch).is_some() {
        cells.remove_column(batch.num_columns() - 1);
    }
    cells
}

/// The columns of which no cell came in one record.
#[must_use]
pub fn absent_in(absent: &ListArray, record: usize) -> Vec<usize> {
    if absent.is_null(record) {
        return Vec::new();
    }
    let indexes = absent.value(record);
    let Some(indexes) = indexes.as_primitive_opt::<Int64Type>() else { return Vec::new() };
    indexes.values().iter().filter_map(|&index| usize::try_from(index).ok()).collect()
}

/// The columns of which a cell did not come in any record.
#[must_use]
pub fn ever_absent(absent: &ListArray) -> BTreeSet<usize> {
    (0..absent.len()).flat_map(|record| absent_in(absent, record)).collect()
}
