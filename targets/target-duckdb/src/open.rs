//! Making a table able to hold a stream: planned when the schema comes, done in the commit.

use std::collections::BTreeMap;

use duckdb::Connection;
use target_api::{ColumnType, Result, Table, TableChange};

use crate::connection;
use crate::ddl::{self, Known, TablePlan};
use crate::error;
use crate::session::{OpenTable, Session, Step};
use crate::tables::{self, OwnedTable, Place};
use target_api::sql::quoted;

impl Session {
    pub(crate) fn open(&mut self, table: &Table) -> Result<TableChange> {
        self.alive()?;
        let stream = table.schema.stream.clone();
        let place = Place::of(table, &self.config.default_target_schema);
        let (connection, run) = self.held()?;
        tables::refuse_anothers(&run.owned, &run.identity, stream.as_str(), &place)?;
        let previous = run.owned.iter().find(|t| t.is_of(&run.identity) && t.stream == stream.as_str());
        let open = self.tables.get(&stream).filter(|open| open.place == place);
        let exists = open.is_some() || ddl::inspect(connection, &place)?.is_some();
        if let Some(previous) = previous.filter(|_| self.goes_on(stream.as_str())) {
            tables::refuse_vanished(previous, &place, exists)?;
        }
        let plan = self.planned(connection, table, &place)?;
        let merge_key = merge_key(table, &plan.names)?;
        let given = previous.map(|previous| previous.columns.clone()).unwrap_or_default();
        let owned = self.owned(table, &place, given, &plan.names, &merge_key);
        let key_is_new = exists && !merge_key.is_empty() && previous.is_none_or(|p| p.key != merge_key);
        let change = TableChange {
            place: place.written(),
            created: plan.created,
            statements: plan.statements.clone(),
        };
        self.epoch.statements.extend(plan.statements);
        self.remember(owned);
        if key_is_new {
            self.epoch.steps.push(Step::UniqueKey(stream.clone()));
        }
        // The same shape goes on in the same staging; any other needs its own.
        let former = self.tables.remove(&stream);
        let step =
            former.as_ref().filter(|open| open.wanted == *table && !key_is_new).and_then(|open| open.step);
        let records = former.map_or(0, |open| open.records);
        let (wanted, names, actual) = (table.clone(), plan.names, plan.actual);
        self.tables.insert(stream, OpenTable { wanted, place, names, actual, merge_key, records, step });
        Ok(change)
    }

    pub(crate) fn plan(&mut self, table: &Table) -> Result<TableChange> {
        let place = Place::of(table, &self.config.default_target_schema);
        let plan = if let Some(database) = &self.database {
            self.planned(&database.connection, table, &place)?
        } else {
            let file = connection::open_to_read(&self.config, self.prober.as_deref())?;
            let connection = match file {
                Some(connection) => connection,
                None => Connection::open_in_memory().map_err(|e| error::failed("plan", &e))?,
            };
            self.planned(&connection, table, &place)?
        };
        Ok(TableChange { place: place.written(), created: plan.created, statements: plan.statements })
    }

    /// The way from the table as it will be after this epoch so far to what holds the stream.
    fn planned(&self, connection: &Connection, table: &Table, place: &Place) -> Result<TablePlan> {
        let stream = table.schema.stream.as_str();
        let open = self.tables.get(stream).filter(|open| open.place == *place);
        let actual = match open {
            Some(open) => Some(open.actual.clone()),
            None => ddl::inspect(connection, place)?,
        };
        let owned = self.run.as_ref().and_then(|run| {
            run.owned.iter().find(|owned| owned.is_of(&run.identity) && owned.stream == stream)
        });
        let none = BTreeMap::new();
        let known = Known {
            place,
            actual,
            given: owned.map_or(&none, |owned| &owned.columns),
            emptied: open.is_none() && self.will_empty(stream, place),
            numbers: self.config.numbers,
            survives: &|column, from| self.survives(connection, stream, place, column, from),
        };
        ddl::plan(table, known)
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

    /// The entry of a table, with the names given now beside those given before.
    fn owned(
        &self,
        table: &Table,
        place: &Place,
        mut columns: BTreeMap<String, String>,
        names: &[String],
        key: &[String],
    ) -> Option<OwnedTable> {
        let identity = &self.run.as_ref()?.identity;
        let properties = table.schema.columns.iter().map(|column| column.name.clone());
        columns.extend(properties.zip(names.iter().cloned()));
        Some(OwnedTable {
            environment: identity.environment.clone(),
            pipeline: identity.pipeline.clone(),
            stream: table.schema.stream.to_string(),
            place: place.clone(),
            columns,
            key: key.to_vec(),
        })
    }

    fn remember(&mut self, owned: Option<OwnedTable>) {
        let (Some(owned), Some(run)) = (owned, &mut self.run) else { return };
        if run.owned.contains(&owned) {
            return;
        }
        run.owned.retain(|table| !(table.is_of(&run.identity) && table.stream == owned.stream));
        run.owned.push(owned.clone());
        self.epoch.owned.insert(owned.stream.clone(), owned);
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
