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

pub(crate) const LATER: &str = "\
    INSERT INTO shop.orders SELECT n, n * 1.25, '2024-03-01Z'::timestamptz + n * interval '1 hour' \
        FROM generate_series(501, 600) n;\
    UPDATE shop.orders SET amount = 0, updated_at = '2024-06-01Z' WHERE id = 7";

pub(crate) fn source() -> Database {
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
pub(crate) fn comparable(rows: Rows) -> Rows {
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

/// What one types, with pip's settings of this machine, and then without any network.
#[test]
fn pipelinewise_tap_postgres_is_installed_locked_and_run_offline() {
    let (source, project) = (source(), Project::new());
    let warehouse = Warehouse::duckdb(project.path());
    let config = json!({
        "host": "127.0.0.1",
        "port": cluster().port(),
        "user": "tapster",
        "password": Cluster::PASSWORD,
        "dbname": source.name(),
        "filter_schemas": "shop",
    });
    let mut pipeline = pipeline(std::path::Path::new("tap"), &config, &warehouse);
    pipeline["tap"] =
        json!({ "pip": "pipelinewise-tap-postgres==1.8.4", "executable": "tap-postgres", "config": config });
    project.pipeline("shop", &pipeline);
    let online = |words: &[&str]| {
        let mut command = project.tapster(words);
        python::may_install(&mut command);
        project.outcome(&mut command)
    };
    let offline = |words: &[&str]| {
        let mut command = project.tapster(words);
        command.env("PIP_NO_INDEX", "1").env("PIP_INDEX_URL", "http://127.0.0.1:9/simple");
        project.outcome(&mut command)
    };
    let rows = || warehouse.value("SELECT count(*) FROM shop.orders").unwrap_or_default();
    let installed = online(&["install"]).expect_code(0);
    assert!(installed.stdout.contains("tap-postgres of pipelinewise-tap-postgres==1.8.4"), "{installed}");
    let lock = std::fs::read_to_string(project.path().join("tapster.lock")).expect("a lock");
    assert!(lock.contains("\"psycopg2-binary\"") && lock.contains("\"sha256\""), "{lock}");
    let _ = offline(&["run", "shop"]).expect_code(0);
    assert_eq!(rows(), "500");
    block_on(source.execute(LATER));
    let _ = offline(&["run", "shop"]).expect_code(0);
    assert_eq!(rows(), "600");
    // Another machine has the project's files alone.
    std::fs::remove_dir_all(project.path().join(".tapster")).expect(".tapster");
    let missing = offline(&["run", "shop"]).expect_code(69);
    assert!(missing.stderr.contains("E0609"), "{missing}");
    let _ = online(&["install", "--locked"]).expect_code(0);
    assert_eq!(std::fs::read_to_string(project.path().join("tapster.lock")).expect("a lock"), lock);
    let _ = offline(&["run", "shop"]).expect_code(0);
}

/// A branch is locked to the commit that it stood at.
#[test]
fn a_tap_of_a_repository_stays_at_its_commit() {
    let project = Project::new();
    let setup = "from setuptools import setup\nsetup(name='tap-git', version='1', py_modules=['tap_git'], \
        entry_points={'console_scripts': ['tap-git=tap_git:main']})\n";
    project.write("repository/setup.py", setup);
    let commit = |word: &str| {
        project.write("repository/tap_git.py", format!("def main(): print('{word}')\n"));
        for words in
            [&["init", "--quiet", "-b", "main"][..], &["add", "."], &["commit", "--quiet", "-m", word]]
        {
            let mut git = std::process::Command::new("git");
            git.args(["-c", "user.name=a", "-c", "user.email=a@b.example"]).args(words);
            assert!(git.current_dir(project.path().join("repository")).status().expect("git").success());
        }
    };
    let tapster = |words: &[&str]| {
        let mut command = project.tapster(words);
        python::may_install(&mut command);
        project.outcome(&mut command)
    };
    commit("first");
    let address = format!("git+file://{}@main", project.path().join("repository").display());
    let target = json!({ "name": "target-jsonl", "config": { "path": "out" } });
    project.pipeline("git", &json!({ "tap": { "pip": address }, "target": target }));
    let _ = tapster(&["install"]).expect_code(0);
    commit("second");
    std::fs::remove_dir_all(project.path().join(".tapster")).expect(".tapster");
    let _ = tapster(&["install", "--locked"]).expect_code(0);
    assert_eq!(tapster(&["invoke", "git"]).expect_code(0).stdout, "first\n");
    let _ = tapster(&["install", "--update"]).expect_code(0);
    assert_eq!(tapster(&["invoke", "git"]).expect_code(0).stdout, "second\n");
}

/// uv locks for every platform; what it locked, pip installs.
#[test]
fn what_uv_locks_pip_installs() {
    let uv = python::program("uv==0.13.9", "uv");
    let project = Project::new();
    let warehouse = Warehouse::duckdb(project.path());
    let path = project.write("people.jsonl", "{\"id\":1,\"name\":\"a\"}\n");
    let config = json!({ "path": path, "stream_name": "people", "primary_keys": ["id"] });
    let tap = json!({ "pip": ["tap-jsonl==0.3.1", "idna<4"], "config": config });
    project.pipeline("people", &json!({ "tap": tap, "target": warehouse.block() }));
    let tapster = |with_uv: bool, words: &[&str]| {
        let mut command = project.tapster(words);
        python::may_install(&mut command);
        let path = std::env::var("PATH").unwrap_or_default();
        if with_uv {
            command.env("PATH", format!("{}:{path}", uv.parent().expect("bin").display()));
        }
        project.outcome(&mut command)
    };
    let first = tapster(true, &["run", "people"]).expect_code(0);
    assert!(first.stderr.contains("with uv"), "{first}");
    let read = || std::fs::read_to_string(project.path().join("tapster.lock")).expect("a lock");
    let lock = read();
    assert!(!lock.contains("\"platform\"") && lock.contains("\"marker\""), "{lock}");
    std::fs::remove_dir_all(project.path().join(".tapster/environments")).expect("environments");
    let second = tapster(false, &["install", "--locked"]).expect_code(0);
    assert!(second.stderr.contains("with pip"), "{second}");
    assert_eq!(read(), lock);
    let _ = tapster(false, &["run", "people"]).expect_code(0);
    // Every hash is another one now, and uv refuses, too.
    let other: String = lock
        .lines()
        .map(|line| if line.trim().len() >= 66 && !line.contains(':') { line.replace(['a', 'b', '1'], "0") } else { line.into() } + "\n")
        .collect();
    project.write("tapster.lock", other);
    let refused = tapster(true, &["install", "--locked"]).expect_code(78);
    assert!(refused.stderr.contains("E0607"), "{refused}");
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
