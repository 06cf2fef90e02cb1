//! A new version of a stream is loaded beside its table and takes the table's place when it is activated: that costs
//! what a first load costs, leaves no dead rows, and whoever reads the table sees the old version until then.
//!
//! Only where nobody could tell the new table from the old one. Wherever that does not hold, or no longer, what is
//! beside is merged into the table, as if it had never been elsewhere.

use columns::arrow_array::cast::AsArray as _;
use columns::arrow_array::types::Int64Type;
use columns::arrow_array::{Array as _, RecordBatch};
use columns::{StreamName, TABLE_VERSION};
use target_api::sql::{literal, quoted};
use target_api::{Result, Version, shortened};
use tracing::info;

mod catalog;

use crate::actual::ActualTable;
use crate::commit::Step;
use crate::connection::Session;
use crate::ddl::list;
use crate::open::OpenTable;
use crate::tables::Place;
use crate::target::{IDENTIFIER, PostgresTarget};
use catalog::{DOING, all_beside, is_alone, stand_in};

/// Bytes of a table below which merging costs less than making a new one.
const LEAST: i64 = 4 << 20;

/// How long the table's readers are waited for, in milliseconds; those that come meanwhile wait, too.
const PATIENCE: u128 = 5_000;

/// What an [`OpenTable`] is a table of its own for, while it is one.
#[derive(Debug, Clone)]
pub(crate) struct Aside {
    /// The version that it holds; no other.
    pub(crate) version: i64,
    /// The table that it shall replace, and what was known of that one.
    place: Place,
    actual: ActualTable,
    repeated: bool,
}

/// A table beside another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Beside {
    pub(crate) place: Place,
    pub(crate) version: i64,
}

impl OpenTable {
    /// From here on the table is that beside it.
    fn turn(&mut self, beside: Beside, actual: ActualTable, made: bool) {
        let place = std::mem::replace(&mut self.place, beside.place);
        let actual = std::mem::replace(&mut self.actual, actual);
        self.aside = Some(Aside { version: beside.version, place, actual, repeated: self.repeated });
        (self.fresh, self.repeated, self.direct, self.staging) = (made, false, None, None);
    }

    /// From here on it is the stream's own again. Gives where the other one is.
    fn turn_back(&mut self) -> Option<Place> {
        let aside = self.aside.take()?;
        let beside = std::mem::replace(&mut self.place, aside.place);
        (self.actual, self.repeated) = (aside.actual, aside.repeated);
        (self.fresh, self.direct, self.staging, self.is_settled) = (false, None, None, true);
        Some(beside)
    }

    /// The stream's own table, for people.
    pub(crate) fn own_place(&self) -> &Place {
        self.aside.as_ref().map_or(&self.place, |aside| &aside.place)
    }

    /// The version of all records of a batch, where they have one.
    fn version_of(batch: &RecordBatch) -> Option<i64> {
        let versions = batch.column_by_name(TABLE_VERSION)?.as_primitive_opt::<Int64Type>()?;
        let first = *versions.values().first()?;
        (versions.null_count() == 0 && versions.values().iter().all(|version| *version == first))
            .then_some(first)
    }
}

impl PostgresTarget {
    /// Turns to where a batch goes: the table itself, or the one beside it.
    pub(crate) async fn turn_for(
        &mut self,
        stream: &StreamName,
        open: &mut OpenTable,
        batch: &RecordBatch,
    ) -> Result<()> {
        if open.is_settled && open.aside.is_none() {
            return Ok(());
        }
        let version = OpenTable::version_of(batch);
        if let Some(aside) = &open.aside {
            if version != Some(aside.version) {
                self.fold(stream, open);
            }
            return Ok(());
        }
        self.look_beside(stream, open, version).await?;
        if open.aside.is_some() {
            return Ok(());
        }
        open.is_settled = true;
        let waits =
            self.steps.iter().any(|step| matches!(step, Step::Change(change) if change.stream == *stream));
        let Some(version) = version.filter(|_| !waits && self.may_begin(open)) else { return Ok(()) };
        if is_alone(self.session()?, &open.place, LEAST).await?
            && is_newer_than_all(self.session()?, open, version).await?
        {
            self.begin(open, version).await?;
        }
        Ok(())
    }

    /// Looks, once, for what earlier runs left beside the table: what is of this version is gone on with, the rest is
    /// merged.
    async fn look_beside(
        &mut self,
        stream: &StreamName,
        open: &mut OpenTable,
        version: Option<i64>,
    ) -> Result<()> {
        let run = &self.fence()?.run;
        if open.has_looked || open.fresh || open.adopted || self.empties(run, &open.table) {
            return Ok(());
        }
        open.has_looked = true;
        for beside in all_beside(self.session()?, &open.place).await? {
            let is_its =
                Some(beside.version) == version && !open.table.marks_versions() && open.aside.is_none();
            let actual = ActualTable::read(self.session()?, &beside.place).await?;
            match actual.filter(|_| is_its) {
                Some(actual) => open.turn(beside, actual, false),
                None => self.steps.push(Step::Fold {
                    stream: stream.clone(),
                    from: beside.place,
                    into: open.own_place().clone(),
                }),
            }
        }
        Ok(())
    }

    fn may_begin(&self, open: &OpenTable) -> bool {
        let keyed = open.key.is_empty() || open.actual.is_unique(&open.key);
        let ours = open.registered.made && !open.registered.shared && !open.fresh && !open.adopted;
        let run = self.fence.as_ref().map(|fence| &fence.run);
        let replaces = !open.table.marks_versions() && run.is_some_and(|run| !self.empties(run, &open.table));
        self.settings.direct_load && ours && keyed && replaces && open.planned.is_none()
    }

