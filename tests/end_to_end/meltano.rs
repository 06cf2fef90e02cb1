//! Meltano, with our target as its loader.

use std::process::{Command, Stdio};

use serde_json::{Value, json};
use target_testkit::postgres::Database;
use tests::project::{Outcome, Project};
use tests::warehouse::{Warehouse, block_on};
use tests::{programs, python};

use crate::support::shop::{LATER, assert_same_orders, config, source};

/// A Meltano project of a tap from `PyPI` and our target, both described in full: nothing is asked of its hub.
fn meltano_yml(source: &Database, warehouse: &Database) -> Value {
    let tap = python::program("meltanolabs-tap-postgres==0.10.0", "tap-postgres");
    let names = |config: &Value| {
        let names = config.as_object().expect("a map").keys();
        names.map(|name| json!({ "name": name })).collect::<Vec<_>>()
    };
    let from = config(json!({ "database": source.name(), "filter_schemas": ["shop"] }));
    // Every setting comes to a plugin from the environment, too, as text.
    let mut to = warehouse.settings();
    to["port"] = to["port"].to_string().into();
    to["default_target_schema"] = "raw".into();
    to["add_record_metadata"] = "true".into();
    json!({
        "default_environment": "test",
        "environments": [{ "name": "test" }],
        "send_anonymous_usage_stats": false,
        "plugins": {
            "extractors": [{
                "name": "tap-postgres", "namespace": "tap_postgres", "executable": tap,
                "capabilities": ["catalog", "discover", "state"], "settings": names(&from), "config": from,
                "select": ["shop-orders.*"],
                "metadata": {
                    "shop-orders": { "replication-method": "INCREMENTAL", "replication-key": "updated_at" },
                },
            }],
            "loaders": [{
                "name": "target-postgres", "namespace": "target_postgres",
                "executable": programs::target("target-postgres"), "settings": names(&to), "config": to,
            }],
        },
    })
}

#[test]
fn meltano_loads_with_our_target_and_goes_on_from_the_state_that_it_printed() {
    let meltano = python::program("meltano==4.4.1", "meltano");
    let (project, source, warehouse) = (Project::new(), source(), Warehouse::postgres());
    let Warehouse::Postgres(database) = &warehouse else { unreachable!("PostgreSQL") };
    project.write("meltano.yml", meltano_yml(&source, database).to_string());
    let run = |words: &[&str]| -> Outcome {
        let mut command = Command::new(&meltano);
        command.args(words).current_dir(project.path()).env_clear().stdin(Stdio::null());
        command.env("PATH", "/usr/bin:/bin").env("HOME", project.path().join("home"));
        project.outcome(&mut command).expect_code(0)
    };
    let compare = || assert_same_orders(&source, &warehouse, "raw.orders");
    let first = run(&["run", "tap-postgres", "target-postgres"]);
    compare();
    assert!(first.stderr.contains("500 records are loaded"), "{first}");
    let state = || -> Value {
        let told = run(&["state", "get", "test:tap-postgres-to-target-postgres"]).stdout;
        serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}"))
    };
    let bookmark =
        |state: Value| state["singer_state"]["bookmarks"]["shop-orders"]["replication_key_value"].clone();
    assert_eq!(bookmark(state()), "2024-01-21T20:00:00.000000+00:00");
    block_on(source.execute(LATER));
    let second = run(&["run", "tap-postgres", "target-postgres"]);
    compare();
    // 100 new ones, one changed, and the boundary that `>=` reads again.
    assert!(second.stderr.contains("102 records are loaded"), "{second}");
    assert_eq!(bookmark(state()), "2024-06-01T00:00:00.000000+00:00");
    assert_eq!(warehouse.tables(), ["_tapster_tables", "orders"]);
}
