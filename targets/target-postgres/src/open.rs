//! Opening a stream's table: whose it is, where it is, what it lacks.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use columns::arrow_array::cast::AsArray as _;
use columns::arrow_array::types::Int64Type;
use columns::arrow_array::{Array as _, RecordBatch};
use columns::{StreamName, TABLE_VERSION};
use target_api::sql::quoted;
use target_api::{
    GivenNames, KeyChange, LoadMethod, Result, RunIdentity, Table, TableChange, column_names, refusal,
};
use tokio_postgres::Statement;
use tokio_postgres::types::Type;

use crate::actual::{ActualTable, TableColumn};
use crate::beside::Aside;
use crate::change::refuse_repeated_key;
use crate::config::Settings;
use crate::connection::{Parameter, Session};
use crate::ddl::{Alteration, Known, Wanted, alter, create, is_staged_as_itself, same};
use crate::error::bug;
use crate::grants::{grant, missing_grants};
use crate::tables::{Place, Registered, plain_name};
use crate::target::IDENTIFIER;
use crate::version::versions;
use crate::{change, check, tables};

/// A stream's open table.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about the table and this run")]
pub(crate) struct OpenTable {
    pub(crate) table: Table,
    pub(crate) place: Place,
    /// The table's column for each of the stream's.
    pub(crate) names: Vec<String>,
    /// Columns by which records are merged; empty when they are appended.
    pub(crate) key: Vec<String>,
    pub(crate) actual: ActualTable,
    /// What the table will be, while a change of it waits for the commit.
    pub(crate) planned: Option<ActualTable>,
    /// Whether the table was made in the open transaction, so that nobody else can be kept waiting for it.
    pub(crate) unseen: bool,
    /// The row of `_tapster_tables`, as it is or will be with the commit.
    pub(crate) registered: Registered,
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
    /// The oldest version among them; `None` where they have none.
    pub(crate) oldest: Option<i64>,
    /// While a new version is loaded beside the table, what it is beside of; `place` and `actual` are the new one's.
    pub(crate) aside: Option<Aside>,
    /// Whether it was looked for what earlier runs left beside the table.
    pub(crate) has_looked: bool,
    /// Whether it is decided that records go into the table itself.
    pub(crate) is_settled: bool,
}

/// What there is to know before anything is changed.
pub(crate) struct Opening<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) run: &'a RunIdentity,
    /// Whether there is a STATE that the tables must agree with.
    pub(crate) has_state: bool,
    /// Whether the records that are there are given up with the next commit.
    pub(crate) emptied: bool,
    /// The tables that this run has opened.
    pub(crate) tables: &'a HashMap<StreamName, OpenTable>,
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
    /// The statements that let roles read it.
    pub(crate) grants: Vec<String>,
    pub(crate) known: Known,
    pub(crate) registered: Registered,
    /// Whether that row is not there yet.
    pub(crate) registers: bool,
    notes: Vec<String>,
}

