//! A shop's database with the types that people have, for taps from `PyPI`.

use serde_json::{Value, json};
use target_testkit::postgres::{Cluster, Database};
use tests::warehouse::{Rows, Warehouse, block_on};

use super::cluster;

/// Among it a table that grows.
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

/// How it grows.
pub(crate) const LATER: &str = "\
    INSERT INTO shop.orders SELECT n, n * 1.25, '2024-03-01Z'::timestamptz + n * interval '1 hour' \
        FROM generate_series(501, 600) n;\
    UPDATE shop.orders SET amount = 0, updated_at = '2024-06-01Z' WHERE id = 7";

pub(crate) fn source() -> Database {
    let database = block_on(cluster().database());
    block_on(database.execute(SOURCE));
    database
}

/// A tap's config: how it logs in, and what else it wants.
pub(crate) fn config(more: Value) -> Value {
    let mut config = json!({
        "host": "127.0.0.1",
        "port": cluster().port(),
        "user": "tapster",
        "password": Cluster::PASSWORD,
    });
    let (Value::Object(all), Value::Object(more)) = (&mut config, more) else { panic!("two maps") };
    all.extend(more);
    config
}

/// A pipeline that follows `orders` and copies `customers`.
pub(crate) fn pipeline(tap: &Value, warehouse: &Warehouse) -> Value {
    json!({
        "tap": tap,
        "target": warehouse.block(),
        "streams": {
            "*shop-customers": { "replication_method": "FULL_TABLE" },
            "*shop-orders": { "replication_method": "INCREMENTAL", "replication_key": "updated_at" },
        },
    })
}

/// Panics unless the warehouse has what the shop has.
#[track_caller]
pub(crate) fn assert_same(shop: &Database, warehouse: &Warehouse) {
    assert_same_orders(shop, warehouse, "shop.orders");
    let customers = "SELECT id, name, vip, balance::float8, n, extract(epoch FROM created_at)::float8, d::date \
        FROM shop.customers ORDER BY id";
    assert_eq!(comparable(warehouse.rows(customers)), comparable(block_on(shop.rows(customers))));
}

/// Panics unless the table has the shop's orders.
#[track_caller]
pub(crate) fn assert_same_orders(shop: &Database, warehouse: &Warehouse, table: &str) {
    let orders = |table: &str| {
        format!("SELECT id, amount::float8, extract(epoch FROM updated_at)::bigint FROM {table} ORDER BY id")
    };
    let (found, expected) = (warehouse.rows(&orders(table)), block_on(shop.rows(&orders("shop.orders"))));
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
