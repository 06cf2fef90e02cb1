//! Writing a batch: into the table itself where nothing can go wrong, else into a temporary table of the session.
//! A value that the server refuses is found here, too.

use std::collections::BTreeSet;

use columns::arrow_array::RecordBatch;
use columns::{Column, ColumnType, StreamName, absent_cells, absent_column, ever_absent, without_absent};
use target_api::{OnDelete, Result, TargetError, refusal};
use tokio_postgres::{Error, Statement};

use crate::connection::Session;
use crate::copy::{CopyFailure, copy};
use crate::ddl::{list, staged_type};
use crate::encode::BatchEncoder;
use crate::error::{bug, is_duplicate, record, refuses_value};
use crate::merge::{ABSENT_CELLS, ORDINAL};
use crate::open::OpenTable;
use crate::tables::Place;

/// Records of which the quickest way to merge them is looked for.
const MANY: u64 = 10_000;

/// A staging table: one for each stream and generation of its schema.
pub(crate) struct Staging {
    /// Quoted.
    pub(crate) name: String,
    pub(crate) stream: StreamName,
    /// The table that its records are merged into.
    pub(crate) place: Place,
    pub(crate) types: Vec<ColumnType>,
    /// The columns of its batches.
    columns: Vec<Column>,
    /// The table's column for each of its own.
    pub(crate) names: Vec<String>,
    /// Columns by which its records are merged; empty when they are appended.
    pub(crate) key: Vec<String>,
    /// Columns in which a record that is replaced has values from before their type changed.
    pub(crate) retired: Vec<(usize, String)>,
    /// Its columns of which cells did not come.
    pub(crate) absent: BTreeSet<usize>,
    /// What its delete records do, and whether it holds any.
    on_delete: OnDelete,
    holds_deletes: bool,
    /// Number of the first and the last record that it holds.
    pub(crate) records: Option<(u64, u64)>,
    copy: Statement,
}

impl Staging {
    /// Makes the table. It is seen by this session alone and gone with it.
    pub(crate) async fn create(session: &Session, number: usize, open: &OpenTable) -> Result<Self> {
        let columns = &open.table.schema.columns;
        let name = format!("pg_temp.\"_tapster_{number}\"");
        let absent = open.table.keeps_absent().then(absent_column);
        let typed = columns.iter().enumerate();
        let typed = typed.map(|(index, column)| format!(", c{index} {}", staged_type(&column.column_type)));
        let listed =
            absent.iter().map(|column| format!(", {ABSENT_CELLS} {}", staged_type(&column.column_type)));
        let typed: String = typed.chain(listed).collect();
        let sql = format!("CREATE TEMP TABLE {name} ({ORDINAL} bigint{typed})");
        session.execute("making a staging table", &sql).await?;
        let copy = prepare(session, &format!("COPY {name} FROM STDIN (FORMAT binary)")).await?;
        Ok(Self {
            name,
            stream: open.table.schema.stream.clone(),
            place: open.place.clone(),
            types: columns.iter().map(|column| column.column_type.clone()).collect(),
            columns: columns.iter().cloned().chain(absent).collect(),
            names: open.names.clone(),
            key: open.key.clone(),
            retired: open.retired(),
            absent: BTreeSet::new(),
            on_delete: open.table.on_delete(),
            holds_deletes: false,
            records: None,
            copy,
        })
    }

    /// The column that says of the table's records, too, whether they are deleted.
    pub(crate) fn deleted(&self) -> Option<usize> {
        self.on_delete.column()
    }

    /// What is to be done about deletes in it.
    pub(crate) fn on_delete(&self) -> OnDelete {
        if self.holds_deletes { self.on_delete } else { OnDelete::Load }
    }

    /// Whether it holds so many records that it matters how they are merged.
    pub(crate) fn holds_many(&self) -> bool {
        self.records.is_some_and(|(first, last)| last - first >= MANY)
    }

    /// Nothing is in it any more.
    pub(crate) fn cleared(&mut self) {
        (self.records, self.holds_deletes) = (None, false);
        self.absent.clear();
    }

    /// Adds a batch.
    pub(crate) async fn add(
        &mut self,
        session: &mut Session,
        open: &OpenTable,
        batch: &RecordBatch,
    ) -> Result<()> {
        let first = open.written + 1;
        let says_absent = open.table.keeps_absent();
        let cells = if says_absent { batch.clone() } else { without_absent(batch) };
        let encoder = encoder(open, &cells, &self.columns, Some(first))?;
        match guarded_copy(session, &self.copy, &encoder).await? {
            Ok(rows) if rows == batch.num_rows() as u64 => {
                let started = self.records.map_or(first, |(started, _)| started);
                self.records = Some((started, first + rows - 1));
                self.holds_deletes |= open.table.holds_deletes(batch);
                if let Some(absent) = absent_cells(batch).filter(|_| says_absent) {
                    self.absent.extend(ever_absent(absent));
                }
                Ok(())
            }
            Ok(rows) => Err(bug(format!("{rows} of {} records were staged", batch.num_rows()))),
            Err(failure) => Err(refused(session, open, &self.copy, &encoder, failure).await),
        }
    }
}

/// What became of a batch that was loaded directly.
pub(crate) enum Direct {
    Loaded,
    /// A key came twice: the batch is not there.
    Repeated,
}