impl Opening<'_> {
    /// Looks at everything, changes nothing.
    pub(crate) async fn plan(&self, session: &Session, table: &Table) -> Result<Plan> {
        let stream = &table.schema.stream;
        let place = Place::wanted(table, self.settings);
        let before = self.tables.get(stream);
        let registered = match before {
            Some(before) => Some(before.registered.clone()),
            None => tables::read(session, self.settings, self.run, stream).await?,
        };
        refusal::refuse_emptying(self.run, table)?;
        let sharing = self.sharing(session, table, &place).await?;
        let must_agree = self.has_state && !self.emptied && before.is_none();
        let moved = registered.as_ref().filter(|row| row.place != place);
        if let Some(old) = moved.filter(|_| must_agree) {
            return Err(refusal::vanished(
                stream,
                format!("was in {} and shall now be in {place}", old.place),
            ));
        }
        let mut columns = GivenNames::default();
        sharing.iter().chain(&registered).for_each(|row| columns.merge(&row.columns));
        // A key's column is never another one.
        let key = merge_key(table, &names_of(table, &columns));
        let actual = match before.and_then(|before| before.planned.clone()) {
            Some(planned) => Some(planned),
            None => ActualTable::read(session, &place).await?,
        };
        if actual.is_none() && registered.is_some() && moved.is_none() && must_agree {
            return Err(refusal::vanished(
                stream,
                format!("was in {place}, and there is no such table any more"),
            ));
        }
        let own = registered.as_ref().filter(|row| row.place == place);
        let kept = own.or(sharing.first());
        if let Some(other) = sharing.iter().find(|row| KeyChange::between(&row.key, &key).is_some()) {
            return Err(refusal::shared_key(&place, &other.key, &key));
        }
        let old_key = kept.map(|row| row.key.clone());
        let made = actual.is_none() || kept.is_some_and(|row| row.made);
        // What others put into a table is given up only where it is overwritten.
        let gives_up = old_key.is_some() || table.load_method == LoadMethod::Overwrite;
        let known = Known { start_over: self.emptied && gives_up, old_key, made };
        let notes = match &actual {
            Some(actual) => versions(table, actual, &known, self.settings, &mut columns),
            None => Vec::new(),
        };
        let names = names_of(table, &columns);
        let wanted = Wanted { place: &place, columns: &table.schema.columns, names: &names, key: &key };
        let alteration = match &actual {
            None => self.creation(session, &wanted).await?,
            Some(actual) => alter(&wanted, actual, &known)?,
        };
        if let Some(actual) = actual.as_ref().filter(|_| !alteration.statements.is_empty()) {
            refuse_foreign(session, &place, actual)?;
            if alteration.rekeyed && !known.start_over && before.is_none_or(|before| before.written == 0) {
                refuse_repeated_key(session, stream, &wanted, actual, known.old_key.as_deref()).await?;
            }
        }
        let adopted = actual.is_some() && own.is_none();
        let grants = missing_grants(session, &place, &table.grant_select).await?;
        columns.extend(properties_and_names(table, &names));
        let row = Registered { place: place.clone(), columns, key: key.clone(), made, shared: table.shared };
        let registers = registered.as_ref() != Some(&row);
        let created = actual.is_none();
        Ok(Plan {
            created,
            adopted,
            place,
            names,
            key,
            actual,
            alteration,
            grants,
            known,
            registered: row,
            registers,
            notes,
        })
    }

    /// The rows of other pipelines that load into the table, too. Refuses one that is not to be shared.
    async fn sharing(&self, session: &Session, table: &Table, place: &Place) -> Result<Vec<Registered>> {
        let stream = &table.schema.stream;
        let taken = |(other, open): &(&StreamName, &OpenTable)| open.place == *place && *other != stream;
        if let Some((other, _)) = self.tables.iter().find(taken) {
            let by = refusal::own_stream(self.run, other.as_str());
            return Err(refusal::taken(format!("table {place}"), &by));
        }
        tables::sharing(session, self.settings, self.run, stream, (place, table.shared)).await
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

    /// Does what the plan says, in the open transaction. For tables that nobody reads yet.
    pub(crate) async fn make(
        &self,
        session: &mut Session,
        table: &Table,
        plan: &Plan,
    ) -> Result<ActualTable> {
        let stream = &table.schema.stream;
        session.begin().await?;
        for sql in &plan.alteration.statements {
            let done = session.client().batch_execute(sql).await;
            let keys = plan.alteration.rekeyed.then(|| plan.keys());
            done.map_err(|error| change::refused(session, stream, &plan.place, keys, &error))?;
        }
        if plan.registers {
            tables::register(session, self.settings, self.run, stream, &plan.registered).await?;
        }
        grant(session, &plan.grants).await?;
        let actual = ActualTable::read(session, &plan.place).await?;
        actual.ok_or_else(|| bug(format!("table {} is not there after it was made", plan.place)))
    }
}

impl Plan {
    /// Whether there is anything to do.
    pub(crate) fn changes(&self) -> bool {
        self.registers || !self.alteration.statements.is_empty() || !self.grants.is_empty()
    }

