//! Making a table able to hold a stream: planned when the schema comes, done in the commit.

use duckdb::Connection;
use target_api::sql::quoted;
use target_api::{ActualColumn, ColumnType, GivenNames, KeyChange, Result, Table, TableChange, refusal};

use crate::connection;
use crate::ddl::{self, Known, TablePlan};
use crate::session::{OpenTable, Run, Session, Step};
use crate::tables::{self, OwnedTable, Place};
use crate::{error, merge, state};

impl Session {
    pub(crate) fn open(&mut self, table: &Table) -> Result<TableChange> {
        self.alive()?;
        let stream = table.schema.stream.clone();
        let (connection, run) = self.held()?;
        let place = self.place(connection, table)?;
        let (plan, existed) = self.planned(connection, Some(run), table, &place)?;
        let merge_key = merge_key(table, &plan.names)?;
        let others = tables::sharing(&run.owned, &run.identity, table, &place);
        let previous = run.owned(stream.as_str()).or_else(|| others.first().copied());
        let previous = previous.map(|previous| previous.key.clone());
        let key_change = previous.as_deref().and_then(|old| KeyChange::between(old, &merge_key));
        let keeps = existed && !run.overwrites(table);
        let key_is_new = keeps && !merge_key.is_empty() && (previous.is_none() || key_change.is_some());
        let owned = owned(run, table, &place, &plan, &merge_key);
        let change = change(&place, &plan, key_change);
        self.overwrite(table, &place);
        self.epoch.changes.extend(plan.changes);
        self.remember(owned);
        if key_is_new {
            let (stream, new) = (stream.clone(), merge_key.clone());
            self.epoch.steps.push(Step::UniqueKey { stream, old: previous, new });
        }
        // The same shape goes on in the same staging; any other needs its own.
        let former = self.tables.remove(&stream);
        let step =
            former.as_ref().filter(|open| open.wanted == *table && !key_is_new).and_then(|open| open.step);
        let records = former.map_or(0, |open| open.records);
        let made = plan.made;
        let retired = plan.given.retired(table.schema.columns.iter().map(|column| column.name.as_str()));
        let (wanted, names, actual) = (table.clone(), plan.names, plan.actual);
        let open = OpenTable { wanted, place, names, actual, made, retired, merge_key, records, step };
        self.tables.insert(stream, open);
        Ok(change)
    }

    pub(crate) fn plan(&mut self, table: &Table) -> Result<TableChange> {
        if let Some(database) = &self.database {
            let place = self.place(&database.connection, table)?;
            return self.plan_at(&database.connection, self.run.as_ref(), table, &place);
        }
        let connection = connection::open_to_read(&self.opening)?;
        let is_there = connection.is_some();
        let connection = match connection {
            Some(connection) => connection,
            None => Connection::open_in_memory().map_err(|e| error::failed("plan", &e))?,
        };
        let mut place = self.place(&connection, table)?;
        if !is_there {
            place.catalog = connection::future_catalog(&self.opening)?;
        }
        let run = match &self.asked {
            Some(identity) => {
                let row = state::read(&connection, identity)?;
                Some(Run::look(&connection, identity, row.as_ref())?)
            }
            None => None,
        };
        self.plan_at(&connection, run.as_ref(), table, &place)
    }

    fn plan_at(
        &self,
        connection: &Connection,
        run: Option<&Run>,
        table: &Table,
        place: &Place,
    ) -> Result<TableChange> {
        let (plan, _) = self.planned(connection, run, table, place)?;
        let previous = run.and_then(|run| run.owned(table.schema.stream.as_str()));
        let key = merge_key(table, &plan.names)?;
        let key_change = previous.and_then(|previous| KeyChange::between(&previous.key, &key));
        Ok(change(place, &plan, key_change))
    }

    fn place(&self, connection: &Connection, table: &Table) -> Result<Place> {
        Place::of(connection, table, &self.opening.config.default_target_schema)
    }

    /// The way from the table as it will be after this epoch so far to what holds the stream, and whether there is
    /// a table already.
    fn planned(
        &self,
        connection: &Connection,
        run: Option<&Run>,
        table: &Table,
        place: &Place,
    ) -> Result<(TablePlan, bool)> {
        let stream = table.schema.stream.as_str();
        let open = self.tables.get(stream).filter(|open| open.place == *place);
        let actual = match open {
            Some(open) => Some(open.actual.clone()),
            None => ddl::inspect(connection, place)?,
        };
        let exists = actual.is_some();
        let mut given = GivenNames::default();
        if let Some(run) = run {
            refusal::refuse_emptying(&run.identity, table)?;
            tables::refuse_anothers(&run.owned, &run.identity, table, place)?;
            given = run.given(table, place);
            let goes_on = run.goes_on(stream) && !run.overwrites(table);
            if let Some(previous) = run.owned(stream).filter(|_| goes_on) {
                tables::refuse_vanished(previous, place, exists)?;
            }
        }
        let made = !exists || run.is_none_or(|run| run.made(table, place));
        let emptied = open.is_none() && run.is_some_and(|run| run.will_empty(table, place));
        let before = actual.clone().filter(|_| open.is_none() && !emptied);
        let known = Known {
            place,
            actual,
            given,
            emptied,
            made,
            numbers: self.opening.config.numbers,
            survives: &|column, from| self.survives(connection, stream, place, column, from),
        };
        let plan = ddl::plan(table, known)?;
        let key = merge_key(table, &plan.names)?;
        if let Some(run) = run {
            refuse_other_key(run, table, place, &key)?;
        }
        let old = run.and_then(|run| run.owned(stream)).map(|previous| previous.key.as_slice());
        if old.is_none_or(|old| KeyChange::between(old, &key).is_some())
            && !key.is_empty()
            && before.is_some_and(|columns| holds(&columns, &key))
        {
            // The commit looks again, with what is merged until then; but the tap may be read for hours before it.
            merge::refuse_repeated_key(connection, &table.schema.stream, place, (old, &key))?;
        }
        Ok((plan, exists))
    }

