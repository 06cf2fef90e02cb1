//! Accepting a batch: numbers are made canonical and looked at, then it is staged.

use std::collections::BTreeSet;
use std::sync::Arc;

use columns::arrow_array::{ArrayRef, RecordBatch};
use columns::arrow_schema::{Field, Schema};
use columns::{ABSENT, StreamName, absent_cells, ever_absent, without_absent};
use target_api::{ColumnType, Result};

use crate::session::{OpenTable, Session, Step};
use crate::stage::{self, StagedColumn, Staging};
use crate::{ddl, error, numbers, type_map};

impl Session {
    pub(crate) fn write(&mut self, stream: &StreamName, batch: RecordBatch) -> Result<()> {
        self.alive()?;
        tracing::debug!(target: "tapster::phase", phase = "write", stream = %stream, records = batch.num_rows());
        let written = self.stage(stream, batch);
        self.failed |= written.is_err();
        written
    }

    fn stage(&mut self, stream: &StreamName, batch: RecordBatch) -> Result<()> {
        let Some(mut table) = self.tables.remove(stream) else {
            return Err(error::order(format!(
                "a batch of stream `{stream}` came before its table was opened"
            )));
        };
        let staged = self.stage_into(&mut table, batch);
        self.tables.insert(stream.clone(), table);
        staged
    }

    fn stage_into(&mut self, table: &mut OpenTable, batch: RecordBatch) -> Result<()> {
        let stream = table.wanted.schema.stream.clone();
        let cells = without_absent(&batch);
        if cells.num_columns() != table.names.len() {
            return Err(error::order(format!(
                "a batch of stream `{stream}` does not have its table's columns"
            )));
        }
        let bytes = batch.get_array_memory_size();
        if let Some(database) = &mut self.database {
            database.make_room(bytes)?;
        }
        let records = batch.num_rows() as u64;
        let mut exact = self.exact(table, &cells)?;
        let absent = absent_cells(&batch).filter(|_| table.wanted.keeps_absent());
        let ever_absent = absent.map(ever_absent).unwrap_or_default();
        if let Some(absent) = absent {
            exact = with_column(&exact, ABSENT, Arc::new(absent.clone()))?;
        }
        drop((batch, cells));
        let step = match table.step {
            Some(step) => step,
            None => self.new_staging(table)?,
        };
        table.step = Some(step);
        if let (Some(Step::Merge(staging)), (connection, _)) = (self.epoch.steps.get(step), self.held()?) {
            staging.append(connection, exact)?;
        }
        if let Some(Step::Merge(staging)) = self.epoch.steps.get_mut(step) {
            staging.absent.extend(ever_absent);
        }
        table.records += records;
        Ok(())
    }

    fn new_staging(&mut self, table: &OpenTable) -> Result<usize> {
        let columns = table.wanted.schema.columns.iter().zip(&table.names);
        let columns = columns.map(|(column, name)| StagedColumn {
            name: name.clone(),
            column_type: column.column_type.clone(),
        });
        self.stagings_made += 1;
        let staging = Staging {
            stream: table.wanted.schema.stream.clone(),
            name: format!("staging_{}", self.stagings_made),
            columns: columns.collect(),
            merge_key: table.merge_key.clone(),
            retired: table.retired.clone(),
            says_absent: table.wanted.keeps_absent(),
            absent: BTreeSet::new(),
            on_delete: table.wanted.on_delete(),
            first_record: table.records + 1,
        };
        staging.create(self.held()?.0)?;
        self.epoch.steps.push(Step::Merge(staging));
        Ok(self.epoch.steps.len() - 1)
    }

    /// Makes numbers canonical, and gives up DOUBLE for every column of which one number would be rounded.
    fn exact(&mut self, table: &mut OpenTable, batch: &RecordBatch) -> Result<RecordBatch> {
        let wanted = table.wanted.schema.columns.clone();
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(wanted.len());
        for ((array, column), name) in batch.columns().iter().zip(&wanted).zip(table.names.clone()) {
            let refused = |index: usize, because: &str| {
                let record = table.records + 1 + index as u64;
                error::refused(&table.wanted.schema.stream, record, &name, because)
            };
            let leaf = type_map::leaf(&column.column_type);
            let array = if *leaf == ColumnType::UnboundedNumeric {
                stage::canonical_numbers(array).map_err(|index| refused(index, "holds what is no number"))?
            } else {
                array.clone()
            };
            let exact =
                matches!(leaf, ColumnType::UnboundedNumeric | ColumnType::Int64 | ColumnType::Numeric { .. });
            let actual = table.actual_type(&name).cloned();
            match actual.as_ref().map(type_map::leaf) {
                Some(ColumnType::UnboundedNumeric) if exact => {
                    let rounds = |text: &str| !numbers::survives_double(text);
                    if let Some(index) = stage::first_number(&array, &rounds) {
                        if !table.made {
                            let why = "holds a number that a double would round, and tapster, which did not make \
                                       this table, does not change its types";
                            return Err(refused(index, why));
                        }
                        self.give_up_double(table, &name, actual.as_ref());
                    }
                }
                Some(ColumnType::Numeric { precision, scale }) if *leaf == ColumnType::UnboundedNumeric => {
                    let rounds = |text: &str| !numbers::fits_decimal(text, *precision, *scale);
                    if let Some(index) = stage::first_number(&array, &rounds) {
                        return Err(refused(
                            index,
                            &format!("holds what DECIMAL({precision},{scale}) cannot"),
                        ));
                    }
                }
                _ => {}
            }
            arrays.push(array);
        }
        let fields = batch.schema();
        let fields = fields.fields().iter().zip(&arrays);
        let fields: Vec<Field> =
            fields.map(|(field, array)| Field::new(field.name(), array.data_type().clone(), true)).collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(not_its_table)
    }

    /// A column of doubles becomes one of texts; those that are there survived, so their text is theirs.
    fn give_up_double(&mut self, table: &mut OpenTable, name: &str, actual: Option<&ColumnType>) {
        let Some(actual) = actual else { return };
        let place = table.place.written();
        tracing::info!("column `{name}` of {place} becomes VARCHAR: a number came that a double would round");
        let change = ddl::retype(&table.place, &mut table.actual, name, &type_map::as_text(actual));
        self.epoch.changes.extend(change);
    }
}

fn with_column(batch: &RecordBatch, name: &str, array: ArrayRef) -> Result<RecordBatch> {
    let field = Arc::new(Field::new(name, array.data_type().clone(), true));
    let fields = batch.schema_ref().fields().iter().cloned().chain([field]).collect::<Vec<_>>();
    let arrays = batch.columns().iter().cloned().chain([array]).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(not_its_table)
}

fn not_its_table(cause: columns::arrow_schema::ArrowError) -> target_api::TargetError {
    error::order("a batch is not what its table says").caused_by(cause)
}
