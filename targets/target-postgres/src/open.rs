//! Opening a stream's table: whose it is, where it is, what it lacks.

use std::collections::{BTreeMap, BTreeSet};

use columns::StreamName;
use target_api::sql::quoted;
use target_api::{Result, RunIdentity, Status, Table, TableChange, TargetError, column_names};
use tokio_postgres::Statement;
use tokio_postgres::types::Type;

use crate::actual::{ActualTable, same_names};
use crate::config::Settings;
use crate::connection::{Parameter, Session};
use crate::ddl::{Alteration, Known, Wanted, alter, create, is_staged_as_itself, same};
use crate::error::bug;
use crate::tables::{Owner, Place, Registered, plain_name};
use crate::target::IDENTIFIER;
use crate::{error, tables};

/// A stream's open table.
pub(crate) struct OpenTable {
    pub(crate) table: Table,
    pub(crate) place: Place,
    /// The table's column for each of the stream's.
    pub(crate) names: Vec<String>,
    /// Columns by which records are merged; empty when they are appended.
    pub(crate) key: Vec<String>,
    pub(crate) actual: ActualTable,
    /// Whether this run found the table and took it over: what others put into it is not ours to give up.
    pub(crate) adopted: bool,
    /// Whether all that the table holds came with this run.
    pub(crate) fresh: bool,
    /// Whether a key came twice, so that the stream is staged from then on.
    pub(crate) repeated: bool,
    /// The COPY into the table itself, once it was used.
    pub(crate) direct: Option<Statement>,
    /// Number of the staging table of this generation, once it was used.
    pub(crate) staging: Option<usize>,
    /// Records written so far.
    pub(crate) written: u64,
}

/// What there is to know before anything is changed.
pub(crate) struct Opening<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) run: &'a RunIdentity,
    /// Whether there is a STATE that the tables must agree with.
    pub(crate) has_state: bool,
    /// Whether this stream's records are given up with the first commit, and are still there.
    pub(crate) starts_over: bool,
    /// Whether this run has opened the stream before.
    pub(crate) reopened: bool,
}

/// What opening a table takes.
pub(crate) struct Plan {
    pub(crate) place: Place,
    pub(crate) names: Vec<String>,
    pub(crate) key: Vec<String>,
    pub(crate) created: bool,
    adopted: bool,
    /// The table before the statements, when it exists.
    pub(crate) actual: Option<ActualTable>,
    pub(crate) alteration: Alteration,
    /// The row of `_tapster_tables`, when it changes.
    register: Option<Registered>,
}

impl Opening<'_> {
    /// Looks at everything, changes nothing.
    pub(crate) async fn plan(&self, session: &Session, table: &Table) -> Result<Plan> {
        let stream = &table.schema.stream;
        let place = Place::wanted(table, self.settings);
        let registered = tables::read(session, self.settings, self.run, stream).await?;
        self.refuse_taken(session, stream, &place).await?;
        let moved = registered.as_ref().filter(|row| row.place != place);
        if let Some(old) = moved.filter(|_| self.must_agree()) {
            return Err(gone(stream, &format!("was in {} and shall now be in {place}", old.place)));
        }
        let given = registered.as_ref().map(|row| row.columns.clone()).unwrap_or_default();
        let names = names_of(table, &given);
        let key = merge_key(table, &names);
        let actual = ActualTable::read(session, &place).await?;
        if actual.is_none() && registered.is_some() && moved.is_none() && self.must_agree() {
            return Err(gone(stream, &format!("was in {place}, and there is no such table any more")));
        }
        let wanted = Wanted { place: &place, columns: &table.schema.columns, names: &names, key: &key };
        let kept = registered.as_ref().filter(|row| row.place == place);
        let old_key = kept.map(|row| row.key.as_slice());
        let made = actual.is_none() || kept.is_some_and(|row| row.made);
        let alteration = match &actual {
            None => self.creation(session, &wanted).await?,
            Some(actual) => alter(
                &wanted,
                actual,
                &Known { old_key, made, start_over: self.starts_over && old_key.is_some() },
            )?,
        };
        let mut columns = given;
        columns.extend(properties_and_names(table, &names));
        let row = Registered { place: place.clone(), columns, key: key.clone(), made };
        let register = Some(row).filter(|row| registered.as_ref() != Some(row));
        let adopted = actual.is_some() && kept.is_none();
        Ok(Plan { created: actual.is_none(), adopted, place, names, key, actual, alteration, register })
    }

    /// Whether the tables must be those that the STATE speaks of.
    fn must_agree(&self) -> bool {
        self.has_state && !self.starts_over && !self.reopened
    }

    async fn refuse_taken(&self, session: &Session, stream: &StreamName, place: &Place) -> Result<()> {
        let Some(owner) = tables::owner(session, self.settings, place).await? else { return Ok(()) };
        let Owner { environment, pipeline, stream: other } = &owner;
        if (environment, pipeline) != (&self.run.environment, &self.run.pipeline) {
            let named = if environment.is_empty() {
                String::new()
            } else {
                format!(" of environment `{environment}`")
            };
            return Err(tables::taken(place, &format!("stream `{other}` of pipeline `{pipeline}`{named}")));
        }
        if other != stream.as_str() {
            return Err(tables::taken(place, &format!("stream `{other}` of this pipeline")));
        }
        Ok(())
    }

    async fn creation(&self, session: &Session, wanted: &Wanted<'_>) -> Result<Alteration> {
        let schema: [Parameter<'_>; 1] = [(&wanted.place.schema, Type::TEXT)];
        let sql = "SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1";
        let missing = session.query("looking for a schema", sql, &schema).await?.is_empty();
        let mut statements = Vec::new();
        if missing {
            statements.push(format!("CREATE SCHEMA IF NOT EXISTS {}", quoted(&wanted.place.schema)));
        }
        statements.push(create(wanted));
        Ok(Alteration { statements, ..Alteration::default() })
    }

    /// Does what the plan says, in the open transaction, and learns what became of the table.
    pub(crate) async fn apply(&self, session: &mut Session, table: &Table, plan: Plan) -> Result<OpenTable> {
        let stream = &table.schema.stream;
        if !plan.alteration.statements.is_empty() || plan.register.is_some() {
            session.begin().await?;
        }
        for sql in &plan.alteration.statements {
            let done = session.client.batch_execute(sql).await;
            done.map_err(|error| refused_change(session, &plan, stream, &error))?;
        }
        if let Some(row) = &plan.register {
            tables::register(session, self.settings, self.run, stream, row).await?;
        }
        let actual = match plan.actual {
            Some(actual) if plan.alteration.statements.is_empty() => actual,
            _ => ActualTable::read(session, &plan.place)
                .await?
                .ok_or_else(|| bug(format!("table {} is not there after it was made", plan.place)))?,
        };
        Ok(OpenTable {
            table: table.clone(),
            adopted: plan.adopted,
            fresh: plan.created || plan.alteration.emptied,
            place: plan.place,
            names: plan.names,
            key: plan.key,
            actual,
            repeated: false,
            direct: None,
            staging: None,
            written: 0,
        })
    }
}