    /// Makes a table like the stream's own, in the open transaction, and turns to it.
    async fn begin(&mut self, open: &mut OpenTable, version: i64) -> Result<()> {
        let name = shortened(&format!("_tapster_{version}_{}", open.place.table), IDENTIFIER);
        let place = Place { schema: open.place.schema.clone(), table: name };
        let (new, old) = (place.quoted(), open.place.quoted());
        let comment = literal(&format!("tapster: version {version} of {}", open.place));
        let session = self.session_mut()?;
        session.begin().await?;
        let sql =
            format!("CREATE TABLE {new} (LIKE {old} INCLUDING ALL); COMMENT ON TABLE {new} IS {comment}");
        session.execute(&format!("making a table for a new version of {}", open.place), &sql).await?;
        if let Some(actual) = ActualTable::read(session, &place).await? {
            open.turn(Beside { place, version }, actual, true);
        }
        Ok(())
    }

    /// Has the commit merge what is beside into the table, and turns back to that.
    pub(crate) fn fold(&mut self, stream: &StreamName, open: &mut OpenTable) {
        if let Some(from) = open.turn_back() {
            self.steps.push(Step::Fold { stream: stream.clone(), from, into: open.place.clone() });
        }
    }

    /// Has the commit make this version the stream's only one.
    pub(crate) async fn activate(
        &mut self,
        stream: &StreamName,
        open: &mut OpenTable,
        version: Version,
    ) -> Result<()> {
        if open.aside.is_none() {
            self.look_beside(stream, open, Some(version.number)).await?;
        }
        if open.aside.as_ref().is_some_and(|aside| aside.version == version.number) {
            let (fresh, repeated) = (open.fresh, open.repeated);
            if let Some(from) = open.turn_back() {
                (open.fresh, open.repeated) = (fresh, repeated);
                let into = open.place.clone();
                self.steps.push(Step::Replace { stream: stream.clone(), version, from, into });
            }
            return Ok(());
        }
        self.fold(stream, open);
        // Where nothing is there to go, what follows may be loaded directly.
        if !open.is_empty() {
            self.steps.push(Step::Versions { stream: stream.clone(), version });
        }
        Ok(())
    }

    /// The tap has sent all: what it did not activate is merged, as if it had never been beside.
    pub(crate) async fn fold_all(&mut self) -> Result<()> {
        let streams: Vec<StreamName> = self.tables.keys().cloned().collect();
        for stream in streams {
            let Some(mut open) = self.tables.remove(&stream) else { continue };
            let looked = self.look_beside(&stream, &mut open, None).await;
            self.fold(&stream, &mut open);
            self.tables.insert(stream, open);
            looked?;
        }
        Ok(())
    }

    /// Puts the table that is beside in the place of the other, or else merges it.
    pub(crate) async fn replace(
        &self,
        step: (&StreamName, Version),
        from: &Place,
        into: &Place,
    ) -> Result<()> {
        let (stream, version) = step;
        let session = self.session()?;
        let timeout = self.settings.lock_timeout.as_millis();
        let patience = if timeout == 0 { PATIENCE } else { PATIENCE.min(timeout) };
        let begin = format!("SAVEPOINT replace; SET LOCAL lock_timeout = {patience}");
        session.execute("setting a savepoint", &begin).await?;
        let Some(why) = stand_in(session, from, into).await? else {
            let end = format!("SET LOCAL lock_timeout = {timeout}; RELEASE SAVEPOINT replace");
            return session.execute("releasing a savepoint", &end).await;
        };
        let back = "ROLLBACK TO SAVEPOINT replace; RELEASE SAVEPOINT replace";
        session.execute("undoing the replacement of a table", back).await?;
        info!(%stream, table = %into, "the new version is merged into the table instead of taking its place: {why}");
        self.merge_beside(stream, from, into).await?;
        self.remove_older(stream, version).await
    }

    /// Upserts all records of a table that is beside, and drops it.
    pub(crate) async fn merge_beside(&self, stream: &StreamName, from: &Place, into: &Place) -> Result<()> {
        let session = self.session()?;
        let Some(beside) = ActualTable::read(session, from).await? else { return Ok(()) };
        let names = beside.columns.iter().filter(|column| !column.generated);
        let names: Vec<String> = names.map(|column| column.name.clone()).collect();
        let key = self.tables.get(stream).map(|open| open.key.as_slice()).unwrap_or_default();
        let listed = list(&names);
        let set: Vec<String> = names.iter().map(|name| format!("{0} = excluded.{0}", quoted(name))).collect();
        let keyed = format!("ON CONFLICT ({}) DO UPDATE SET {}", list(key), set.join(", "));
        let (staged, keyed) = (from.quoted(), if key.is_empty() { "" } else { &keyed });
        let insert =
            format!("INSERT INTO {} ({listed}) SELECT {listed} FROM {staged} {keyed}", into.quoted());
        let sql = format!("{insert}; DROP TABLE {staged}");
        session.execute(&format!("merging {from} into {into}"), &sql).await
    }

    /// Drops what is beside a table that is emptied.
    pub(crate) async fn drop_beside(&self, place: &Place) -> Result<()> {
        let session = self.session()?;
        for beside in all_beside(session, place).await? {
            let sql = format!("DROP TABLE {}", beside.place.quoted());
            session.execute(&format!("dropping {}", beside.place), &sql).await?;
        }
        Ok(())
    }
}

async fn is_newer_than_all(session: &Session, open: &OpenTable, version: i64) -> Result<bool> {
    let Some(column) = open.column_of(TABLE_VERSION) else { return Ok(false) };
    let (place, column) = (open.place.quoted(), quoted(&column.name));
    let sql = format!("SELECT FROM {place} WHERE {column} >= {version} LIMIT 1");
    Ok(session.query(DOING, &sql, &[]).await?.is_empty())
}
