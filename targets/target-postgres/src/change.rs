//! A change of a table that others may be reading. It is planned when the schema comes and made by the commit, right
//! before what needs it is merged: until then nobody waits for the table.

use columns::{Column, StreamName};
use target_api::sql::quoted;
use target_api::{Result, RunIdentity, Table, TargetError, refusal};

use crate::actual::ActualTable;
use crate::config::Settings;
use crate::connection::Session;
use crate::ddl::{Known, Wanted, alter, list};
use crate::error;
use crate::grants::grant;
use crate::open::Plan;
use crate::tables::{self, Place, Registered};

/// What a change is planned from, so that the commit can plan it again for the table as it is then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) stream: StreamName,
    place: Place,
    columns: Vec<Column>,
    names: Vec<String>,
    key: Vec<String>,
    known: Known,
    /// The row of `_tapster_tables`, when it changes.
    register: Option<Registered>,
    /// The statements that let roles read it.
    grants: Vec<String>,
}

impl Change {
    pub(crate) fn new(table: &Table, plan: &Plan) -> Self {
        Self {
            stream: table.schema.stream.clone(),
            place: plan.place.clone(),
            columns: table.schema.columns.clone(),
            names: plan.names.clone(),
            key: plan.key.clone(),
            known: plan.known.clone(),
            register: plan.registers.then(|| plan.registered.clone()),
            grants: plan.grants.clone(),
        }
    }

    /// Makes the change, in the commit's transaction; returns what became of the table.
    pub(crate) async fn make(
        &self,
        session: &Session,
        settings: &Settings,
        run: &RunIdentity,
    ) -> Result<ActualTable> {
        let Self { stream, place, columns, names, key, known, register, grants } = self;
        let actual = self.read(session).await?;
        let alteration = alter(&Wanted { place, columns, names, key }, &actual, known)?;
        for sql in &alteration.statements {
            let done = session.client().batch_execute(sql).await;
            let keys = alteration.rekeyed.then_some((known.old_key.as_deref(), key.as_slice()));
            done.map_err(|error| refused(session, stream, place, keys, &error))?;
        }
        if let Some(row) = register {
            tables::register(session, settings, run, stream, row).await?;
        }
        grant(session, grants).await?;
        if alteration.statements.is_empty() { Ok(actual) } else { self.read(session).await }
    }

    async fn read(&self, session: &Session) -> Result<ActualTable> {
        let dropped =
            || TargetError::temporary("E0317", format!("{} was dropped by another session", self.place));
        ActualTable::read(session, &self.place).await?.ok_or_else(dropped)
    }
}

/// Refuses a new key that the records do not allow, before the tap is read for hours. What is merged until then is
/// looked at by the server itself.
pub(crate) async fn refuse_repeated_key(
    session: &Session,
    stream: &StreamName,
    wanted: &Wanted<'_>,
    actual: &ActualTable,
    old_key: Option<&[String]>,
) -> Result<()> {
    let place = wanted.place.quoted();
    let is_there = |name: &&String| actual.column(name).is_some();
    let (there, added): (Vec<&String>, Vec<&String>) = wanted.key.iter().partition(is_there);
    let null = there.iter().map(|name| format!("{} IS NULL", quoted(name))).collect::<Vec<_>>().join(" OR ");
    // A column that is added is NULL in all of them.
    let sql = if added.is_empty() {
        format!(
            "SELECT WHERE EXISTS (SELECT FROM {place} WHERE {null}) \
             OR EXISTS (SELECT FROM {place} GROUP BY {} HAVING count(*) > 1)",
            list(wanted.key)
        )
    } else {
        format!("SELECT FROM {place} LIMIT 1")
    };
    if session.query("looking for equal keys", &sql, &[]).await?.is_empty() {
        return Ok(());
    }
    Err(refusal::repeated_key(stream, wanted.place, old_key, wanted.key))
}

/// The error of a statement that changes a table. `keys` are the old key and the new one that it
/// gives it.
pub(crate) fn refused(
    session: &Session,
    stream: &StreamName,
    place: &Place,
    keys: Option<(Option<&[String]>, &[String])>,
    error: &tokio_postgres::Error,
) -> TargetError {
    if let Some((old, new)) = keys.filter(|_| error::refuses_value(error)) {
        return refusal::repeated_key(stream, place, old, new);
    }
    if error::is_duplicate(error) {
        // Two that make the same name at the same moment: the catalog's own index lets one of them through.
        return TargetError::temporary("E0317", format!("another session makes {place} just now"));
    }
    session.error(&format!("changing table {place} for stream `{stream}`"), error)
}