    /// Whether all values of a column, in the table and staged for it, survive becoming doubles.
    fn survives(
        &self,
        connection: &Connection,
        stream: &str,
        place: &Place,
        column: &str,
        from: &ColumnType,
    ) -> Result<bool> {
        let lost = |value: &str, column_type: &ColumnType| match column_type {
            ColumnType::Int64 => format!("{value} NOT BETWEEN -9007199254740992 AND 9007199254740992"),
            ColumnType::Numeric { precision, scale } if *precision > 15 => format!(
                "TRY_CAST(CAST(CAST(CAST({value} AS VARCHAR) AS DOUBLE) AS VARCHAR) AS DECIMAL({precision},{scale})) IS DISTINCT FROM {value}"
            ),
            _ => "false".to_owned(),
        };
        let mut places = Vec::new();
        let there = ddl::inspect(connection, place)?.unwrap_or_default();
        if there.iter().any(|actual| actual.name.eq_ignore_ascii_case(column)) {
            places.push((place.sql(), lost(&quoted(column), from)));
        }
        for step in &self.epoch.steps {
            let Step::Merge(staging) = step else { continue };
            let staged = staging.columns.iter().enumerate().filter(|_| staging.stream.as_str() == stream);
            let staged = staged.filter(|(_, staged)| staged.name == column);
            places.extend(staged.map(|(i, c)| (staging.place(), lost(&format!("c{i}"), &c.column_type))));
        }
        for (place, lost) in places {
            let sql = format!("SELECT EXISTS (SELECT 1 FROM {place} WHERE {lost})");
            let any: bool = connection
                .query_row(&sql, [], |row| row.get(0))
                .map_err(|e| error::failed("look for numbers that a double would round", &e))?;
            if any {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What the table holds from before goes with the next commit.
    fn overwrite(&mut self, table: &Table, place: &Place) {
        let Some(run) = self.run.as_mut().filter(|run| run.overwrites(table)) else { return };
        run.overwritten.insert(table.schema.stream.clone());
        run.to_empty.push((table.schema.stream.to_string(), place.clone()));
    }

    fn remember(&mut self, owned: OwnedTable) {
        let Some(run) = &mut self.run else { return };
        if run.owned.contains(&owned) {
            return;
        }
        run.owned.retain(|table| !(table.is_of(&run.identity) && table.stream == owned.stream));
        run.owned.push(owned.clone());
        self.epoch.owned.insert(owned.stream.clone(), owned);
    }
}

/// Whether a table has all columns of a key.
fn holds(columns: &[ActualColumn], key: &[String]) -> bool {
    key.iter().all(|name| columns.iter().any(|column| column.name.eq_ignore_ascii_case(name)))
}

fn change(place: &Place, plan: &TablePlan, key: Option<KeyChange>) -> TableChange {
    TableChange {
        place: place.written(),
        created: plan.created,
        statements: plan.statements(),
        key,
        notes: plan.notes.clone(),
    }
}

/// The entry of a table, with the names given now beside those given before.
fn owned(run: &Run, table: &Table, place: &Place, plan: &TablePlan, key: &[String]) -> OwnedTable {
    let stream = table.schema.stream.to_string();
    OwnedTable {
        environment: run.identity.environment.clone(),
        pipeline: run.identity.pipeline.clone(),
        stream,
        place: place.clone(),
        columns: plan.given.clone(),
        key: key.to_vec(),
        shared: table.shared,
        made: plan.made,
    }
}

/// All that share a table merge into it by the same key.
fn refuse_other_key(run: &Run, table: &Table, place: &Place, key: &[String]) -> Result<()> {
    let others = tables::sharing(&run.owned, &run.identity, table, place);
    match others.iter().find(|other| KeyChange::between(&other.key, key).is_some()) {
        Some(other) => Err(refusal::shared_key(place.written(), &other.key, key)),
        None => Ok(()),
    }
}

/// The columns by which records are replaced.
fn merge_key(table: &Table, names: &[String]) -> Result<Vec<String>> {
    if !table.merges() {
        return Ok(Vec::new());
    }
    let name_of = |property: &String| {
        let index = table.schema.columns.iter().position(|column| column.name == *property);
        index.and_then(|index| names.get(index)).cloned().ok_or_else(|| {
            error::order(format!(
                "the key `{property}` of stream `{}` is none of its columns",
                table.schema.stream
            ))
        })
    };
    table.schema.key_properties.iter().map(name_of).collect()
}
