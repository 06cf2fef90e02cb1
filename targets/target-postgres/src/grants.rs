//! Who may read a table.

use target_api::sql::quoted;
use target_api::{Result, Status, TargetError};
use tokio_postgres::types::Type;

use crate::check;
use crate::connection::{Parameter, Session};
use crate::state::cell;
use crate::tables::Place;

const DOING: &str = "looking at the rights of roles";

/// Of each role: whether there is one, whether it may use the schema and read the table, and whether we may let it.
/// What is not there yet will be ours.
const RIGHTS: &str = "SELECT wanted.name, r.oid IS NOT NULL, \
     CASE WHEN r.oid IS NULL OR n.oid IS NULL THEN false ELSE pg_catalog.has_schema_privilege(r.oid, n.oid, 'USAGE') END, \
     CASE WHEN r.oid IS NULL OR c.oid IS NULL THEN false ELSE pg_catalog.has_table_privilege(r.oid, c.oid, 'SELECT') END, \
     n.oid IS NULL OR pg_catalog.has_schema_privilege(n.oid, 'USAGE WITH GRANT OPTION'), \
     c.oid IS NULL OR pg_catalog.has_table_privilege(c.oid, 'SELECT WITH GRANT OPTION') \
     FROM pg_catalog.unnest($1) WITH ORDINALITY AS wanted (name, at) \
     LEFT JOIN pg_catalog.pg_roles r ON r.rolname = wanted.name \
     LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = $2 \
     LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = $3 \
     ORDER BY wanted.at";

/// The statements that let these roles read the table, as far as they may not yet. USAGE of the schema goes with it:
/// without it SELECT gives nothing. What others were given is left to them.
///
/// # Errors
/// A role that does not exist, and a right that is not ours to give.
pub(crate) async fn missing_grants(
    session: &Session,
    place: &Place,
    roles: &[String],
) -> Result<Vec<String>> {
    if roles.is_empty() {
        return Ok(Vec::new());
    }
    let parameters: [Parameter<'_>; 3] =
        [(&roles, Type::TEXT_ARRAY), (&place.schema, Type::TEXT), (&place.table, Type::TEXT)];
    let mut statements = Vec::new();
    for row in session.query(DOING, RIGHTS, &parameters).await? {
        let (role, exists): (String, bool) = (cell(&row, 0)?, cell(&row, 1)?);
        if !exists {
            return Err(no_role(session, &role, place));
        }
        let (uses, reads): (bool, bool) = (cell(&row, 2)?, cell(&row, 3)?);
        let (may_let_use, may_let_read): (bool, bool) = (cell(&row, 4)?, cell(&row, 5)?);
        let right = if !uses && !may_let_use {
            format!("USAGE ON SCHEMA {} WITH GRANT OPTION", place.schema)
        } else if !reads && !may_let_read {
            format!("SELECT ON {place} WITH GRANT OPTION")
        } else {
            let role = quoted(&role);
            let schema = quoted(&place.schema);
            statements.extend((!uses).then(|| format!("GRANT USAGE ON SCHEMA {schema} TO {role}")));
            statements.extend((!reads).then(|| format!("GRANT SELECT ON {} TO {role}", place.quoted())));
            continue;
        };
        return Err(check::missing(session, &format!("{right}, to let `{role}` read the table")));
    }
    Ok(statements)
}

/// Gives the rights, in the open transaction.
pub(crate) async fn grant(session: &Session, statements: &[String]) -> Result<()> {
    for sql in statements {
        session.execute("granting a right", sql).await?;
    }
    Ok(())
}

fn no_role(session: &Session, role: &str, place: &Place) -> TargetError {
    let text =
        format!("there is no role `{role}` at {}, which `grant_select` lets read {place}", session.place);
    TargetError::new("E0335", Status::Config, text)
        .with_hint(format!("CREATE ROLE {}, or take it out of `grant_select`", quoted(role)))
}
