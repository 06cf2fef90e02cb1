//! Any table of any types of PostgreSQL, read by tap-postgres: the warehouses are the judges.

mod compare;
mod kinds;

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use serde_json::{Value, json};
use target_testkit::postgres::Database;
use tests::project::Project;
use tests::warehouse::{Warehouse, block_on};

use kinds::{KINDS, Kind, SETUP};

const ROWS: usize = 10;

/// A column of a table, with its values as SQL expressions.
#[derive(Debug, Clone)]
struct Column {
    kind: &'static Kind,
    depth: usize,
    not_null: bool,
    values: Vec<String>,
}

/// A table with an `id`, and these columns `c0`, `c1`, ….
#[derive(Clone)]
struct Table {
    columns: Vec<Column>,
    sends_columns: bool,
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} (DuckDB: {})", self.sql(), if self.sends_columns { "columns" } else { "records" })
    }
}

impl Table {
    fn sql(&self) -> String {
        let column = |(at, column): (usize, &Column)| {
            let bound = if column.not_null { " NOT NULL" } else { "" };
            format!(", c{at} {}{bound}", column.kind.declared(column.depth))
        };
        let declared: String = self.columns.iter().enumerate().map(column).collect();
        let row = |id: usize| {
            let values = self.columns.iter().map(|column| column.values[id].as_str());
            format!(
                "({})",
                std::iter::once(id.to_string().as_str()).chain(values).collect::<Vec<_>>().join(", ")
            )
        };
        let rows: Vec<_> = (0..ROWS).map(row).collect();
        format!(
            "CREATE TABLE shop.t (id int PRIMARY KEY{declared}); INSERT INTO shop.t VALUES {}",
            rows.join(",\n")
        )
    }
}

fn column(kinds: &[&'static Kind]) -> impl Strategy<Value = Column> + use<> {
    let depth = prop_oneof![3 => Just(0), 1 => Just(1), 1 => Just(2)];
    (proptest::sample::select(kinds.to_vec()), depth, any::<bool>()).prop_flat_map(
        |(kind, depth, not_null)| {
            vec(kind.cell(depth), ROWS).prop_map(move |values| {
                let not_null =
                    not_null && !values.iter().any(|value| value == "NULL" || value.starts_with("(NULL)"));
                Column { kind, depth, not_null, values }
            })
        },
    )
}

fn table(kinds: &[&'static Kind]) -> impl Strategy<Value = Table> + use<> {
    (vec(column(kinds), 1..50), any::<bool>())
        .prop_map(|(columns, sends_columns)| Table { columns, sends_columns })
}

/// A pipeline that copies the table into this schema of a warehouse.
fn pipeline(project: &Project, source: &Database, send: &str, warehouse: &Warehouse, schema: &str) {
    let mut tap = source.settings();
    tap["filter_schemas"] = json!(["shop"]);
    tap["send"] = Value::from(send);
    let content = json!({
        "tap": { "name": "tap-postgres", "config": tap },
        "target": warehouse.block(),
        "defaults": { "target_schema": schema, "target_table": "t", "metadata_columns": false },
    });
    project.pipeline(schema, &content);
}

/// `PROPTEST_RNG_SEED` runs the same tables again, `PROPTEST_CASES` more of them.
#[test]
fn any_table_of_any_types_arrives_as_it_was() {
    let mut config = Config { failure_persistence: None, max_shrink_iters: 60, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 4;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    let seed = if let RngSeed::Fixed(seed) = config.rng_seed { seed } else { now };
    config.rng_seed = RngSeed::Fixed(seed);
    let Warehouse::Postgres(first) = Warehouse::postgres() else { unreachable!("it was asked for") };
    let extension = "SELECT count(*) FROM pg_available_extensions WHERE name = 'hstore'";
    let has_hstore = block_on(first.value(extension)).as_deref() == Some("1");
    let kinds: Vec<_> = KINDS.iter().filter(|kind| has_hstore || kind.sql != "hstore").collect();
    let setup = if has_hstore { format!("{SETUP}; CREATE EXTENSION hstore") } else { SETUP.to_owned() };
    let found = TestRunner::new(config)
        .run(&table(&kinds), |table| arrives(&setup, &table).map_err(TestCaseError::fail));
    if let Err(error) = found {
        panic!("PROPTEST_RNG_SEED={seed}: {error}");
    }
}

fn arrives(setup: &str, table: &Table) -> Result<(), String> {
    let (project, postgres) = (Project::new(), Warehouse::postgres());
    let Warehouse::Postgres(database) = &postgres else { unreachable!("it was asked for") };
    block_on(database.execute(&format!("{setup}; {}", table.sql())));
    let duckdb = Warehouse::duckdb(project.path());
    pipeline(&project, database, "columns", &postgres, "columns");
    pipeline(&project, database, "records", &postgres, "records");
    let send = if table.sends_columns { "columns" } else { "records" };
    pipeline(&project, database, send, &duckdb, "duckdb");
    let outcome = project.run(["run", "columns", "records", "duckdb"]);
    if outcome.code != Some(0) {
        return Err(format!("{outcome}"));
    }
    compare::in_postgres(&postgres, &table.columns)?;
    compare::in_duckdb(&postgres, &duckdb, &table.columns)
}
