//! One look at the log: the plugin's messages become those of Singer.

use std::collections::HashMap;

use singer::Catalog;
use tap_sdk::{Output, TapError};
use tokio_postgres::types::Type;

use crate::config::Config;
use crate::copy;
use crate::log_based::change::{Places, Unsaid, Writer};
use crate::log_based::lsn::Lsn;
use crate::log_based::message::{Begin, Message, Shown, Tuple};
use crate::log_based::stream::LogStream;
use crate::record::malformed;
use crate::row::{Row, RowReader};
use crate::session::{Session, cell};

/// What a look at the log needs, and how far it has come.
pub(super) struct Pass<'a> {
    pub(super) config: &'a Config,
    pub(super) catalog: &'a Catalog,
    /// Asks while the other session sends.
    pub(super) side: &'a Session,
    pub(super) streams: &'a mut [LogStream],
    writer: Writer,
    /// By their numbers, as the log has shown them since this look began.
    tables: HashMap<u32, Table>,
    begin: Option<Begin>,
    /// Bytes of records since the last STATE.
    pub(super) bytes: usize,
    /// Whether anything is out since then.
    pub(super) is_dirty: bool,
}

enum Table {
    /// Nothing of it came yet.
    Unread(Shown),
    /// No stream has it.
    Passed,
    /// Nothing of it was wanted yet: what is passed over may look otherwise.
    Owned(Owner, Shown),
    Of(Place),
}

/// A stream, and whether the table is a partition of its own.
#[derive(Debug, Clone, Copy)]
struct Owner {
    stream: usize,
    is_part: bool,
}

struct Place {
    owner: Owner,
    places: Places,
    shown: Shown,
}

/// What the statement is for that reads the log.
pub(crate) const READING: &str = "reading the log";

impl<'a> Pass<'a> {
    pub(super) fn new(
        config: &'a Config,
        catalog: &'a Catalog,
        side: &'a Session,
        streams: &'a mut [LogStream],
    ) -> Self {
        for stream in streams.iter_mut() {
            stream.begin_records();
        }
        let writer = Writer::new(config.dates);
        let tables = HashMap::new();
        Self { config, catalog, side, streams, writer, tables, begin: None, bytes: 0, is_dirty: false }
    }

    /// Takes a message in. After a commit it gives the place behind it.
    pub(super) async fn take(&mut self, bytes: &[u8], output: &mut Output) -> Result<Option<Lsn>, TapError> {
        match Message::parse(bytes).map_err(|fault| malformed("the log", fault))? {
            Message::Begin(begin) => self.begin = Some(begin),
            Message::Commit(end) => {
                self.begin = None;
                return Ok(Some(end));
            }
            Message::Relation(shown) => {
                self.tables.insert(shown.oid, Table::Unread(shown));
            }
            Message::Insert { relation, new } => self.changed(relation, None, Some(new), output).await?,
            Message::Update { relation, old, new } => self.changed(relation, old, Some(new), output).await?,
            Message::Delete { relation, old } => self.changed(relation, Some(old), None, output).await?,
            Message::Truncate { relations } => {
                for relation in relations {
                    self.truncated(relation, output).await?;
                }
            }
            Message::Other => {}
        }
        Ok(None)
    }

    async fn changed(
        &mut self,
        relation: u32,
        old: Option<Tuple<'_>>,
        new: Option<Tuple<'_>>,
        output: &mut Output,
    ) -> Result<(), TapError> {
        let Some(begin) = self.begin else { return Err(malformed("the log", crate::scalar::Malformed)) };
        let Some(index) = self.stream_of(relation, &begin, output).await? else { return Ok(()) };
        let Some(Table::Of(Place { places, .. })) = self.tables.get(&relation) else { return Ok(()) };
        let Some(stream) = self.streams.get(index) else { return Ok(()) };
        let (plan, envelope) = (&stream.plan, &stream.envelope);
        self.is_dirty = true;
        let gone = match (&old, &new) {
            (Some(old), None) => Some(old),
            // Without a key a change is a row that went and one that came.
            (Some(old), Some(new)) if plan.keys.is_empty() || places.changes_key(old, new) => Some(old),
            _ => None,
        };
        if let Some(old) = gone {
            self.writer.gone(plan, places, old, begin.at)?;
            self.bytes += self.writer.json.len();
            output.record_text(envelope, &self.writer.json)?;
        }
        let Some(new) = &new else { return Ok(()) };
        let rows = (old.as_ref(), new);
        if gone.is_some() && places.lacks_values(new) {
            // A later change of them comes later: so this may be newer than the change.
            let mut reader = RowReader::new();
            let found = look_up(self.side, stream, places, rows, &mut reader).await?;
            self.writer.row(plan, places, rows, found.as_ref())?;
        } else {
            self.writer.row(plan, places, rows, None)?;
        }
        self.bytes += self.writer.json.len();
        output.record_text(envelope, &self.writer.json)
    }

    async fn truncated(&mut self, relation: u32, output: &mut Output) -> Result<(), TapError> {
        let Some(begin) = self.begin else { return Err(malformed("the log", crate::scalar::Malformed)) };
        let Some(index) = self.stream_of(relation, &begin, output).await? else { return Ok(()) };
        let is_part = matches!(self.tables.get(&relation), Some(Table::Of(place)) if place.owner.is_part);
        let Some(stream) = self.streams.get_mut(index) else { return Ok(()) };
        if is_part {
            stream.start_over("one of the table's partitions was truncated");
            return Ok(());
        }
        let version = stream.empty();
        self.is_dirty = true;
        output.truncated(&stream.plan.name, version)
    }

