//! The open batch of one stream.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{RecordBatch, StructArray};
use arrow_schema::SchemaRef;
use singer::{JsonReader, ReadError};

use super::column::ColumnBuilder;
use super::object::{Object, RECORD};
use crate::metadata::{self, is_metadata_column, metadata_column};
use crate::refusal::Found;
use crate::value::{Misfit, Wider, moment, nested};
use crate::{
    ColumnType, Envelope, RecordError, RecordProblem, Refused, TableSchema, ValueLimits, absent_column,
};

/// Builds the batches of one stream.
///
/// A record comes in two steps: [`walk`](Self::walk) reads its JSON into the columns, [`accept`](Self::accept) makes
/// it part of the batch. Whatever happens between them is taken back without a trace.
pub struct BatchBuilder {
    pub(crate) schema: Arc<TableSchema>,
    pub(crate) arrow: SchemaRef,
    pub(crate) limits: ValueLimits,
    /// The record and the objects in it whose properties are columns.
    pub(crate) objects: Vec<Object>,
    /// The paths of columns that are nested, by their names.
    paths: BTreeMap<String, Vec<String>>,
    /// Those of the table, and behind them the one that says which cells did not come, where the table keeps those.
    columns: Vec<ColumnBuilder>,
    /// Which columns tapster fills, and with what.
    filled: Vec<Option<Filled>>,
    /// Columns of the key.
    pub(crate) key: Vec<usize>,
    /// The column `_sdc_deleted_at`; whether a record may not set it; and whether the open one says that it was
    /// deleted but not when.
    pub(crate) deleted: Option<usize>,
    pub(crate) refuses_deletes: bool,
    unclear_delete: bool,
    records: usize,
    /// Bytes of each record, whatever it holds; bytes of the accepted ones beside that; those of the open one.
    record_bytes: usize,
    value_bytes: usize,
    open_bytes: usize,
    /// Whether a record is walked and neither accepted nor taken back.
    open: bool,
    troubles: Vec<Trouble>,
    /// The object that is none.
    not_object: Option<(usize, Found)>,
    /// Where parts of columns are left out: which are not, and room for a value without them.
    pub(crate) filter: Option<(PropertyFilter, String)>,
}

/// Whether a property is loaded, by its path from the top of the record.
pub type PropertyFilter = Arc<dyn Fn(&[&str]) -> bool + Send + Sync>;

/// A `_sdc_` column that the envelope fills.
#[derive(Debug, Clone, Copy)]
enum Filled {
    Extracted,
    Received,
    Sequence,
    Version,
    SyncStarted,
}

/// A value of a record that does not fit its column.
pub(crate) enum Trouble {
    Wider(usize, Wider),
    Problem(usize, RecordProblem),
}

impl Trouble {
    /// What a value of a column is.
    pub(crate) fn of(at: usize, misfit: Misfit, column_type: &ColumnType, raw: &str) -> Self {
        match (misfit, misfit.problem(column_type, raw)) {
            (Misfit::Wider(wider), None) => Self::Wider(at, wider),
            (_, problem) => Self::Problem(
                at,
                problem.unwrap_or(RecordProblem::Unreadable { expected: column_type.clone() }),
            ),
        }
    }

    fn column(&self) -> usize {
        match self {
            Self::Wider(column, _) | Self::Problem(column, _) => *column,
        }
    }
}

impl BatchBuilder {
    /// A builder without records.
    #[must_use]
    pub fn new(schema: Arc<TableSchema>, limits: ValueLimits) -> Self {
        let absent = schema.keeps_absent.then(absent_column);
        let columns = schema.columns.iter().chain(&absent);
        let columns: Vec<_> = columns.map(|column| ColumnBuilder::new(&column.column_type)).collect();
        let filled: Vec<_> = schema.columns.iter().map(Filled::of).collect();
        let paths = BTreeMap::new();
        let objects = objects(&schema, &filled, &paths);
        let key =
            schema.key_properties.iter().filter_map(|key| schema.columns.iter().position(|c| c.name == *key));
        Self {
            arrow: schema.arrow(),
            limits,
            deleted: schema.columns.iter().position(|column| column.name == metadata::DELETED_AT),
            refuses_deletes: false,
            unclear_delete: false,
            objects,
            paths,
            filled,
            key: key.collect(),
            records: 0,
            record_bytes: columns.iter().map(ColumnBuilder::cell_bytes).sum(),
            value_bytes: 0,
            open_bytes: 0,
            open: false,
            troubles: Vec::new(),
            not_object: None,
            filter: None,
            columns,
            schema,
        }
    }