/// Loads a batch into the table itself, under a savepoint.
pub(crate) async fn load_directly(
    session: &mut Session,
    open: &mut OpenTable,
    batch: &RecordBatch,
) -> Result<Direct> {
    session.begin().await?;
    let statement = if let Some(statement) = &open.direct {
        statement.clone()
    } else {
        let sql = format!("COPY {} ({}) FROM STDIN (FORMAT binary)", open.place.quoted(), list(&open.names));
        open.direct.insert(prepare(session, &sql).await?).clone()
    };
    // All keys are new, so that what did not come is NULL.
    let cells = without_absent(batch);
    let encoder = encoder(open, &cells, &open.table.schema.columns, None)?;
    let Err(failure) = guarded_copy(session, &statement, &encoder).await? else {
        return Ok(Direct::Loaded);
    };
    match &failure {
        CopyFailure::Server(error) if is_duplicate(error) && !open.key.is_empty() => Ok(Direct::Repeated),
        _ => Err(refused(session, open, &statement, &encoder, failure).await),
    }
}

/// Copies the whole batch. Within a transaction a failure undoes the batch and nothing else.
async fn guarded_copy(
    session: &mut Session,
    statement: &Statement,
    encoder: &BatchEncoder<'_>,
) -> Result<std::result::Result<u64, CopyFailure>> {
    let guarded = session.transaction_age().is_some();
    if guarded {
        session.execute("setting a savepoint", "SAVEPOINT batch").await?;
    }
    let copied = copy(session.client(), statement, encoder, encoder.rows()).await;
    if guarded && !session.client().is_closed() {
        let back = if copied.is_ok() { "" } else { "ROLLBACK TO SAVEPOINT batch;" };
        session.execute("ending a savepoint", &format!("{back} RELEASE SAVEPOINT batch")).await?;
    }
    Ok(copied)
}

async fn prepare(session: &Session, sql: &str) -> Result<Statement> {
    session.client().prepare(sql).await.map_err(|error| session.error("preparing a COPY", &error))
}

fn encoder<'a>(
    open: &'a OpenTable,
    batch: &'a RecordBatch,
    columns: &'a [Column],
    ordinal: Option<u64>,
) -> Result<BatchEncoder<'a>> {
    let stream = &open.table.schema.stream;
    BatchEncoder::new(batch, columns, ordinal).ok_or_else(|| {
        bug(format!("a batch of stream `{stream}` does not have the columns of its open table"))
    })
}

fn copy_error(session: &Session, open: &OpenTable, failure: CopyFailure) -> TargetError {
    let stream = &open.table.schema.stream;
    match failure {
        CopyFailure::Record { row, why } => refusal::record(stream, open.written + 1 + row as u64, &why),
        CopyFailure::Server(error) => session.error(&format!("copying records of stream `{stream}`"), &error),
    }
}

/// The error of a COPY that failed. Where a value was refused, the batch is halved until the first such record is
/// found. The epoch is over either way, so nothing is put back.
async fn refused(
    session: &mut Session,
    open: &OpenTable,
    statement: &Statement,
    encoder: &BatchEncoder<'_>,
    failure: CopyFailure,
) -> TargetError {
    let CopyFailure::Server(error) = failure else { return copy_error(session, open, failure) };
    if !refuses_value(&error) {
        return copy_error(session, open, CopyFailure::Server(error));
    }
    if let Err(error) = session.begin().await {
        return error;
    }
    let stream = &open.table.schema.stream;
    // The first `fails` records fail, the first `passes` do not.
    let (mut passes, mut fails, mut last) = (0, encoder.rows().end, error);
    while fails - passes > 1 {
        let half = passes + (fails - passes) / 2;
        match attempt(session, statement, encoder, half).await {
            Ok(None) => passes = half,
            Ok(Some(error)) => (fails, last) = (half, error),
            Err(CopyFailure::Record { row, why }) => {
                return refusal::record(stream, open.written + 1 + row as u64, &why);
            }
            Err(failure) => return copy_error(session, open, failure),
        }
    }
    let name = |name: &str| staged_name(open, name);
    record(stream, open.written + fails as u64, &open.own_place().to_string(), name, &last)
}

/// The table's column that COPY names: its own name in a direct load, `c1` for the second one in staging.
fn staged_name(open: &OpenTable, name: &str) -> Option<String> {
    let own = open.names.iter().find(|own| *own == name);
    let staged = || name.strip_prefix('c').and_then(|at| at.parse::<usize>().ok());
    own.or_else(|| open.names.get(staged()?)).cloned()
}

/// Copies the first records and undoes it; returns what the server refused.
async fn attempt(
    session: &Session,
    statement: &Statement,
    encoder: &BatchEncoder<'_>,
    rows: usize,
) -> std::result::Result<Option<Error>, CopyFailure> {
    session.client().batch_execute("SAVEPOINT half").await?;
    let outcome = copy(session.client(), statement, encoder, 0..rows).await;
    session.client().batch_execute("ROLLBACK TO SAVEPOINT half").await?;
    match outcome {
        Ok(_) => Ok(None),
        Err(CopyFailure::Server(error)) if refuses_value(&error) => Ok(Some(error)),
        Err(failure) => Err(failure),
    }
}

/// Quoted names of the staging tables, for statements about several.
pub(crate) fn drop_statement(stagings: &[&Staging]) -> Option<String> {
    let names: Vec<&str> = stagings.iter().map(|staging| staging.name.as_str()).collect();
    (!names.is_empty()).then(|| format!("DROP TABLE {}", names.join(", ")))
}

/// The statement that empties staging tables.
pub(crate) fn truncate_statement(stagings: &[&Staging]) -> Option<String> {
    let names: Vec<&str> = stagings.iter().map(|staging| staging.name.as_str()).collect();
    (!names.is_empty()).then(|| format!("TRUNCATE {}", names.join(", ")))
}
