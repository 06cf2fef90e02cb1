//! A change of a table, as DuckDB can do it again.
//!
//! After a kill DuckDB runs the `ALTER` statements of its log again, before it has a catalog to look functions up
//! in and with the machine's time zone. So an `ALTER` may use casts alone, and none that reads the time zone; what
//! needs more is a new table with the converted rows, since rows are logged as they are.

use duckdb::{Connection, params};
use target_api::sql::quoted;
use target_api::{ActualColumn, ColumnType, Result, refusal};

use crate::tables::Place;
use crate::{error, type_map};

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    /// What does it, in order.
    pub statements: Vec<String>,
    /// The table that is made anew by it, which must have nothing that would be lost.
    pub made_anew: Option<Place>,
}

impl From<String> for Change {
    fn from(statement: String) -> Self {
        Self { statements: vec![statement], made_anew: None }
    }
}

impl Change {
    /// Gives a column another type. `columns` are all columns of the table, with the new type among them.
    pub(crate) fn of_type(
        place: &Place,
        columns: &[ActualColumn],
        name: &str,
        from: &ColumnType,
        to: &ColumnType,
    ) -> Self {
        let value = type_map::widened(name, from, to);
        if type_map::is_cast_alone(from, to) {
            let (table, column, kind) = (place.sql(), quoted(name), type_map::duckdb_type(to));
            return format!("ALTER TABLE {table} ALTER COLUMN {column} TYPE {kind} USING {value}").into();
        }
        let fresh = Place { table: format!("{}__tapster_new", place.table), ..place.clone() };
        let definitions: Vec<String> = columns.iter().map(definition).collect();
        let values = columns
            .iter()
            .map(|column| if column.name == name { value.clone() } else { quoted(&column.name) });
        let values: Vec<String> = values.collect();
        let statements = vec![
            format!("CREATE TABLE {} ({})", fresh.sql(), definitions.join(", ")),
            format!("INSERT INTO {} SELECT {} FROM {}", fresh.sql(), values.join(", "), place.sql()),
            format!("DROP TABLE {}", place.sql()),
            format!("ALTER TABLE {} RENAME TO {}", fresh.sql(), quoted(&place.table)),
        ];
        Self { statements, made_anew: Some(place.clone()) }
    }

    /// Makes the change, within the caller's transaction.
    pub(crate) fn make(&self, connection: &Connection) -> Result<()> {
        if let Some(place) = &self.made_anew {
            refuse_what_would_be_lost(connection, place)?;
        }
        for statement in &self.statements {
            connection.execute_batch(statement).map_err(|e| {
                let short: String = statement.chars().take(300).collect();
                error::failed("change a table", &e).with_hint(format!("the statement was: {short}"))
            })?;
        }
        Ok(())
    }
}

/// A column as `CREATE TABLE` and `ADD COLUMN` have it.
pub(crate) fn definition(column: &ActualColumn) -> String {
    let not_null = if column.nullable { "" } else { " NOT NULL" };
    format!("{} {}{not_null}", quoted(&column.name), column.written)
}

/// A table that is made anew loses what tapster never gave it.
fn refuse_what_would_be_lost(connection: &Connection, place: &Place) -> Result<()> {
    let sql = "SELECT (SELECT count(*) FROM duckdb_constraints() WHERE constraint_type <> 'NOT NULL' \
               AND database_name = current_database() AND schema_name = ?1 AND table_name = ?2) \
               + (SELECT count(*) FROM duckdb_indexes() \
               WHERE database_name = current_database() AND schema_name = ?1 AND table_name = ?2) \
               + (SELECT count(*) FROM duckdb_columns() WHERE column_default IS NOT NULL \
               AND database_name = current_database() AND schema_name = ?1 AND table_name = ?2)";
    let added: i64 = connection
        .query_row(sql, params![place.schema, place.table], |row| row.get(0))
        .map_err(|e| error::failed(&format!("look at {}", place.written()), &e))?;
    if added == 0 {
        return Ok(());
    }
    let message = format!(
        "{} must be made anew for a column of another type, and has constraints, indexes or defaults that would be lost",
        place.written()
    );
    Err(refusal::unloadable(message).with_hint("drop them, run, and give them back afterwards"))
}
