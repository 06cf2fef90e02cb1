//! What a table must become to hold what comes, and the statements for it.

use duckdb::{Connection, params};
use target_api::sql::quoted;
use target_api::{
    ActualColumn, ColumnChange, ColumnType, GivenNames, IdentifierRule, Result, Table, TargetError,
    column_names, columns::Column, refusal, table_diff,
};

use crate::change::{Change, definition};
use crate::config::Numbers;
use crate::tables::Place;
use crate::{error, type_map};

/// DuckDB compares names without case and does not limit them; the limit keeps its catalog readable.
pub(crate) const RULE: IdentifierRule = IdentifierRule { max_bytes: 1024, case_insensitive: true };

/// A table as it will be once the statements have run.
#[derive(Debug, Clone)]
pub(crate) struct TablePlan {
    /// Its columns' names, in the order of the stream's columns.
    pub names: Vec<String>,
    /// All its columns, then.
    pub actual: Vec<ActualColumn>,
    /// Whether it is made.
    pub created: bool,
    /// What makes it so.
    pub changes: Vec<Change>,
    /// Whether it is tapster's own making.
    pub made: bool,
    /// All names given so far, these among them.
    pub given: GivenNames,
    /// Which columns got another beside them, and why.
    pub notes: Vec<String>,
}

impl TablePlan {
    /// All statements, for people.
    pub(crate) fn statements(&self) -> Vec<String> {
        self.changes.iter().flat_map(|change| change.statements.clone()).collect()
    }
}

/// What is known about a table before a plan is made.
pub(crate) struct Known<'a> {
    /// Where it is or will be.
    pub place: &'a Place,
    /// Its columns; `None` when it does not exist.
    pub actual: Option<Vec<ActualColumn>>,
    /// Column names given earlier.
    pub given: GivenNames,
    /// Whether it will be emptied before anything is loaded.
    pub emptied: bool,
    /// Whether tapster made it, or will: others' tables keep their types.
    pub made: bool,
    /// What unbounded numerics become.
    pub numbers: Numbers,
    /// Whether all values that stand in a column, or wait to be merged into it, survive becoming doubles.
    pub survives: &'a dyn Fn(&str, &ColumnType) -> Result<bool>,
}

/// Plans the way from what is to what is wanted.
pub(crate) fn plan(table: &Table, known: Known) -> Result<TablePlan> {
    let wanted: Vec<Column> =
        table.schema.columns.iter().map(|column| effective(column, known.numbers)).collect();
    let mut given = known.given;
    let names = column_names(wanted.iter().map(|column| column.name.as_str()), &given, RULE);
    let Some(actual) = known.actual else {
        return Ok(created(known.place, &wanted, names, given));
    };
    let (names, actual) = matched(names, actual);
    let changes = table_diff(&wanted, &names, &actual, type_map::same);
    let conflicts = changes.iter().any(|change| matches!(change, ColumnChange::Conflict { .. }));
    if !known.made {
        refuse_retyping(known.place, &wanted, (&names, &actual, &changes))?;
    } else if conflicts && known.emptied {
        let mut plan = created(known.place, &wanted, names, given);
        plan.changes.insert(0, format!("DROP TABLE {}", known.place.sql()).into());
        return Ok(plan);
    }
    let notes = versions(table, &wanted, (&names, &actual, &changes), &mut given);
    let names = column_names(wanted.iter().map(|column| column.name.as_str()), &given, RULE);
    let (names, actual) = matched(names, actual);
    let changes = table_diff(&wanted, &names, &actual, type_map::same);
    given.extend(wanted.iter().map(|column| &column.name).zip(&names));
    let (created, made) = (false, known.made);
    let mut plan = TablePlan { names, actual, created, changes: Vec::new(), made, given, notes };
    for change in changes {
        plan.apply(known.place, &wanted, change, known.survives)?;
    }
    Ok(plan)
}

/// The table's columns as ours are written: DuckDB does not tell the case of letters.
fn matched(names: Vec<String>, mut actual: Vec<ActualColumn>) -> (Vec<String>, Vec<ActualColumn>) {
    for column in &mut actual {
        if let Some(name) = names.iter().find(|name| name.eq_ignore_ascii_case(&column.name)) {
            column.name.clone_from(name);
        }
    }
    (names, actual)
}