    /// Takes the columns of these names from nested objects, by their paths, as [`flatten`](crate::flatten) gives them.
    #[must_use]
    pub fn flattened(mut self, paths: BTreeMap<String, Vec<String>>) -> Self {
        self.objects = objects(&self.schema, &self.filled, &paths);
        self.paths = paths;
        self
    }

    /// Leaves out the nested properties that the filter does not pass, whatever the tap sends.
    #[must_use]
    pub fn filtered(mut self, filter: PropertyFilter) -> Self {
        self.filter = Some((filter, String::new()));
        self
    }

    /// Refuses records that were deleted: there is no key by which to find what they delete.
    #[must_use]
    pub fn refusing_deletes(mut self) -> Self {
        self.refuses_deletes = true;
        self
    }

    /// Whether a record has said when it was deleted, and the table has no column for it.
    #[inline]
    pub fn lacks_deleted_at(&self) -> bool {
        self.objects.first().is_some_and(|record| record.names.undeclared_delete())
    }

    /// The table that the batches are of.
    pub fn schema(&self) -> &Arc<TableSchema> {
        &self.schema
    }

    /// Records in the open batch.
    pub fn records(&self) -> usize {
        self.records
    }

    /// Bytes that the records of the open batch take in memory.
    pub fn bytes(&self) -> usize {
        self.records * self.record_bytes + self.value_bytes
    }

    /// Names of properties outside the table that came since the last call, at most a thousand in all. Their
    /// values are dropped.
    pub fn unknown_properties(&mut self) -> Vec<String> {
        let unknown = |object: &mut Object| {
            let path = object.path.clone();
            let dotted = move |name: String| path.iter().cloned().chain([name]).collect::<Vec<_>>().join(".");
            object.names.unknown().into_iter().map(dotted)
        };
        self.objects.iter_mut().flat_map(unknown).collect()
    }

    /// Walks one record's JSON, which comes next in `record`, into the columns. A value that does not fit is
    /// remembered until [`accept`](Self::accept).
    ///
    /// # Errors
    /// Only when the text is not JSON; then [`take_back`](Self::take_back) forgets what was read of it.
    pub fn walk(&mut self, record: &mut JsonReader<'_>) -> Result<(), ReadError> {
        self.take_back();
        self.open = true;
        self.walk_record(record)
    }

    /// Puts one property of the open record; the last of two equal names wins.
    #[inline]
    pub(super) fn put(&mut self, at: usize, raw: &str) {
        if self.filter.is_some() && matches!(raw.as_bytes().first(), Some(b'{' | b'[')) {
            return self.put_filtered(at, raw);
        }
        self.put_whole(at, raw);
    }

    #[cold]
    fn put_filtered(&mut self, at: usize, raw: &str) {
        let Some((filter, mut room)) = self.filter.take() else { return };
        room.clear();
        let filtered = nested::filter(raw, &self.path(at), &*filter, &mut room);
        match filtered {
            Ok(()) => self.put_whole(at, &room),
            Err(misfit) => {
                self.take_back_cell(at);
                self.note(at, misfit, raw);
            }
        }
        self.filter = Some((filter, room));
    }

    /// Where a column's values are in a record.
    pub(crate) fn path(&self, at: usize) -> Vec<&str> {
        let name = self.schema.columns.get(at).map(|column| column.name.as_str()).unwrap_or_default();
        self.paths.get(name).map_or_else(|| vec![name], |path| path.iter().map(String::as_str).collect())
    }

    /// Forgets what the open record has put into a column.
    #[inline]
    pub(super) fn take_back_cell(&mut self, at: usize) {
        if let Some(column) = self.columns.get_mut(at)
            && column.len() > self.records
        {
            column.truncate(self.records);
            self.troubles.retain(|trouble| trouble.column() != at);
        }
    }

    /// Puts NULL into the columns that the open record has nothing for, of those that an object has which came: it
    /// came whole.
    pub(super) fn put_rest_of(&mut self, object: usize) {
        for at in self.objects.get(object).map(|object| object.columns.as_slice()).unwrap_or_default() {
            if let Some(column) = self.columns.get_mut(*at).filter(|column| column.len() == self.records) {
                column.put_null();
            }
        }
    }

