//! Rows as columns: cells in the server's binary form, straight into Arrow in the forms of tapster's types.
//!
//! A value that such a form does not hold (`NaN` in a bounded numeric, an infinite day) turns its column into texts
//! from there on, those that a RECORD would have: so both ways load the same.

use std::sync::Arc;

use columns::arrow_array::RecordBatch;
use columns::arrow_schema::{Schema, SchemaRef};
use tap_sdk::TapError;

use crate::cells::{Cells, Put};
use crate::config::DatePolicy;
use crate::plan::StreamPlan;
use crate::record::{malformed, unfit};
use crate::row::Row;
use crate::scalar::Malformed;

/// The open batch of one stream.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    plan: &'a StreamPlan,
    columns: Vec<Cells>,
    schema: SchemaRef,
    dates: DatePolicy,
    rows: usize,
    /// The column whose values the next batch has as texts.
    turning: Option<usize>,
}

impl<'a> Batch<'a> {
    /// Without rows.
    pub(crate) fn new(plan: &'a StreamPlan, dates: DatePolicy) -> Self {
        let columns: Vec<_> = plan.columns.iter().map(|column| Cells::new(&column.column_type)).collect();
        Self { schema: schema(plan, &columns), plan, columns, dates, rows: 0, turning: None }
    }

    /// Adds a row; gives the bytes that it takes. `None`: the batch must be [finished](Self::finish) first, and the
    /// row comes again.
    pub(crate) fn push(&mut self, row: &Row<'_>) -> Result<Option<usize>, TapError> {
        if row.width() != self.columns.len() {
            return Err(malformed(&self.plan.id, Malformed));
        }
        let mut bytes = 0;
        for (at, (cells, column)) in self.columns.iter_mut().zip(&self.plan.columns).enumerate() {
            let Some(cell) = row.field(at) else {
                bytes += cells.put_null();
                continue;
            };
            let put = cells.put(cell, self.dates);
            match put.map_err(|fault| unfit(&self.plan.id, &column.name, fault))? {
                Put::Done(more) => bytes += more,
                Put::NeedsText => {
                    self.turning = Some(at);
                    self.columns.iter_mut().for_each(|cells| cells.truncate(self.rows));
                    return Ok(None);
                }
            }
        }
        self.rows += 1;
        Ok(Some(bytes))
    }

    /// The rows so far, if there are any. Nothing is left behind.
    pub(crate) fn finish(&mut self) -> Result<Option<RecordBatch>, TapError> {
        let arrays: Vec<_> = self.columns.iter_mut().map(Cells::finish).collect();
        let (rows, own) = (std::mem::take(&mut self.rows), Arc::clone(&self.schema));
        if let Some(cells) = self.turning.take().and_then(|at| self.columns.get_mut(at)) {
            cells.turn_into_texts();
            self.schema = schema(self.plan, &self.columns);
        }
        if rows == 0 {
            return Ok(None);
        }
        let batch = RecordBatch::try_new(own, arrays);
        batch.map(Some).map_err(|error| {
            TapError::failed(format!("{}: a batch of columns cannot be made: {error}", self.plan.id))
                .with_hint("this is a fault of tap-postgres: please report it")
        })
    }
}

fn schema(plan: &StreamPlan, columns: &[Cells]) -> SchemaRef {
    let fields = plan.columns.iter().zip(columns).map(|(column, cells)| cells.field(&column.name));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}
