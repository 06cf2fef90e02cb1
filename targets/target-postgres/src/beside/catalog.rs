//! What the server's catalog says of a table and of what is beside it.

use target_api::Result;
use target_api::sql::{literal, quoted};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::Beside;
use crate::connection::{Parameter, Session};
use crate::state::cell;
use crate::tables::Place;

/// Whether the table can be dropped, and one like it take its name, without anybody seeing more than new records:
/// nothing hangs on it but what `LIKE` and [`stand_in`] take along.
const ALONE: &str = "SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE n.nspname = $1 AND c.relname = $2 AND pg_catalog.pg_relation_size(c.oid) >= $3 \
    AND c.relkind = 'r' AND c.relpersistence = 'p' AND NOT c.relispartition \
    AND c.relowner = (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = current_user) \
    AND pg_catalog.has_schema_privilege(n.oid, 'CREATE') \
    AND c.reloftype = 0 AND c.reltablespace = 0 AND c.relreplident = 'd' AND NOT c.relrowsecurity \
    AND NOT c.relhasrules AND NOT c.relhastriggers AND NOT c.relhassubclass \
    AND c.relam = (SELECT a.oid FROM pg_catalog.pg_am a \
        WHERE a.amname = pg_catalog.current_setting('default_table_access_method')) \
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_class t WHERE t.oid = c.reltoastrelid AND t.reloptions IS NOT NULL) \
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 \
        AND (a.attacl IS NOT NULL OR a.attoptions IS NOT NULL OR a.attidentity <> '' \
             OR COALESCE(a.attstattarget, -1) <> -1)) \
    AND NOT EXISTS (SELECT FROM pg_catalog.aclexplode(c.relacl) g WHERE g.grantor <> c.relowner) \
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid \
        AND (i.indisclustered OR i.indisreplident OR NOT i.indisvalid)) \
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_seclabel l \
        WHERE l.objoid = c.oid AND l.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass) \
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhrelid = c.oid) \
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_publication_tables p \
        WHERE p.schemaname = n.nspname AND p.tablename = c.relname) \
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d \
        WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = c.oid \
        AND d.classid NOT IN ('pg_catalog.pg_attrdef'::pg_catalog.regclass, 'pg_catalog.pg_type'::pg_catalog.regclass) \
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.oid = d.objid \
            AND d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND k.conrelid = c.oid \
            AND k.contype <> 'f') \
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_class i WHERE i.oid = d.objid \
            AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND i.relkind IN ('i', 't')))";

/// The tables beside one, by the comment that they carry.
const BESIDE: &str = "SELECT c.relname::text, pg_catalog.split_part(d.description, ' ', 3)::bigint \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    JOIN pg_catalog.pg_description d ON d.objoid = c.oid AND d.objsubid = 0 \
        AND d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass \
    WHERE n.nspname = $1 AND c.relkind = 'r' AND c.relname LIKE '\\_tapster\\_%' \
    AND pg_catalog.regexp_replace(d.description, '^tapster: version -?[0-9]+ of ', '') = $2 \
    AND d.description LIKE 'tapster: version %' ORDER BY 2";

/// Names of a table's indexes, in an order that is the same for a table like it.
const INDEXES: &str = "SELECT i.relname::text FROM pg_catalog.pg_index x \
    JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid JOIN pg_catalog.pg_class c ON c.oid = x.indrelid \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE n.nspname = $1 AND c.relname = $2 \
    ORDER BY x.indisprimary, x.indisunique, i.relam, x.indkey::text, x.indclass::text, x.indcollation::text, \
        x.indoption::text, pg_catalog.pg_get_expr(x.indexprs, c.oid), pg_catalog.pg_get_expr(x.indpred, c.oid), \
        i.reloptions::text, i.oid";