    #[inline]
    fn put_whole(&mut self, at: usize, raw: &str) {
        self.take_back_cell(at);
        let Some(column) = self.columns.get_mut(at) else { return };
        match column.put(raw, &self.limits) {
            // The policy for dates made it NULL: that must not undo a delete.
            Ok(_) if self.deleted == Some(at) && column.last_is_null() && !matches!(raw, "null" | "\"\"") => {
                self.take_back_cell(at);
                self.unclear_delete = true;
            }
            Ok(bytes) => self.open_bytes += bytes,
            Err(misfit) => self.note(at, misfit, raw),
        }
    }

    #[cold]
    fn note(&mut self, at: usize, misfit: Misfit, raw: &str) {
        let Some(column) = self.columns.get_mut(at) else { return };
        if self.deleted == Some(at) && raw != "false" {
            // Taps write it in many ways. That the record was deleted is sure; when, the envelope says.
            self.unclear_delete = true;
            return;
        }
        column.put_null();
        if self.deleted == Some(at) {
            return;
        }
        self.troubles.push(Trouble::of(at, misfit, &column.column_type, raw));
    }

    pub(super) fn not_object(&mut self, object: usize, found: Found) {
        self.not_object = Some((object, found));
    }

    /// Ends the record: fills the `_sdc_` columns and makes it part of the batch, or takes it back entirely.
    ///
    /// # Errors
    /// [`Refused`]: the record is no part of the batch.
    pub fn accept(&mut self, envelope: &Envelope<'_>) -> Result<(), Refused> {
        let fits = self.settle(envelope);
        if fits.is_err() {
            self.take_back();
            return fits;
        }
        self.records += 1;
        self.value_bytes += self.open_bytes;
        self.forget();
        Ok(())
    }

    fn settle(&mut self, envelope: &Envelope<'_>) -> Result<(), Refused> {
        if let Some((object, found)) = self.not_object {
            let problem = if object == RECORD {
                RecordProblem::NotObject { found }
            } else {
                RecordProblem::NotNested { found }
            };
            let column = self.objects.get(object).map(|object| object.path.join(".")).unwrap_or_default();
            return Err(Refused::Record(RecordError { column, problem }));
        }
        if !self.troubles.is_empty() {
            let troubles = std::mem::take(&mut self.troubles);
            return self.refusal_of(troubles).map_or(Ok(()), Err);
        }
        self.check_key()?;
        self.fill(envelope)?;
        self.check_delete()
    }

    fn check_delete(&self) -> Result<(), Refused> {
        let Some(at) = self.deleted.filter(|_| self.refuses_deletes) else { return Ok(()) };
        if self.columns.get(at).is_none_or(ColumnBuilder::last_is_null) {
            return Ok(());
        }
        Err(self.problem(at, RecordProblem::DeleteWithoutKey))
    }

    /// What the misfits of one record come to; `None` when there are none.
    pub(crate) fn refusal_of(&self, troubles: Vec<Trouble>) -> Option<Refused> {
        let mut wider = None;
        for trouble in troubles {
            match trouble {
                Trouble::Problem(column, problem) => return Some(self.problem(column, problem)),
                Trouble::Wider(at, to) => {
                    let wider = wider.get_or_insert_with(|| TableSchema::clone(&self.schema));
                    if let Some(column) = wider.columns.get_mut(at) {
                        column.column_type = to.column_type();
                    }
                }
            }
        }
        wider.map(Refused::Widen)
    }

    pub(crate) fn problem(&self, column: usize, problem: RecordProblem) -> Refused {
        let column = self.schema.columns.get(column).map(|column| column.name.clone()).unwrap_or_default();
        Refused::Record(RecordError { column, problem })
    }

    fn check_key(&self) -> Result<(), Refused> {
        let mut bytes = 0;
        for &at in &self.key {
            let Some(column) = self.columns.get(at) else { continue };
            if column.len() == self.records {
                return Err(self.problem(at, RecordProblem::MissingKey));
            }
            if column.last_is_null() {
                return Err(self.problem(at, RecordProblem::NullKey));
            }
            bytes += column.last_length().unwrap_or_else(|| column.cell_bytes());
        }
        match self.limits.key_bytes {
            Some(limit) if bytes > limit => {
                // The longest part is the one to do something about.
                let longest = self
                    .key
                    .iter()
                    .max_by_key(|at| self.columns.get(**at).and_then(ColumnBuilder::last_length));
                Err(self
                    .problem(longest.copied().unwrap_or_default(), RecordProblem::LongKey { bytes, limit }))
            }
            _ => Ok(()),
        }
    }