impl Plan {
    /// For people.
    pub(crate) fn change(&self) -> TableChange {
        TableChange {
            place: self.place.to_string(),
            created: self.created,
            statements: self.alteration.statements.clone(),
        }
    }
}

impl OpenTable {
    /// Whether records may go into the table itself: it has exactly our types, nothing looks at each record, and
    /// either no key or only records of this run, none of them twice.
    pub(crate) fn takes_directly(&self) -> bool {
        let exact = |(column, name): (&columns::Column, &String)| {
            let actual = self.actual.column(name).filter(|actual| actual.exact);
            let actual = actual.and_then(|actual| actual.column_type.as_ref());
            is_staged_as_itself(&column.column_type)
                && actual.is_some_and(|actual| same(actual, &column.column_type))
        };
        let keyed = !self.key.is_empty();
        !self.actual.watched
            && (!keyed || (self.fresh && !self.repeated && self.actual.is_unique(&self.key)))
            && self.table.schema.columns.iter().zip(&self.names).all(exact)
    }
}

/// Names that every table has already.
const SYSTEM_COLUMNS: [&str; 6] = ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];

fn names_of(table: &Table, given: &BTreeMap<String, String>) -> Vec<String> {
    let properties = table.schema.columns.iter().map(|column| column.name.as_str());
    let mut names: Vec<String> = column_names(properties, given, IDENTIFIER);
    for at in 0..names.len() {
        let Some(name) = names.get(at) else { continue };
        let mut plain = plain_name(name);
        while SYSTEM_COLUMNS.contains(&plain.as_str()) || (plain != *name && names.contains(&plain)) {
            plain.push('_');
        }
        if let Some(name) = names.get_mut(at) {
            *name = plain;
        }
    }
    names
}

fn merge_key(table: &Table, names: &[String]) -> Vec<String> {
    if !table.merges() {
        return Vec::new();
    }
    let columns = table.schema.columns.iter().zip(names);
    let by_property: BTreeMap<&str, &String> =
        columns.map(|(column, name)| (column.name.as_str(), name)).collect();
    let mut seen = BTreeSet::new();
    let keys = table.schema.key_properties.iter().filter(|key| seen.insert(key.as_str()));
    keys.filter_map(|key| by_property.get(key.as_str()).map(|name| (*name).clone())).collect()
}

fn properties_and_names(table: &Table, names: &[String]) -> impl Iterator<Item = (String, String)> {
    table.schema.columns.iter().map(|column| column.name.clone()).zip(names.iter().cloned())
}

fn gone(stream: &StreamName, what: &str) -> TargetError {
    let text =
        format!("the table of stream `{stream}` {what}, but the STATE says that its records were loaded");
    TargetError::new("E0324", Status::Config, text).with_hint(
        "`--full-refresh` for this stream loads it anew; or put the table (or the setting) back as it was",
    )
}

fn refused_change(
    session: &Session,
    plan: &Plan,
    stream: &StreamName,
    error: &tokio_postgres::Error,
) -> TargetError {
    let place = &plan.place;
    if plan.alteration.rekeyed && error::refuses_value(error) {
        let key = plan.key.join(", ");
        let text = format!(
            "the key of stream `{stream}` is now ({key}), and the records that are in {place} do not allow it: some have the same key, or none"
        );
        return TargetError::new("E0326", Status::Config, text)
            .with_hint("`--full-refresh` for this stream loads the table anew");
    }
    if error::is_duplicate(error) {
        // Two that make the same name at the same moment: the catalog's own index lets one of them through.
        return TargetError::temporary("E0317", format!("another session makes {place} just now"));
    }
    session.error(&format!("changing table {place} for stream `{stream}`"), error)
}

/// Whether two generations of a stream are merged by the same key.
pub(crate) fn same_key(one: &OpenTable, plan: &Plan) -> bool {
    same_names(&one.key, &plan.key) && one.place == plan.place
}