    /// The key before, as far as it is known, and now.
    fn keys(&self) -> (Option<&[String]>, &[String]) {
        (self.known.old_key.as_deref(), self.key.as_slice())
    }

    /// The table as it is with this plan. `actual` is what it is now.
    pub(crate) fn opened(self, table: &Table, actual: ActualTable, before: Option<OpenTable>) -> OpenTable {
        let before = before.filter(|before| before.place == self.place);
        OpenTable {
            table: table.clone(),
            adopted: self.adopted || before.as_ref().is_some_and(|before| before.adopted),
            fresh: self.created || before.as_ref().is_some_and(|before| before.fresh),
            unseen: self.created || before.as_ref().is_some_and(|before| before.unseen),
            repeated: before.as_ref().is_some_and(|before| before.repeated),
            written: before.as_ref().map_or(0, |before| before.written),
            oldest: before.as_ref().and_then(|before| before.oldest),
            aside: None,
            has_looked: before.as_ref().is_some_and(|before| before.has_looked),
            is_settled: before.as_ref().is_some_and(|before| before.is_settled),
            place: self.place,
            names: self.names,
            key: self.key,
            actual,
            planned: None,
            registered: self.registered,
            direct: None,
            staging: None,
        }
    }

    /// For people.
    pub(crate) fn change(&self) -> TableChange {
        TableChange {
            place: self.place.to_string(),
            created: self.created,
            statements: [self.alteration.statements.as_slice(), &self.grants].concat(),
            key: self.known.old_key.as_ref().and_then(|old| KeyChange::between(old, &self.key)),
            notes: self.notes.clone(),
        }
    }
}

impl OpenTable {
    /// Columns that hold values of the stream's properties from before their type changed, with the properties' places.
    pub(crate) fn retired(&self) -> Vec<(usize, String)> {
        let properties = self.table.schema.columns.iter().map(|column| column.name.as_str());
        self.registered.columns.retired(properties)
    }

    /// The table's column that holds a property, once it is there.
    pub(crate) fn column_of(&self, property: &str) -> Option<&TableColumn> {
        let at = self.table.schema.columns.iter().position(|column| column.name == property)?;
        self.actual.column(self.names.get(at)?)
    }

    /// Counts what is written of a batch.
    pub(crate) fn count(&mut self, batch: &RecordBatch) {
        let versions =
            batch.column_by_name(TABLE_VERSION).and_then(|column| column.as_primitive_opt::<Int64Type>());
        let oldest = versions.filter(|versions| versions.null_count() == 0);
        let oldest = oldest.and_then(|versions| versions.values().iter().min().copied()).unwrap_or(i64::MIN);
        if batch.num_rows() > 0 {
            self.oldest = Some(self.oldest.map_or(oldest, |before| before.min(oldest)));
        }
        self.written += batch.num_rows() as u64;
    }

    /// Whether the table was made by this run, which has written nothing into it.
    pub(crate) fn is_empty(&self) -> bool {
        self.fresh && !self.adopted && self.written == 0
    }

    /// Whether the table holds records of this version and of none before it, as far as this run can tell without
    /// looking.
    pub(crate) fn holds_only(&self, version: i64) -> bool {
        self.fresh && self.oldest.is_some_and(|oldest| oldest >= version)
    }

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
        self.planned.is_none()
            && !self.actual.watched
            && (!keyed || (self.fresh && !self.repeated && self.actual.is_unique(&self.key)))
            && self.table.schema.columns.iter().zip(&self.names).all(exact)
    }
}

/// Names that every table has already.
const SYSTEM_COLUMNS: [&str; 6] = ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];

pub(crate) fn names_of(table: &Table, given: &GivenNames) -> Vec<String> {
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

/// Only a table's owner may alter it: said before the tap starts its work, not by the commit.
fn refuse_foreign(session: &Session, place: &Place, actual: &ActualTable) -> Result<()> {
    if actual.owned {
        return Ok(());
    }
    Err(check::missing(session, &format!("to own {place}, which must be altered")))
}