    /// The stream that wants this transaction's changes of that table.
    async fn stream_of(
        &mut self,
        relation: u32,
        begin: &Begin,
        output: &mut Output,
    ) -> Result<Option<usize>, TapError> {
        if let Some(Table::Unread(shown)) = self.tables.get(&relation) {
            let owner = self.owner(shown).await?;
            if let Some(Table::Unread(shown)) = self.tables.remove(&relation) {
                let table = owner.map_or(Table::Passed, |owner| Table::Owned(owner, shown));
                self.tables.insert(relation, table);
            }
        }
        let owner = match self.tables.get(&relation) {
            Some(Table::Passed) => return Ok(None),
            Some(Table::Of(place)) => place.owner,
            Some(Table::Owned(owner, _)) => *owner,
            Some(Table::Unread(_)) | None => return Err(malformed("the log", crate::scalar::Malformed)),
        };
        if !self.wants(owner.stream, begin) {
            return Ok(None);
        }
        if let Some(Table::Owned(_, shown)) = self.tables.get(&relation) {
            let shown = shown.clone();
            let Some(places) = self.read(owner, &shown, output).await? else { return Ok(None) };
            self.tables.insert(relation, Table::Of(Place { owner, places, shown }));
        }
        Ok(Some(owner.stream))
    }

    fn wants(&self, stream: usize, begin: &Begin) -> bool {
        self.streams.get(stream).is_some_and(|stream| stream.wants(begin))
    }

    /// The stream that has the rows of a table.
    async fn owner(&self, shown: &Shown) -> Result<Option<Owner>, TapError> {
        let find = |oid: u32| self.streams.iter().position(|stream| stream.shape.table() == oid);
        if let Some(stream) = find(shown.oid) {
            return Ok(Some(Owner { stream, is_part: false }));
        }
        let sql = "SELECT relid::oid FROM pg_catalog.pg_partition_ancestors($1) WHERE relid <> $1";
        let rows =
            self.side.query("asking whose partition a table is", sql, &[(&shown.oid, Type::OID)]).await?;
        for row in &rows {
            if let Some(stream) = find(cell(row, 0)?) {
                return Ok(Some(Owner { stream, is_part: true }));
            }
        }
        // A table that was dropped and made anew has another number.
        let from =
            format!("{}.{}", crate::statement::quoted(&shown.schema), crate::statement::quoted(&shown.name));
        let stream = self.streams.iter().position(|stream| stream.plan.from == from);
        Ok(stream.map(|stream| Owner { stream, is_part: false }))
    }

    /// Where the stream's columns stand in the rows of the log. `None`: the stream starts over.
    async fn read(
        &mut self,
        Owner { stream: at, is_part }: Owner,
        shown: &Shown,
        output: &mut Output,
    ) -> Result<Option<Places>, TapError> {
        let Some(stream) = self.streams.get_mut(at) else { return Ok(None) };
        let is_other = !is_part && stream.shape.table() != shown.oid;
        // Columns that changed places or were made anew may look in the log as those before did.
        let is_known =
            !is_other && stream.shape.is_as_shown(shown) && stream.is_current(self.side, self.config).await?;
        if !is_known {
            let is_new = stream.renew(self.side, self.config, self.catalog).await?;
            // Its other partitions have the places of the plan before.
            for table in self.tables.values_mut() {
                if let Table::Of(place) = table
                    && place.owner.stream == at
                {
                    *table = Table::Owned(place.owner, place.shown.clone());
                }
            }
            if is_new {
                let plan = &stream.plan;
                output.schema(&plan.name, &plan.schema, &plan.keys, &[])?;
                self.is_dirty = true;
            }
        }
        let names = stream.plan.columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>();
        let other = shown.columns.iter().find(|column| {
            names.contains(&column.name) && !stream.shape.has_type(&column.name, column.type_oid)
        });
        if let Some(column) = other {
            stream.start_over(&format!("the column `{}` changed its type", column.name));
        }
        if stream.needs_rows() {
            return Ok(None);
        }
        match Places::new(&stream.plan, shown) {
            Ok(places) => Ok(Some(places)),
            Err(Unsaid(what)) => {
                let reason = format!("its log did not say {what} of rows that were deleted, for a while");
                stream.start_over(&reason);
                Ok(None)
            }
        }
    }
}

/// The row of a key at the server, if it is there.
async fn look_up<'r>(
    side: &Session,
    stream: &LogStream,
    places: &Places,
    (old, new): (Option<&Tuple<'_>>, &Tuple<'_>),
    reader: &'r mut RowReader,
) -> Result<Option<Row<'r>>, TapError> {
    let Some(conditions) = places.finds(&stream.plan, old, new) else { return Ok(None) };
    let sql = stream.plan.copy(conditions, None);
    let rows = side.client().copy_out(sql.as_str()).await.map_err(|error| side.error(READING, &error))?;
    futures::pin_mut!(rows);
    while let Some(piece) = futures::StreamExt::next(&mut rows).await {
        reader.push(piece.map_err(|error| side.error(READING, &error))?);
    }
    reader.next_row().map_err(|fault| malformed(&stream.plan.id, fault))
}

/// The messages of a look at the log.
pub(super) fn start(session: &std::sync::Arc<Session>, sql: String) -> Option<copy::Pieces> {
    copy::start(std::slice::from_ref(session), vec![sql], READING).pop()
}
