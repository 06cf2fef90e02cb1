//! Our tap into targets that other people wrote: by a plain pipe, as a shell has it, and in runs of tapster.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use target_testkit::postgres::Database;
use tests::project::{Outcome, Project};
use tests::warehouse::{Rows, Warehouse, block_on};
use tests::{programs, python};

use crate::support::meltanolabs_target_postgres;
use crate::support::shop::{self, assert_same_orders, config, source};

const FIRST: &str =
    "id,name,price,placed_at\n1,naïve café,1.10,2024-01-02\n2,,0.5,\n3,\"a \"\"quote\"\", b\",,2024-02-29\n";
const LATER: &str = "4,last,123456789.25,2024-03-01\n";

fn tap_config() -> Value {
    json!({ "files": [{ "path": "data/orders.csv", "stream": "orders", "key_properties": ["id"] }] })
}

/// `tap-csv | target`, as one types it; the lines of both go to stderr.
fn pipe(project: &Project, program: &Path, config: &Value) -> Outcome {
    project.write("tap.json", tap_config().to_string());
    project.write("target.json", config.to_string());
    let tap = programs::tapster().with_file_name("tap-csv");
    let line =
        format!("'{}' --config tap.json | '{}' --config target.json", tap.display(), program.display());
    let mut shell = Command::new("bash");
    shell.args(["-o", "pipefail", "-c", &line]).current_dir(project.path()).stdin(Stdio::null());
    project.outcome(&mut shell).expect_code(0)
}

fn jsonl_config(project: &Project) -> Value {
    let folder = project.path().join("out");
    fs::create_dir_all(&folder).expect("out/");
    json!({ "destination_path": folder, "do_timestamp_file": false })
}

