//! The two pipelines of nycflights13, against the same files loaded by the warehouses themselves.

use std::os::unix::fs::symlink;

use serde_json::Value;
use tests::programs::workspace;
use tests::project::{Outcome, Project};
use tests::psql::{connect, psql};
use tests::warehouse::Warehouse;

/// Tables, with their files and what stands for NULL.
const TABLES: [(&str, &str); 5] = [
    ("airlines", "airlines.csv"),
    ("airports", "airports.csv"),
    ("planes", "planes.csv"),
    ("weather", "weather.csv"),
    ("flights", "flights.csv.gz"),
];

/// A project with this repository's pipeline.
fn project(pipeline: &str) -> Project {
    let (project, root) = (Project::new(), workspace());
    let text = std::fs::read(root.join("pipelines").join(pipeline)).expect("the pipeline");
    project.write(&format!("pipelines/{pipeline}"), text);
    symlink(root.join("pipelines/data"), project.path().join("pipelines/data")).expect("the data");
    project
}

fn records_read(outcome: &Outcome) -> u64 {
    let document: Value =
        serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome}"));
    let streams = document["streams"].as_array().unwrap_or_else(|| panic!("no streams: {outcome}"));
    streams.iter().filter_map(|stream| stream["records_read"].as_u64()).sum()
}

#[test]
fn flights_are_in_duckdb_as_duckdb_reads_them() {
    let project = project("flights.yml");
    let warehouse = Warehouse::duckdb(project.path());
    let first = project.run(["run", "flights", "--json"]).expect_code(0);
    assert_eq!(records_read(&first), 367_687);
    let compare = || {
        for (table, file) in TABLES {
            let types = warehouse.rows(&format!(
                "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = '{table}' ORDER BY column_index"
            ));
            let columns: Vec<String> = types
                .iter()
                .map(|row| {
                    format!("'{}': '{}'", row[0].as_deref().unwrap_or(""), row[1].as_deref().unwrap_or(""))
                })
                .collect();
            let path = workspace().join("pipelines/data/nycflights13").join(file);
            let path = path.display();
            let read = format!(
                "read_csv('{path}', header = true, nullstr = 'NA', columns = {{ {} }})",
                columns.join(", ")
            );
            let hash =
                |from: &str| warehouse.rows(&format!("SELECT count(*), sum(hash(t)::HUGEINT) FROM {from} t"));
            assert_eq!(hash(table), hash(&read), "{table}");
        }
    };
    compare();
    let second = project.run(["run", "flights", "--json"]).expect_code(0);
    assert_eq!(records_read(&second), 0);
    compare();
}

#[test]
fn flights_are_in_postgres_as_copy_loads_them() {
    let project = project("flights-postgres.yml");
    let warehouse = Warehouse::postgres();
    let Warehouse::Postgres(database) = &warehouse else { unreachable!("it was asked for") };
    let run = || {
        let mut command = project.tapster(["run", "flights-postgres", "--json"]);
        connect(&mut command, database);
        project.outcome(&mut command).expect_code(0)
    };
    assert_eq!(records_read(&run()), 367_687);
    for (table, file) in TABLES {
        let path = workspace().join("pipelines/data/nycflights13").join(file);
        let from = match file.strip_suffix(".gz") {
            Some(_) => format!("program 'gzip -dc {}'", path.display()),
            None => format!("'{}'", path.display()),
        };
        let create =
            format!("CREATE SCHEMA IF NOT EXISTS copied; CREATE TABLE copied.{table} (LIKE public.{table})");
        let copy = format!("\\copy copied.{table} from {from} with (format csv, header, null 'NA')");
        psql(database, [create.as_str(), copy.as_str()]);
    }
    let compare = || {
        for (table, _) in TABLES {
            let hash = |from: &str| {
                warehouse.rows(&format!(
                    "SELECT count(*), sum(('x' || substr(md5(t::text), 1, 15))::bit(60)::bigint::numeric) FROM {from} t"
                ))
            };
            assert_eq!(hash(&format!("public.{table}")), hash(&format!("copied.{table}")), "{table}");
        }
    };
    compare();
    assert_eq!(records_read(&run()), 0);
    compare();
}
