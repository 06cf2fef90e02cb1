//! Batches as DuckDB's appender takes them, in a temporary table of their own.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow_buffer::OffsetBuffer;
use columns::StreamName;
use columns::arrow_array::{Array, ArrayRef, ListArray, RecordBatch, StringArray};
use columns::arrow_schema::{DataType, Field, FieldRef, Schema};
use duckdb::Connection;
use target_api::{ColumnType, OnDelete, Result};

use crate::{error, numbers, type_map};

/// Records of one stream and one shape, staged until the commit merges them.
#[derive(Debug, Clone)]
pub(crate) struct Staging {
    /// The stream.
    pub stream: StreamName,
    /// The temporary table.
    pub name: String,
    /// Its columns; the staged ones are named `c0`, `c1` and so on, so that no name of a tap hides `rowid`.
    pub columns: Vec<StagedColumn>,
    /// Names of the columns whose values say which record is replaced; empty when all are appended.
    pub merge_key: Vec<String>,
    /// Columns in which a record that is replaced has values from before their type changed.
    pub retired: Vec<(usize, String)>,
    /// Whether its batches say which cells did not come, in a column `a` behind the others.
    pub says_absent: bool,
    /// Its columns of which cells did not come.
    pub absent: BTreeSet<usize>,
    /// What its delete records do.
    pub on_delete: OnDelete,
    /// Place among the stream's records of the first one, from 1.
    pub first_record: u64,
}

/// A column as its batches carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StagedColumn {
    /// Its name in the stream's table.
    pub name: String,
    /// The type of its values.
    pub column_type: ColumnType,
}

impl Staging {
    /// The temporary table's name in SQL.
    pub(crate) fn place(&self) -> String {
        format!("temp.main.{}", self.name)
    }

    /// Makes the temporary table.
    pub(crate) fn create(&self, connection: &Connection) -> Result<()> {
        let columns: Vec<String> = self
            .columns
            .iter()
            .enumerate()
            .map(|(index, column)| format!("c{index} {}", type_map::staged_type(&column.column_type)))
            .chain(self.says_absent.then(|| "a BIGINT[]".to_owned()))
            .collect();
        let sql = format!("CREATE TEMPORARY TABLE {} ({})", self.place(), columns.join(", "));
        connection.execute_batch(&sql).map_err(|e| self.failed("stage", &e))
    }

    /// Appends a batch. Numbers without bounds must have gone through [`canonical_numbers`].
    pub(crate) fn append(&self, connection: &Connection, batch: RecordBatch) -> Result<()> {
        let mut appender = connection
            .appender_to_catalog_and_db(&self.name, "temp", "main")
            .map_err(|e| self.failed("stage", &e))?;
        let mut start = 0;
        while start < batch.num_rows() {
            let length = CHUNK.min(batch.num_rows() - start);
            let chunk = appendable(&batch.slice(start, length)).map_err(|cause| {
                error::order(format!("a batch of stream `{}` is not what its table says", self.stream))
                    .caused_by(cause)
            })?;
            appender.append_record_batch(chunk).map_err(|e| self.failed("stage", &e))?;
            start += length;
        }
        // The appender has its own copy by now, and makes another.
        drop(batch);
        appender.flush().map_err(|e| self.failed("stage", &e))
    }

    /// Removes the temporary table.
    pub(crate) fn discard(&self, connection: &Connection) -> Result<()> {
        let sql = format!("DROP TABLE IF EXISTS {}", self.place());
        connection.execute_batch(&sql).map_err(|e| self.failed("drop the staging", &e))
    }

    fn failed(&self, verb: &str, cause: &duckdb::Error) -> target_api::TargetError {
        error::failed(&format!("{verb} records of stream `{}`", self.stream), cause)
    }
}

/// Rows of a chunk: DuckDB's own vector size. The appender cuts there anyway, but hands over all values of a list
/// column with each cut, so lists are cut here, values and all.
const CHUNK: usize = 2048;

type ArrowResult<T> = std::result::Result<T, columns::arrow_schema::ArrowError>;

fn appendable(batch: &RecordBatch) -> ArrowResult<RecordBatch> {
    let schema = batch.schema();
    let (fields, arrays): (Vec<FieldRef>, Vec<ArrayRef>) = schema
        .fields()
        .iter()
        .zip(batch.columns())
        .map(|(field, array)| appendable_column(field, array))
        .unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
}

fn appendable_column(field: &FieldRef, array: &ArrayRef) -> (FieldRef, ArrayRef) {
    match array.data_type() {
        // How Arrow names a UUID; without it DuckDB would take a BLOB.
        DataType::FixedSizeBinary(16) => {
            let metadata = HashMap::from([("ARROW:extension:name".to_owned(), "arrow.uuid".to_owned())]);
            let field = Field::new(field.name(), field.data_type().clone(), true).with_metadata(metadata);
            (Arc::new(field), array.clone())
        }
        DataType::List(_) => {
            let Some(list) = array.as_any().downcast_ref::<ListArray>() else {
                return (field.clone(), array.clone());
            };
            let list = compact(list);
            let field = Field::new(field.name(), list.data_type().clone(), true);
            (Arc::new(field), Arc::new(list))
        }
        _ => (field.clone(), array.clone()),
    }
}