/// Refuses what would change a column of somebody else's table.
fn refuse_retyping(
    place: &Place,
    wanted: &[Column],
    (names, actual, changes): (&[String], &[ActualColumn], &[ColumnChange]),
) -> Result<()> {
    for change in changes {
        let (ColumnChange::Widen { wanted: index, .. } | ColumnChange::Conflict { wanted: index, .. }) =
            change
        else {
            continue;
        };
        let (Some(column), Some(name)) = (wanted.get(*index), names.get(*index)) else { continue };
        let written = actual.iter().find(|actual| actual.name == *name).map_or("", |actual| &actual.written);
        let why = "tapster did not make this table";
        return Err(refusal::conflict(name, place.written(), written, &column.column_type, why).with_hint(
            "alter the column by hand, exclude it, or give the stream another table with `target_table`",
        ));
    }
    Ok(())
}

/// Gives other columns to the properties whose column no type makes able to hold both, and says so. A key's column is
/// left to be refused.
fn versions(
    table: &Table,
    wanted: &[Column],
    (names, actual, changes): (&[String], &[ActualColumn], &[ColumnChange]),
    given: &mut GivenNames,
) -> Vec<String> {
    let mut notes = Vec::new();
    for change in changes {
        let ColumnChange::Conflict { wanted: index, actual: written } = change else { continue };
        let (Some(column), Some(name)) = (wanted.get(*index), names.get(*index)) else { continue };
        if table.schema.key_properties.contains(&column.name) {
            continue;
        }
        let new = given.version(&column.name, &column.column_type, actual, RULE);
        let sent = type_map::duckdb_type(&column.column_type);
        notes.push(format!(
            "column `{name}` stays {written} because no type holds both without loss: what comes as {sent} goes to `{new}`"
        ));
    }
    notes
}

/// The column as this file's settings want it.
fn effective(column: &Column, numbers: Numbers) -> Column {
    fn replaced(column_type: &ColumnType, numbers: Numbers) -> ColumnType {
        match (column_type, numbers) {
            (ColumnType::UnboundedNumeric, Numbers::Decimal { precision, scale }) => {
                ColumnType::Numeric { precision, scale }
            }
            (ColumnType::UnboundedNumeric, Numbers::Text) => ColumnType::Text,
            (ColumnType::Array(item), _) => ColumnType::Array(Box::new(replaced(item, numbers))),
            (other, _) => other.clone(),
        }
    }
    Column { column_type: replaced(&column.column_type, numbers), ..column.clone() }
}

fn created(place: &Place, wanted: &[Column], names: Vec<String>, mut given: GivenNames) -> TablePlan {
    given.extend(wanted.iter().map(|column| &column.name).zip(&names));
    let actual: Vec<ActualColumn> =
        wanted.iter().zip(&names).map(|(column, name)| actual_column(name, column)).collect();
    let columns: Vec<String> = actual.iter().map(definition).collect();
    let mut changes: Vec<Change> = Vec::new();
    if place.schema.to_lowercase() != "main" {
        changes.push(format!("CREATE SCHEMA IF NOT EXISTS {}", place.schema_sql()).into());
    }
    changes.push(format!("CREATE TABLE {} ({})", place.sql(), columns.join(", ")).into());
    TablePlan { names, actual, created: true, changes, made: true, given, notes: Vec::new() }
}

fn actual_column(name: &str, column: &Column) -> ActualColumn {
    ActualColumn {
        name: name.to_owned(),
        column_type: Some(column.column_type.clone()),
        written: type_map::duckdb_type(&column.column_type),
        nullable: column.nullable,
    }
}

