//! Meltano, with our target as its loader.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use target_testkit::postgres::Database;
use tests::project::{Outcome, Project};
use tests::warehouse::{Warehouse, block_on};
use tests::{programs, python};

use crate::support::meltanolabs_target_postgres;
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

/// The loader as a project has it that comes from meltanolabs-target-postgres, with the settings and the defaults that
/// Meltano's hub describes. `line` is the one that says which program it is.
fn with_the_loader_of_before(mut project: Value, warehouse: &Database, line: (&str, Value)) -> Value {
    let settings = warehouse.settings();
    let text = |name: &str| settings[name].as_str().expect("a text").to_owned();
    let defaults = json!({
        "add_record_metadata": true, "activate_version": true, "hard_delete": false, "load_method": "upsert",
        "batch_size_rows": 10000, "validate_records": true, "interpret_content_encoding": false,
        "sanitize_null_text_characters": false, "ssl_enable": false, "ssl_mode": "verify-full",
        "ssl_client_certificate_enable": false, "ssl_certificate_authority": "~/.postgresql/root.crl",
        "ssl_client_certificate": "~/.postgresql/postgresql.crt", "ssl_storage_directory": ".secrets",
        "ssl_client_private_key": "~/.postgresql/postgresql.key", "ssh_tunnel.enable": false,
    });
    let described = |(name, value): (&String, &Value)| {
        let kind = match value {
            Value::Bool(_) => "boolean",
            Value::Number(_) => "integer",
            _ => "string",
        };
        json!({ "name": name, "kind": kind, "value": value })
    };
    let mut described: Vec<Value> = defaults.as_object().expect("a map").iter().map(described).collect();
    for name in ["host", "port", "user", "password", "database", "default_target_schema"] {
        described.push(json!({ "name": name }));
    }
    let mut loader = json!({
        "name": "target-postgres", "namespace": "target_postgres", "variant": "meltanolabs",
        "settings": described,
        "config": {
            "host": text("host"), "port": settings["port"], "user": text("user"), "password": text("password"),
            "database": text("database"), "default_target_schema": "raw", "batch_size_rows": 100,
        },
    });
    loader[line.0] = line.1;
    project["plugins"]["loaders"] = json!([loader]);
    project
}

#[test]
fn one_line_of_a_project_changes_its_loader_to_ours() {
    let meltano = python::program("meltano==4.4.1", "meltano");
    let (project, source, warehouse) = (Project::new(), source(), Warehouse::postgres());
    let Warehouse::Postgres(database) = &warehouse else { unreachable!("PostgreSQL") };
    let run = |program: PathBuf| -> Outcome {
        let line = ("executable", json!(program));
        let text = with_the_loader_of_before(meltano_yml(&source, database), database, line).to_string();
        project.write("meltano.yml", text);
        let mut command = Command::new(&meltano);
        command.args(["run", "tap-postgres", "target-postgres"]).current_dir(project.path());
        command.env_clear().stdin(Stdio::null());
        command.env("PATH", "/usr/bin:/bin").env("HOME", project.path().join("home"));
        project.outcome(&mut command).expect_code(0)
    };
    let _ = run(meltanolabs_target_postgres());
    assert_same_orders(&source, &warehouse, "raw.orders");
    block_on(source.execute(LATER));
    let ours = run(programs::target("target-postgres"));
    // On from the STATE that theirs left, into the table that theirs made.
    assert_same_orders(&source, &warehouse, "raw.orders");
    assert!(ours.stderr.contains("102 records are loaded"), "{ours}");
    assert!(!ours.stderr.contains("is no setting"), "{ours}");
}

/// Whoever comes from Meltano takes the STATE along: only what is new is read.
fn go_on_in_tapster(source: &Database, told: &str) {
    let project = Project::new();
    let warehouse = Warehouse::duckdb(project.path());
    project.write("meltano.json", told);
    let tap = python::program("meltanolabs-tap-postgres==0.10.0", "tap-postgres");
    let config = config(json!({ "database": source.name(), "filter_schemas": ["shop"] }));
    let streams = json!({
        "shop-orders": { "replication_method": "INCREMENTAL", "replication_key": "updated_at" },
    });
    let tap = json!({ "command": [tap], "config": config });
    project.pipeline("shop", &json!({ "tap": tap, "target": warehouse.block(), "streams": streams }));
    let _ = project.run(["state", "import", "shop", "meltano.json", "--yes"]).expect_code(0);
    let ran = project.run(["run", "shop", "--json"]).expect_code(0);
    let ran: Value = serde_json::from_str(&ran.stdout).expect("a document");
    // As Meltano's own second run.
    assert_eq!(ran["streams"][0]["records_written"], 102, "{ran}");
    let state = project.run(["state", "get", "shop"]).expect_code(0);
    let state: Value = serde_json::from_str(&state.stdout).expect("a STATE");
    let bookmark = &state["bookmarks"]["shop-orders"]["replication_key_value"];
    assert_eq!(bookmark, "2024-06-01T00:00:00.000000+00:00");
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
    let told = run(&["state", "get", "test:tap-postgres-to-target-postgres"]).stdout;
    block_on(source.execute(LATER));
    go_on_in_tapster(&source, &told);
    let second = run(&["run", "tap-postgres", "target-postgres"]);
    compare();
    // 100 new ones, one changed, and the boundary that `>=` reads again.
    assert!(second.stderr.contains("102 records are loaded"), "{second}");
    assert_eq!(bookmark(state()), "2024-06-01T00:00:00.000000+00:00");
    assert_eq!(warehouse.tables(), ["_tapster_tables", "orders"]);
}
