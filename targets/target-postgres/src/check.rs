//! The preflight: may we do here what a run will do?

use target_api::{Result, Status, TargetError};
use tokio_postgres::types::Type;

use crate::config::Settings;
use crate::connection::{Parameter, Session};
use crate::error::from_server;
use crate::state::{cell, exists};
use crate::{state, tables};

/// The oldest server whose catalog has all that we read.
const OLDEST: i32 = 120_000;
const DOING: &str = "checking rights";

/// Verifies version, rights, and that the sessions are real ones.
pub(crate) async fn check(session: &Session, settings: &Settings) -> Result<()> {
    server(session).await?;
    rights(session, settings).await?;
    let pooled = postgres::refuse_transaction_pooling(&settings.server, session.client()).await;
    pooled.map_err(from_server)
}

async fn server(session: &Session) -> Result<()> {
    let sql = "SELECT pg_catalog.current_setting('server_version_num')::int, \
               pg_catalog.pg_is_in_recovery() OR pg_catalog.current_setting('transaction_read_only') = 'on', \
               pg_catalog.current_setting('server_encoding')";
    let rows = session.query(DOING, sql, &[]).await?;
    let Some(row) = rows.first() else { return Ok(()) };
    let (version, read_only, encoding): (i32, bool, String) = (cell(row, 0)?, cell(row, 1)?, cell(row, 2)?);
    let place = &session.place;
    let unusable = |what: String| Err(TargetError::new("E0332", Status::Config, format!("{place} {what}")));
    if version < OLDEST {
        return unusable(format!("is version {}; 12 or newer is needed", version / 10_000));
    }
    if read_only {
        return unusable("is read-only (a standby?): connect to the primary server".into());
    }
    if encoding != "UTF8" {
        return unusable(format!("stores text as {encoding}; a database in UTF8 is needed"));
    }
    Ok(())
}

async fn rights(session: &Session, settings: &Settings) -> Result<()> {
    let sql = "SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMP'), \
               pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'), \
               (SELECT pg_catalog.has_schema_privilege(oid, 'USAGE') FROM pg_catalog.pg_namespace WHERE nspname = $1), \
               (SELECT pg_catalog.has_schema_privilege(oid, 'CREATE') FROM pg_catalog.pg_namespace WHERE nspname = $1)";
    let schema = &settings.default_schema;
    let parameters: [Parameter<'_>; 1] = [(schema, Type::TEXT)];
    let rows = session.query(DOING, sql, &parameters).await?;
    let Some(row) = rows.first() else { return Ok(()) };
    let (temporary, create_schema): (bool, bool) = (cell(row, 0)?, cell(row, 1)?);
    let (usage, create): (Option<bool>, Option<bool>) = (cell(row, 2)?, cell(row, 3)?);
    let database = &settings.server.database;
    if !temporary {
        return Err(missing(session, &format!("TEMPORARY ON DATABASE {database}")));
    }
    match (usage, create) {
        (None, _) if !create_schema => {
            return Err(missing(
                session,
                &format!("CREATE ON DATABASE {database} (schema {schema} is missing)"),
            ));
        }
        (Some(false), _) => return Err(missing(session, &format!("USAGE ON SCHEMA {schema}"))),
        _ => {}
    }
    let mut made = true;
    for table in [state::table(settings), tables::table(settings)] {
        made &= usage.is_some() && exists(session, &table).await?;
        if usage.is_some() && exists(session, &table).await? {
            let sql = "SELECT pg_catalog.has_table_privilege($1, 'SELECT') \
                       AND pg_catalog.has_table_privilege($1, 'INSERT') \
                       AND pg_catalog.has_table_privilege($1, 'UPDATE')";
            let rows = session.query(DOING, sql, &[(&table, Type::TEXT)]).await?;
            if !rows.first().map_or(Ok(true), |row| cell(row, 0))? {
                return Err(missing(session, &format!("SELECT, INSERT, UPDATE ON {table}")));
            }
        }
    }
    if create == Some(false) && !made {
        return Err(missing(session, &format!("CREATE ON SCHEMA {schema}")));
    }
    Ok(())
}

pub(crate) fn missing(session: &Session, right: &str) -> TargetError {
    TargetError::new("E0314", Status::Config, format!("{} lacks a right: {right}", session.place))
        .with_hint("the page of this error has the GRANTs that a pipeline needs")
}
