//! A batch of rows, column by column, up to the first row that does not fit.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch, StructArray, make_array};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field, FieldRef, Fields, TimeUnit};
use singer::JsonReader;
use thiserror::Error;

use super::json::{JsonCells, NoJson};
use super::pass::{is_tagged, pass};
use crate::builder::{BatchBuilder, ColumnBuilder, PropertyNames, RECORD, Trouble, deleted};
use crate::value::{Misfit, moment, nested};
use crate::{ColumnType, Envelope, RecordProblem, Refused, absent_column};

/// What became of rows.
#[derive(Debug)]
pub struct Conformed {
    /// The first of them, as the table has them; `None` when there are none.
    pub batch: Option<RecordBatch>,
    /// Why the row behind those does not fit; `None` when all do.
    pub refused: Option<Refused>,
}

/// A column of a type that cannot be loaded.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("column `{column}` has the Arrow type {found}, of which no {expected} can be made")]
pub struct ColumnRefused {
    /// Its name.
    pub column: String,
    /// Its Arrow type.
    pub found: String,
    /// Type of the table's column.
    pub expected: String,
}

/// A struct whose members are NULL where it is.
fn members(array: &ArrayRef) -> Option<StructArray> {
    let rows = array.as_struct_opt()?;
    let member = |member: &ArrayRef| {
        let nulls = NullBuffer::union(rows.nulls(), member.nulls());
        member.to_data().into_builder().nulls(nulls).build().ok().map(make_array)
    };
    let members = rows.columns().iter().map(member).collect::<Option<Vec<_>>>()?;
    StructArray::try_new(nullable(rows.fields()), members, None).ok()
}

fn nullable(fields: &Fields) -> Fields {
    fields.iter().map(|field| field.as_ref().clone().with_nullable(true)).collect()
}

/// A column of the rows, where they have it.
type Own = Option<(ArrayRef, FieldRef)>;

/// A column, and the first of its rows that does not fit.
struct Built {
    array: ArrayRef,
    trouble: Option<(usize, Trouble)>,
}

impl BatchBuilder {
    /// Makes of rows what the table asks for, with the `_sdc_` columns from the envelope. Beside the open batch: that
    /// one must be empty for the order to hold.
    ///
    /// # Errors
    /// A column whose type cannot be loaded, whatever its values.
    pub fn conform(
        &mut self,
        rows: &RecordBatch,
        envelope: &Envelope<'_>,
    ) -> Result<Conformed, ColumnRefused> {
        self.take_back();
        let (own, came) = self.own_columns(rows)?;
        let mut troubles = Vec::new();
        let mut arrays = Vec::with_capacity(own.len() + 1);
        for (at, own) in own.into_iter().enumerate() {
            let built = match own {
                Some((array, field)) => self.build_column(at, &array, &field, envelope)?,
                None => self.fill_column(at, rows.num_rows(), envelope),
            };
            troubles.extend(built.trouble);
            arrays.push(built.array);
        }
        arrays.extend(self.schema.keeps_absent.then(|| self.absent_cells(&came, rows.num_rows())));
        let first = troubles.iter().map(|(row, _)| *row).min().unwrap_or(rows.num_rows());
        let troubles =
            troubles.into_iter().filter(|(row, _)| *row == first).map(|(_, trouble)| trouble).collect();
        let mut refused = self.refusal_of(troubles);
        let mut fit = first;
        if let Some((row, problem)) = self.first_bad_key_or_delete(&arrays, first) {
            (fit, refused) = (row, Some(problem));
        }
        let arrays = arrays.iter().map(|array| array.slice(0, fit)).collect();
        let batch = (fit > 0).then(|| StructArray::new(self.arrow.fields().clone(), arrays, None).into());
        Ok(Conformed { batch, refused })
    }

    /// The table's columns with those of the rows that are theirs, and which of them came, be it as parts of an object
    /// that lacks them. The others are remembered as undeclared.
    fn own_columns(&mut self, rows: &RecordBatch) -> Result<(Vec<Own>, Vec<bool>), ColumnRefused> {
        let count = self.schema.columns.len();
        let (mut own, mut came) = (vec![None; count], vec![false; count]);
        let rows = StructArray::from(rows.clone());
        self.own_members(RECORD, &rows, &mut own, &mut came)?;
        Ok((own, came))
    }

