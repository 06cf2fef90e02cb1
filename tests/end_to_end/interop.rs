//! Taps that other people wrote, from `PyPI`.

use serde_json::{Value, json};
use target_testkit::postgres::{Cluster, Database};
use tests::project::Project;
use tests::python;
use tests::warehouse::{Rows, Warehouse, block_on};

use crate::support::cluster;

/// A source with the types that people have, and a table that grows.
const SOURCE: &str = "\
    CREATE SCHEMA shop;\
    CREATE TABLE shop.customers (id bigint PRIMARY KEY, name text, vip boolean, balance numeric(12, 4), n int, \
        created_at timestamptz, d date, doc jsonb);\
    INSERT INTO shop.customers VALUES \
        (1, 'naïve café', true, 12345678.1234, 7, '2024-01-02 03:04:05.123456+02', '2024-02-29', '{\"a\": [1, null]}'), \
        (2, '', false, -0.5, -7, '1969-12-31 23:59:59Z', '0001-01-01', '[]'), \
        (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL);\
    CREATE TABLE shop.orders (id bigint PRIMARY KEY, amount numeric, updated_at timestamptz NOT NULL);\
    INSERT INTO shop.orders SELECT n, n * 1.25, '2024-01-01Z'::timestamptz + n * interval '1 hour' \
        FROM generate_series(1, 500) n";

const LATER: &str = "\
    INSERT INTO shop.orders SELECT n, n * 1.25, '2024-03-01Z'::timestamptz + n * interval '1 hour' \
        FROM generate_series(501, 600) n;\
    UPDATE shop.orders SET amount = 0, updated_at = '2024-06-01Z' WHERE id = 7";

fn source() -> Database {
    let database = block_on(cluster().database());
    block_on(database.execute(SOURCE));
    database
}

/// A pipeline that follows `orders` and copies `customers`.
fn pipeline(program: &std::path::Path, config: &Value, warehouse: &Warehouse) -> Value {
    json!({
        "tap": { "command": [program], "config": config },
        "target": warehouse.block(),
        "streams": {
            "*shop-customers": { "replication_method": "FULL_TABLE" },
            "*shop-orders": { "replication_method": "INCREMENTAL", "replication_key": "updated_at" },
        },
    })
}

/// Runs twice, with changes in between, and compares with the source.
fn follows(project: &Project, source: &Database, warehouse: &Warehouse, schema: &str) {
    let orders = |schema: &str| {
        format!(
            "SELECT id, amount::float8, extract(epoch FROM updated_at)::bigint FROM {schema}.orders ORDER BY id"
        )
    };
    let compare = || {
        assert_eq!(
            comparable(warehouse.rows(&orders(schema))),
            comparable(block_on(source.rows(&orders("shop"))))
        );
    };
    let _ = project.run(["run", "shop"]).expect_code(0);
    compare();
    block_on(source.execute(LATER));
    let _ = project.run(["run", "shop"]).expect_code(0);
    compare();
    let customers =
        "SELECT id, name, vip, balance::float8, n, extract(epoch FROM created_at)::float8, d::date";
    let expected = block_on(source.rows(&format!("{customers} FROM shop.customers ORDER BY id")));
    let found = warehouse.rows(&format!("{customers} FROM {schema}.customers ORDER BY id"));
    assert_eq!(comparable(found), comparable(expected));
}

/// Warehouses write booleans and numbers differently.
fn comparable(rows: Rows) -> Rows {
    let one = |cell: Option<String>| {
        cell.map(|text| match text.as_str() {
            "t" => "true".to_owned(),
            "f" => "false".to_owned(),
            other => other.parse::<f64>().map_or(other.to_owned(), |value| value.to_string()),
        })
    };
    rows.into_iter().map(|row| row.into_iter().map(one).collect()).collect()
}

#[test]
fn meltanolabs_tap_postgres_into_duckdb() {
    let program = python::program("meltanolabs-tap-postgres==0.10.0", "tap-postgres");
    let (source, project) = (source(), Project::new());
    let warehouse = Warehouse::duckdb(project.path());
    let config = json!({
        "host": "127.0.0.1",
        "port": cluster().port(),
        "user": "tapster",
        "password": Cluster::PASSWORD,
        "database": source.name(),
        "filter_schemas": ["shop"],
    });
    project.pipeline("shop", &pipeline(&program, &config, &warehouse));
    follows(&project, &source, &warehouse, "shop");
}

#[test]
fn pipelinewise_tap_postgres_into_postgres() {
    let program = python::program("pipelinewise-tap-postgres==1.8.4", "tap-postgres");
    let (source, project, warehouse) = (source(), Project::new(), Warehouse::postgres());
    let config = json!({
        "host": "127.0.0.1",
        "port": cluster().port(),
        "user": "tapster",
        "password": Cluster::PASSWORD,
        "dbname": source.name(),
        "filter_schemas": "shop",
    });
    project.pipeline("shop", &pipeline(&program, &config, &warehouse));
    follows(&project, &source, &warehouse, "shop");
}

#[test]
fn tap_jsonl_into_duckdb() {
    let program = python::program("tap-jsonl==0.3.1", "tap-jsonl");
    let project = Project::new();
    let warehouse = Warehouse::duckdb(project.path());
    let path = project.write(
        "data/people.jsonl",
        "{\"id\":1,\"name\":\"a\",\"f\":1.5}\n{\"id\":2,\"name\":null,\"tags\":[1,\"x\"]}\n",
    );
    let config = json!({ "path": path, "stream_name": "people", "primary_keys": ["id"] });
    project.pipeline(
        "people",
        &json!({ "tap": { "command": [program], "config": config }, "target": warehouse.block() }),
    );
    let _ = project.run(["run", "people"]).expect_code(0);
    let found = warehouse.rows("SELECT id, name, f::DOUBLE FROM people ORDER BY id");
    let text = |cell: &str| Some(cell.to_owned());
    assert_eq!(found, [vec![text("1"), text("a"), text("1.5")], vec![text("2"), None, None]]);
    let _ = project.run(["run", "people"]).expect_code(0);
    assert_eq!(warehouse.value("SELECT count(*) FROM people").as_deref(), Some("2"));
}