    /// Gives a cell to each column that the record has not put one into.
    fn fill(&mut self, envelope: &Envelope<'_>) -> Result<(), Refused> {
        let mut absent = Vec::new();
        for (at, column) in self.columns.iter_mut().enumerate() {
            if column.len() > self.records {
                continue;
            }
            if at == self.schema.columns.len() {
                self.open_bytes += column.put_indexes(&absent);
                continue;
            }
            let value = match self.filled.get(at).copied().flatten() {
                None if self.unclear_delete && self.deleted == Some(at) => Some(deleted(envelope)),
                None => {
                    if self.schema.keeps_absent && self.deleted != Some(at) {
                        absent.push(at);
                    }
                    None
                }
                Some(filled) => match filled.value(envelope) {
                    Ok(value) => value,
                    Err(problem) => return Err(self.problem(at, problem)),
                },
            };
            column.put_i64(value);
        }
        Ok(())
    }

    /// Whether a column is one that a record may leave as it is: tapster fills none of those, and that a record does
    /// not say that it was deleted says that it was not.
    pub(crate) fn may_be_absent(&self, at: usize) -> bool {
        self.filled.get(at).is_some_and(Option::is_none) && self.deleted != Some(at)
    }

    /// What the envelope puts into a column; NULL into one of the record's own.
    pub(crate) fn filling(&self, at: usize, envelope: &Envelope<'_>) -> Result<Option<i64>, RecordProblem> {
        self.filled.get(at).copied().flatten().map_or(Ok(None), |filled| filled.value(envelope))
    }

    /// Forgets a record that was walked but not accepted.
    pub fn take_back(&mut self) {
        if !self.open {
            return;
        }
        for column in &mut self.columns {
            column.truncate(self.records);
        }
        self.forget();
    }

    /// Nothing of a record is open any more.
    fn forget(&mut self) {
        self.open_bytes = 0;
        self.open = false;
        self.unclear_delete = false;
        self.troubles.clear();
        self.not_object = None;
    }

    /// The accepted records as one batch, without a copy of their values; `None` when there are none. The builder
    /// goes on with no records and no memory held.
    #[must_use]
    pub fn finish(&mut self) -> Option<RecordBatch> {
        self.take_back();
        if self.records == 0 {
            return None;
        }
        let arrays = self.columns.iter_mut().map(ColumnBuilder::finish).collect();
        self.records = 0;
        self.value_bytes = 0;
        // Panics only where a column was built against its own type: a bug, never an input.
        Some(StructArray::new(self.arrow.fields().clone(), arrays, None).into())
    }
}

fn objects(
    schema: &TableSchema,
    filled: &[Option<Filled>],
    paths: &BTreeMap<String, Vec<String>>,
) -> Vec<Object> {
    let own = schema.columns.iter().zip(filled).enumerate().filter(|(_, (_, filled))| filled.is_none());
    Object::tree(own.map(|(at, (column, _))| (column.name.as_str(), at)), schema.columns.len(), paths)
}

/// The envelope's instant of extraction. One that cannot be read is an error, as any other value's.
fn extracted(envelope: &Envelope<'_>) -> Result<Option<i64>, RecordProblem> {
    let unreadable = |_| RecordProblem::Unreadable { expected: ColumnType::TimestampTz };
    envelope.time_extracted.map(|text| moment::instant(text.as_bytes())).transpose().map_err(unreadable)
}

/// When a record was deleted that does not say so.
pub(crate) fn deleted(envelope: &Envelope<'_>) -> i64 {
    extracted(envelope).ok().flatten().unwrap_or(envelope.received)
}

impl Filled {
    fn value(self, envelope: &Envelope<'_>) -> Result<Option<i64>, RecordProblem> {
        Ok(match self {
            Self::Extracted => extracted(envelope)?,
            Self::Received => Some(envelope.received),
            Self::Sequence => Some(envelope.sequence),
            Self::Version => envelope.version,
            Self::SyncStarted => Some(envelope.sync_started),
        })
    }

    /// Which envelope column this is, when it has that column's name and type.
    fn of(column: &crate::Column) -> Option<Self> {
        if !is_metadata_column(&column.name)
            || column.column_type != metadata_column(&column.name).column_type
        {
            return None;
        }
        Some(match column.name.as_str() {
            metadata::EXTRACTED_AT => Self::Extracted,
            metadata::RECEIVED_AT | metadata::BATCHED_AT => Self::Received,
            metadata::SEQUENCE => Self::Sequence,
            metadata::TABLE_VERSION => Self::Version,
            metadata::SYNC_STARTED_AT => Self::SyncStarted,
            // A record says itself when it was deleted.
            _ => return None,
        })
    }
}