    fn own_members(
        &mut self,
        object: usize,
        rows: &StructArray,
        own: &mut [Own],
        came: &mut [bool],
    ) -> Result<(), ColumnRefused> {
        let mut place = PropertyNames::start();
        for (field, array) in rows.fields().iter().zip(rows.columns()) {
            let names = &mut self.objects[object].names;
            place = names.find(place, field.name());
            match names.column(place) {
                Some(at) if at < own.len() => {
                    own[at] = Some((array.clone(), Arc::clone(field)));
                    came[at] = true;
                }
                Some(inner) => {
                    let inner_rows = members(array).ok_or_else(|| ColumnRefused {
                        column: field.name().clone(),
                        found: array.data_type().to_string(),
                        expected: "columns of a nested object".to_owned(),
                    })?;
                    let inner = inner - own.len();
                    self.objects[inner].columns.iter().for_each(|&at| came[at] = true);
                    self.own_members(inner, &inner_rows, own, came)?;
                }
                None => {}
            }
        }
        Ok(())
    }

    /// The same cells are absent in each of the rows.
    fn absent_cells(&self, came: &[bool], rows: usize) -> ArrayRef {
        let may_be = |at: &usize| !came[*at] && self.may_be_absent(*at);
        let absent: Vec<usize> = (0..came.len()).filter(may_be).collect();
        let mut builder = ColumnBuilder::new(&absent_column().column_type);
        for _ in 0..rows {
            builder.put_indexes(&absent);
        }
        builder.finish()
    }

    fn build_column(
        &self,
        at: usize,
        array: &ArrayRef,
        field: &Field,
        envelope: &Envelope<'_>,
    ) -> Result<Built, ColumnRefused> {
        let column = &self.schema.columns[at];
        let filtered =
            self.filter.is_some() && matches!(column.column_type, ColumnType::Json | ColumnType::Array(_));
        if let Some(array) = pass(array, field, &column.column_type, &self.limits).filter(|_| !filtered) {
            return Ok(Built { array, trouble: None });
        }
        let refused = |_: NoJson| ColumnRefused {
            column: column.name.clone(),
            found: array.data_type().to_string(),
            expected: column.column_type.to_string(),
        };
        let is_json = column.column_type == ColumnType::Json && is_tagged(field, &column.column_type);
        let cells = JsonCells::new(array, is_json).map_err(refused)?;
        let mut builder = ColumnBuilder::new(&column.column_type);
        let mut text = String::new();
        for row in 0..array.len() {
            text.clear();
            let put = match self.bounded(&column.column_type, array, row) {
                _ if array.is_null(row) => {
                    builder.put_null();
                    Ok(())
                }
                Some(put) => put.map(|value| builder.put_moment(value)),
                None => cells
                    .write(row, &mut text)
                    .map_err(|_| Misfit::Unreadable)
                    .and_then(|()| self.put_cell(at, &mut builder, &text, is_json)),
            };
            if self.deleted == Some(at) {
                put_delete(&mut builder, put, &text, envelope);
            } else if let Err(misfit) = put {
                let trouble = Trouble::of(at, misfit, &column.column_type, &text);
                return Ok(Built { array: builder.finish(), trouble: Some((row, trouble)) });
            }
        }
        Ok(Built { array: builder.finish(), trouble: None })
    }

    /// A day or an instant of the column's own form, which the target may not hold.
    fn bounded(
        &self,
        column_type: &ColumnType,
        array: &ArrayRef,
        row: usize,
    ) -> Option<Result<Option<i64>, Misfit>> {
        let (value, bounds) = match (column_type, array.data_type()) {
            (ColumnType::Date, DataType::Date32) => {
                let (first, last) = self.limits.days;
                (array.as_primitive::<Date32Type>().value(row).into(), (first.into(), last.into()))
            }
            (ColumnType::Timestamp, DataType::Timestamp(TimeUnit::Microsecond, None))
            | (ColumnType::TimestampTz, DataType::Timestamp(TimeUnit::Microsecond, Some(_))) => {
                (array.as_primitive::<TimestampMicrosecondType>().value(row), self.limits.instants)
            }
            _ => return None,
        };
        Some(moment::bounded(value, bounds, self.limits.dates))
    }