impl TablePlan {
    fn apply(
        &mut self,
        place: &Place,
        wanted: &[Column],
        change: ColumnChange,
        survives: &dyn Fn(&str, &ColumnType) -> Result<bool>,
    ) -> Result<()> {
        let index = match change {
            ColumnChange::Add { wanted }
            | ColumnChange::Relax { wanted }
            | ColumnChange::Widen { wanted, .. }
            | ColumnChange::Conflict { wanted, .. } => wanted,
        };
        let (Some(column), Some(name)) = (wanted.get(index), self.names.get(index).cloned()) else {
            return Ok(());
        };
        match change {
            ColumnChange::Add { .. } => {
                // What is there already has no value for it, key or not.
                let added = actual_column(&name, &Column { nullable: true, ..column.clone() });
                let sql = format!("ALTER TABLE {} ADD COLUMN {}", place.sql(), definition(&added));
                self.changes.push(sql.into());
                self.actual.push(added);
            }
            ColumnChange::Relax { .. } => {
                let sql = format!("ALTER TABLE {} ALTER COLUMN {} DROP NOT NULL", place.sql(), quoted(&name));
                self.changes.push(sql.into());
                self.actual.iter_mut().filter(|actual| actual.name == name).for_each(|a| a.nullable = true);
            }
            ColumnChange::Widen { to, .. } => {
                let from = self.actual_type(&name).cloned();
                let exact = match &from {
                    Some(from) if to == ColumnType::UnboundedNumeric => survives(&name, from)?,
                    _ => true,
                };
                let to = if exact { to } else { ColumnType::Text };
                let change = retype(place, &mut self.actual, &name, &to);
                self.changes.extend(change);
            }
            ColumnChange::Conflict { actual, .. } => return Err(conflict(place, &name, column, &actual)),
        }
        Ok(())
    }

    /// The type of a column; `None` when it is not there or none of ours.
    pub(crate) fn actual_type(&self, name: &str) -> Option<&ColumnType> {
        self.actual.iter().find(|actual| actual.name == name)?.column_type.as_ref()
    }
}

/// Gives one of a table's columns another type; returns the change, which the caller keeps.
pub(crate) fn retype(
    place: &Place,
    columns: &mut [ActualColumn],
    name: &str,
    to: &ColumnType,
) -> Option<Change> {
    let column = columns.iter_mut().find(|actual| actual.name == name)?;
    let from = column.column_type.replace(to.clone())?;
    column.written = type_map::duckdb_type(to);
    Some(Change::of_type(place, columns, name, &from, to))
}

fn conflict(place: &Place, name: &str, column: &Column, actual: &str) -> TargetError {
    let why = "no type holds both without loss";
    refusal::conflict(name, place.written(), actual, &column.column_type, why).with_hint(
        "it is part of the key: `--full-refresh` for this stream makes the table anew; or give the property a schema that fits, or the stream another `target_table`",
    )
}

/// The columns of a table; `None` when it does not exist. A view is refused.
pub(crate) fn inspect(connection: &Connection, place: &Place) -> Result<Option<Vec<ActualColumn>>> {
    let fails = |e: duckdb::Error| error::failed(&format!("look at {}", place.written()), &e);
    // DuckDB's `lower` knows more letters than its catalog, which ignores the case of ASCII alone.
    let sql = "SELECT c.column_name, c.data_type, c.is_nullable, c.schema_name, c.table_name, v.view_name IS NOT NULL \
               FROM duckdb_columns() c LEFT JOIN duckdb_views() v \
               ON v.database_name = c.database_name AND v.schema_name = c.schema_name AND v.view_name = c.table_name \
               WHERE c.database_name = current_database() AND lower(c.schema_name) = lower(?) \
               AND lower(c.table_name) = lower(?) ORDER BY c.column_index";
    let mut statement = connection.prepare(sql).map_err(fails)?;
    let rows = statement
        .query_map(params![place.schema, place.table], |row| {
            let written: String = row.get(1)?;
            let column = ActualColumn {
                name: row.get(0)?,
                column_type: type_map::column_type(&written),
                written,
                nullable: row.get(2)?,
            };
            let found = Place { catalog: place.catalog.clone(), schema: row.get(3)?, table: row.get(4)? };
            Ok((column, found, row.get::<_, bool>(5)?))
        })
        .map_err(fails)?;
    let mut columns = Vec::new();
    for row in rows {
        let (column, found, is_view) = row.map_err(fails)?;
        if found != *place {
            continue;
        }
        if is_view {
            let message = format!("{} is a view, and records are loaded into tables alone", place.written());
            return Err(refusal::unloadable(message).with_hint("give the stream another `target_table`"));
        }
        columns.push(column);
    }
    Ok(Some(columns).filter(|columns| !columns.is_empty()))
}