/// The statements that give the second table the rights of the first, its comment and its settings.
const LIKENESS: &str = "SELECT pg_catalog.array_to_string(old.reloptions, ', '), \
    pg_catalog.obj_description(old.oid, 'pg_class'), \
    ARRAY(SELECT DISTINCT pg_catalog.format('REVOKE ALL ON %s FROM %s', new.oid::pg_catalog.regclass, \
            CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE g.grantee::pg_catalog.regrole::text END) \
        FROM pg_catalog.aclexplode(new.relacl) g WHERE g.grantee <> new.relowner) \
    || ARRAY(SELECT pg_catalog.format('GRANT %s ON %s TO %s', g.privilege_type, new.oid::pg_catalog.regclass, \
            CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE g.grantee::pg_catalog.regrole::text END) \
            || CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END \
        FROM pg_catalog.aclexplode(old.relacl) g WHERE g.grantee <> old.relowner) \
    FROM pg_catalog.pg_class old JOIN pg_catalog.pg_namespace n ON n.oid = old.relnamespace \
    JOIN pg_catalog.pg_class new ON new.relnamespace = n.oid \
    WHERE n.nspname = $1 AND old.relname = $2 AND new.relname = $3";

pub(super) const DOING: &str = "looking at what a table's new version may replace";

pub(super) async fn all_beside(session: &Session, place: &Place) -> Result<Vec<Beside>> {
    let (schema, name) = (&place.schema, place.to_string());
    let parameters: [Parameter<'_>; 2] = [(schema, Type::TEXT), (&name, Type::TEXT)];
    let rows = session.query(DOING, BESIDE, &parameters).await?;
    let beside = |row| {
        let place = Place { schema: schema.clone(), table: cell(row, 0)? };
        Ok(Beside { place, version: cell(row, 1)? })
    };
    rows.iter().map(beside).collect()
}

/// Whether nothing hangs on the table, which has so many bytes.
pub(super) async fn is_alone(session: &Session, place: &Place, least: i64) -> Result<bool> {
    let parameters: [Parameter<'_>; 3] =
        [(&place.schema, Type::TEXT), (&place.table, Type::TEXT), (&least, Type::INT8)];
    Ok(!session.query(DOING, ALONE, &parameters).await?.is_empty())
}

/// Drops a table and gives its name, indexes' names, rights and comment to the other. Tells why it could not.
pub(super) async fn stand_in(session: &Session, from: &Place, into: &Place) -> Result<Option<&'static str>> {
    let error = |error| session.error(&format!("putting a new version in the place of {into}"), &error);
    let lock = format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", into.quoted());
    match session.client().batch_execute(&lock).await {
        Err(locked) if locked.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => {
            return Ok(Some("somebody else is at the table"));
        }
        other => other.map_err(error)?,
    }
    let (old, new) = (indexes(session, into).await?, indexes(session, from).await?);
    if !is_alone(session, into, 0).await? || old.len() != new.len() {
        return Ok(Some("something hangs on the table"));
    }
    let names: [Parameter<'_>; 3] =
        [(&into.schema, Type::TEXT), (&into.table, Type::TEXT), (&from.table, Type::TEXT)];
    let rows = session.query(DOING, LIKENESS, &names).await?;
    let Some(row) = rows.first() else { return Ok(Some("it is gone")) };
    let (options, comment, rights): (Option<String>, Option<String>, Vec<String>) =
        (cell(row, 0)?, cell(row, 1)?, cell(row, 2)?);
    let (beside, place, schema) = (from.quoted(), into.quoted(), quoted(&into.schema));
    let mut statements: Vec<String> = rights;
    statements.extend(options.map(|options| format!("ALTER TABLE {beside} SET ({options})")));
    let comment = comment.map_or("NULL".to_owned(), |comment| literal(&comment));
    statements.push(format!("COMMENT ON TABLE {beside} IS {comment}"));
    statements.push(format!("DROP TABLE {place}"));
    statements.push(format!("ALTER TABLE {beside} RENAME TO {}", quoted(&into.table)));
    let renamed = new.iter().zip(&old).filter(|(new, old)| new != old);
    statements.extend(
        renamed.map(|(new, old)| format!("ALTER INDEX {schema}.{} RENAME TO {}", quoted(new), quoted(old))),
    );
    match session.client().batch_execute(&statements.join("; ")).await {
        Err(depends) if depends.code() == Some(&SqlState::DEPENDENT_OBJECTS_STILL_EXIST) => {
            Ok(Some("something depends on the table"))
        }
        other => other.map(|()| None).map_err(error),
    }
}

async fn indexes(session: &Session, place: &Place) -> Result<Vec<String>> {
    let name: [Parameter<'_>; 2] = [(&place.schema, Type::TEXT), (&place.table, Type::TEXT)];
    session.query(DOING, INDEXES, &name).await?.iter().map(|row| cell(row, 0)).collect()
}