    fn put_cell(
        &self,
        at: usize,
        builder: &mut ColumnBuilder,
        text: &str,
        is_json: bool,
    ) -> Result<(), Misfit> {
        if is_json {
            let mut reader = JsonReader::new(text);
            reader.skip().and_then(|()| reader.end()).map_err(|_| Misfit::Unreadable)?;
        }
        match &self.filter {
            Some((filter, _)) if text.starts_with(['{', '[']) => {
                let mut room = String::new();
                nested::filter(text, &self.path(at), &**filter, &mut room)?;
                builder.put(&room, &self.limits).map(drop)
            }
            _ => builder.put(text, &self.limits).map(drop),
        }
    }

    /// A column that the rows do not have.
    fn fill_column(&self, at: usize, rows: usize, envelope: &Envelope<'_>) -> Built {
        let mut builder = ColumnBuilder::new(&self.schema.columns[at].column_type);
        let missing = self.key.contains(&at).then_some(RecordProblem::MissingKey);
        let (value, problem) = match self.filling(at, envelope) {
            Ok(value) => (value, missing),
            Err(problem) => (None, Some(problem)),
        };
        for _ in 0..rows {
            builder.put_i64(value);
        }
        Built { array: builder.finish(), trouble: problem.map(|problem| (0, Trouble::Problem(at, problem))) }
    }

    /// The first row whose key is NULL or too long, or that was deleted where that must not be.
    fn first_bad_key_or_delete(&self, arrays: &[ArrayRef], rows: usize) -> Option<(usize, Refused)> {
        let null = self.key.iter().filter_map(|&at| {
            let row = first_row(&arrays[at], rows, ArrayRef::is_null)?;
            Some((row, self.problem(at, RecordProblem::NullKey)))
        });
        let deleted = self.deleted.filter(|_| self.refuses_deletes).and_then(|at| {
            let row = first_row(&arrays[at], rows, ArrayRef::is_valid)?;
            Some((row, self.problem(at, RecordProblem::DeleteWithoutKey)))
        });
        null.chain(deleted).chain(self.first_long_key(arrays, rows)).min_by_key(|(row, _)| *row)
    }

    fn first_long_key(&self, arrays: &[ArrayRef], rows: usize) -> Option<(usize, Refused)> {
        let limit = self.limits.key_bytes?;
        let length = |at: usize, row: usize| cell_bytes(&arrays[at], row);
        let bytes = |row: usize| self.key.iter().map(|&at| length(at, row)).sum::<usize>();
        let row = (0..rows).find(|&row| bytes(row) > limit)?;
        // The longest part is the one to do something about.
        let longest = self.key.iter().copied().max_by_key(|&at| length(at, row))?;
        Some((row, self.problem(longest, RecordProblem::LongKey { bytes: bytes(row), limit })))
    }
}

/// Taps write in many ways when a record was deleted. That it was is sure; when, the envelope says.
fn put_delete(builder: &mut ColumnBuilder, put: Result<(), Misfit>, text: &str, envelope: &Envelope<'_>) {
    let is_null_by_policy = put.is_ok() && builder.last_is_null() && !matches!(text, "" | "null" | "\"\"");
    if put.is_ok() && !is_null_by_policy {
        return;
    }
    if put.is_ok() {
        builder.truncate(builder.len().saturating_sub(1));
    }
    builder.put_i64((text != "false").then(|| deleted(envelope)));
}

fn first_row(array: &ArrayRef, rows: usize, is: impl Fn(&ArrayRef, usize) -> bool) -> Option<usize> {
    (0..rows.min(array.len())).find(|&row| is(array, row))
}

/// Bytes of one cell of a column of the table.
fn cell_bytes(array: &ArrayRef, row: usize) -> usize {
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).len(),
        DataType::Binary => array.as_binary::<i32>().value(row).len(),
        DataType::Boolean => 1,
        other => other.primitive_width().unwrap_or(16),
    }
}