fn lines(project: &Project) -> Vec<Value> {
    let text = fs::read_to_string(project.path().join("out/orders.jsonl")).expect("a file");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn postgres_config(warehouse: &Warehouse) -> Value {
    let mut config = warehouse.block()["config"].clone();
    config.as_object_mut().expect("a map").extend(
        json!({ "default_target_schema": "raw", "load_method": "upsert", "ssl_enable": false })
            .as_object()
            .expect("a map")
            .clone(),
    );
    config
}

fn orders(warehouse: &Warehouse) -> Rows {
    warehouse.rows("SELECT id, name, price::text, placed_at::text FROM raw.orders ORDER BY id")
}

fn expected(records: usize) -> Rows {
    let cell = |text: &str| (text != "-").then(|| text.to_owned());
    let all = [
        ["1", "naïve café", "1.10", "2024-01-02"],
        ["2", "", "0.5", "-"],
        ["3", "a \"quote\", b", "-", "2024-02-29"],
        ["4", "last", "123456789.25", "2024-03-01"],
    ];
    all[..records].iter().map(|row| row.map(cell).to_vec()).collect()
}

#[test]
fn our_tap_is_piped_into_target_jsonl() {
    let (project, program) = (Project::new(), python::program("target-jsonl==0.1.4", "target-jsonl"));
    project.write("data/orders.csv", FIRST);
    let loaded = pipe(&project, &program, &jsonl_config(&project));
    let state: Value =
        serde_json::from_str(loaded.stdout.lines().last().unwrap_or_default()).expect("a STATE");
    assert!(state["bookmarks"]["orders"].is_object(), "{loaded}");
    assert_eq!(
        lines(&project)[2],
        json!({ "id": 3, "name": "a \"quote\", b", "price": null, "placed_at": "2024-02-29" })
    );
}

#[test]
fn our_tap_is_piped_into_meltanolabs_target_postgres() {
    let (project, warehouse) = (Project::new(), Warehouse::postgres());
    project.write("data/orders.csv", FIRST);
    let loaded = pipe(&project, &meltanolabs_target_postgres(), &postgres_config(&warehouse));
    assert!(loaded.stdout.contains("\"orders\""), "{loaded}");
    assert_eq!(orders(&warehouse), expected(3));
}

#[test]
fn runs_of_our_tap_into_target_jsonl_of_pypi_go_on_from_its_state() {
    let project = Project::new();
    let target = json!({ "pip": "target-jsonl==0.1.4", "config": jsonl_config(&project) });
    project.write("data/orders.csv", FIRST);
    project.pipeline(
        "orders",
        &json!({ "tap": { "name": "tap-csv", "config": tap_config() }, "target": target }),
    );
    let run = || {
        let mut command = project.tapster(["run", "orders"]);
        python::may_install(&mut command);
        project.outcome(&mut command).expect_code(0)
    };
    let _ = run();
    project.write("data/orders.csv", [FIRST, LATER].concat());
    let _ = run();
    let ids: Vec<Value> = lines(&project).iter().map(|line| line["id"].clone()).collect();
    assert_eq!(ids, [1, 2, 3, 4]);
}

#[test]
fn runs_of_our_tap_into_meltanolabs_target_postgres_go_on_from_its_state() {
    let (project, warehouse) = (Project::new(), Warehouse::postgres());
    let target = json!({ "command": [meltanolabs_target_postgres()], "config": postgres_config(&warehouse) });
    project.write("data/orders.csv", FIRST);
    project.pipeline(
        "orders",
        &json!({ "tap": { "name": "tap-csv", "config": tap_config() }, "target": target }),
    );
    let _ = project.run(["run", "orders"]).expect_code(0);
    assert_eq!(orders(&warehouse), expected(3));
    project.write("data/orders.csv", [FIRST, LATER].concat());
    let second = project.run(["run", "orders", "--json"]).expect_code(0);
    assert_eq!(orders(&warehouse), expected(4));
    let told: Value = serde_json::from_str(&second.stdout).expect("JSON");
    assert_eq!(told["streams"][0]["records_written"], 1, "{second}");
    let again = project.run(["run", "orders"]).expect_code(0);
    assert!(again.stdout.contains("nothing was new"), "{again}");
}

/// Our tap-postgres, which follows the shop's orders, into somebody else's target, twice.
fn follow_orders(project: &Project, source: &Database, target: &Value, compare: impl Fn()) {
    let config = config(json!({ "database": source.name(), "filter_schemas": ["shop"] }));
    let streams = json!({
        "shop-orders": { "replication_method": "INCREMENTAL", "replication_key": "updated_at" },
    });
    let tap = json!({ "name": "tap-postgres", "config": config });
    project.pipeline("shop", &json!({ "tap": tap, "target": target, "streams": streams }));
    for changes in ["", shop::LATER] {
        block_on(source.execute(changes));
        let _ = project.run(["run", "shop"]).expect_code(0);
        compare();
    }
}

#[test]
fn our_tap_postgres_follows_a_table_into_target_jsonl() {
    let (project, source) = (Project::new(), source());
    let program = python::program("target-jsonl==0.1.4", "target-jsonl");
    let target = json!({ "command": [program], "config": jsonl_config(&project) });
    follow_orders(&project, &source, &target, || {
        let text = fs::read_to_string(project.path().join("out/shop-orders.jsonl")).expect("a file");
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        // Appended: the last line of a key is its record.
        let found: BTreeMap<i64, f64> =
            lines.filter_map(|line| Some((line["id"].as_i64()?, line["amount"].as_f64()?))).collect();
        let wanted = block_on(source.rows("SELECT id, amount::float8 FROM shop.orders ORDER BY id"));
        let number = |row: &Vec<Option<String>>, at: usize| {
            row[at].as_deref().and_then(|text| text.parse::<f64>().ok())
        };
        let found: Vec<_> =
            found.into_iter().map(|(id, amount)| (Some(id.to_string()), Some(amount))).collect();
        let wanted: Vec<_> = wanted.iter().map(|row| (row[0].clone(), number(row, 1))).collect();
        assert_eq!(found, wanted);
    });
}

#[test]
fn our_tap_postgres_follows_a_table_into_meltanolabs_target_postgres() {
    let (project, source, warehouse) = (Project::new(), source(), Warehouse::postgres());
    let target = json!({ "command": [meltanolabs_target_postgres()], "config": postgres_config(&warehouse) });
    follow_orders(&project, &source, &target, || assert_same_orders(&source, &warehouse, "raw.orders"));
}