/// The same list with only the values that it refers to.
fn compact(list: &ListArray) -> ListArray {
    let offsets = list.value_offsets();
    let (start, end) = (offsets.first().copied().unwrap_or(0), offsets.last().copied().unwrap_or(0));
    let length = usize::try_from(end - start).unwrap_or_default();
    let values = list.values().slice(usize::try_from(start).unwrap_or_default(), length);
    let item = match list.data_type() {
        DataType::List(item) => item.clone(),
        _ => Arc::new(Field::new("item", values.data_type().clone(), true)),
    };
    let (item, values) = appendable_column(&item, &values);
    let lengths = offsets.windows(2).map(|pair| match pair {
        [start, end] => usize::try_from(end - start).unwrap_or_default(),
        _ => 0,
    });
    ListArray::new(item, OffsetBuffer::from_lengths(lengths), values, list.nulls().cloned())
}

/// Canonical text in place of an unbounded numeric's, in lists too. `Err` is the index of the record that holds
/// none. An array that is canonical already is not copied.
pub(crate) fn canonical_numbers(array: &ArrayRef) -> std::result::Result<ArrayRef, usize> {
    if let Some(list) = array.as_any().downcast_ref::<ListArray>() {
        let list = compact(list);
        let values = canonical_numbers(list.values()).map_err(|value| record_of(&list, value))?;
        let item = Arc::new(Field::new("item", values.data_type().clone(), true));
        return Ok(Arc::new(ListArray::new(item, list.offsets().clone(), values, list.nulls().cloned())));
    }
    let Some(texts) = array.as_any().downcast_ref::<StringArray>() else { return Ok(array.clone()) };
    let mut changed = false;
    let mut canonical = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        let number = text.map(|text| numbers::canonical(text).ok_or(index)).transpose()?;
        changed |= matches!(number, Some(std::borrow::Cow::Owned(_)));
        canonical.push(number);
    }
    Ok(if changed { Arc::new(canonical.into_iter().collect::<StringArray>()) } else { array.clone() })
}

/// The first record with a number that fails a test on its canonical text, in an array of exact numbers or of lists
/// of them.
pub(crate) fn first_number(array: &ArrayRef, fails: &dyn Fn(&str) -> bool) -> Option<usize> {
    if let Some(list) = array.as_any().downcast_ref::<ListArray>() {
        let list = compact(list);
        return first_number(list.values(), fails).map(|value| record_of(&list, value));
    }
    if let Some(texts) = array.as_any().downcast_ref::<StringArray>() {
        return texts.iter().position(|text| text.is_some_and(fails));
    }
    if let Some(integers) = array.as_any().downcast_ref::<columns::arrow_array::Int64Array>() {
        return integers
            .iter()
            .position(|integer| integer.is_some_and(|integer| fails(&integer.to_string())));
    }
    let decimals = array.as_any().downcast_ref::<columns::arrow_array::Decimal128Array>()?;
    (0..decimals.len()).find(|&index| {
        let text = decimals.value_as_string(index);
        decimals.is_valid(index) && numbers::canonical(&text).is_none_or(|text| fails(&text))
    })
}

fn record_of(list: &ListArray, value: usize) -> usize {
    let ends = list.value_offsets().get(1..).unwrap_or_default();
    ends.iter().position(|&end| usize::try_from(end).is_ok_and(|end| value < end)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{canonical_numbers, first_number};
    use columns::arrow_array::builder::{ListBuilder, StringBuilder};
    use columns::arrow_array::{Array as _, ArrayRef, Decimal128Array, StringArray};
    use std::sync::Arc;

    #[test]
    fn numbers_become_canonical_and_bad_ones_are_found() {
        let plain: ArrayRef = Arc::new(StringArray::from(vec![Some("1"), None, Some("2.5")]));
        assert!(
            Arc::ptr_eq(&plain, &canonical_numbers(&plain).unwrap()),
            "nothing to change, nothing copied"
        );
        let odd: ArrayRef = Arc::new(StringArray::from(vec![Some("1.0"), None, Some("1e2")]));
        let expected = StringArray::from(vec![Some("1"), None, Some("100")]);
        assert_eq!(canonical_numbers(&odd).unwrap().to_data(), expected.to_data());
        let bad: ArrayRef = Arc::new(StringArray::from(vec![Some("1"), Some("x")]));
        assert_eq!(canonical_numbers(&bad).unwrap_err(), 1);
    }

    #[test]
    fn lists_count_records_not_values() {
        let mut builder = ListBuilder::new(StringBuilder::new());
        builder.append_value([Some("1"), Some("2")]);
        builder.append_null();
        builder.append_value([Some("3.0"), Some("bad")]);
        let array: ArrayRef = Arc::new(builder.finish());
        assert_eq!(canonical_numbers(&array).unwrap_err(), 2);
        assert_eq!(first_number(&array, &|text| text == "2"), Some(0));
        assert_eq!(first_number(&array.slice(2, 1), &|text| text == "bad"), Some(0));
    }

    #[test]
    fn decimals_are_seen_by_their_value() {
        let array =
            Decimal128Array::from(vec![Some(150), None, Some(-5)]).with_precision_and_scale(5, 2).unwrap();
        let array: ArrayRef = Arc::new(array);
        assert_eq!(first_number(&array, &|text| text == "-0.05"), Some(2));
        assert_eq!(first_number(&array, &|text| text == "1.5"), Some(0));
    }
}
