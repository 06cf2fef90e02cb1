//! The table that the benches copy: orders of fifteen columns of the usual types, 300 bytes a row.

use serde_json::{Value, json};
use target_testkit::postgres::Database;
use tests::psql::psql;

/// Makes `shop.orders` with so many rows.
pub(crate) fn make_orders(database: &Database, rows: u64) {
    let make = include_str!("../orders.sql").replace(":rows", &rows.to_string());
    psql(database, make.split(';').map(str::trim).filter(|sql| !sql.is_empty()));
}

/// The `tap:` block that reads these schemas.
pub(crate) fn tap(database: &Database, schemas: &[&str]) -> Value {
    let mut config = database.settings();
    config["filter_schemas"] = json!(schemas);
    json!({ "name": "tap-postgres", "config": config })
}
