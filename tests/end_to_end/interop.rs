//! Taps that other people wrote, from `PyPI`.

use serde_json::{Value, json};
use target_testkit::postgres::Database;
use tests::project::Project;
use tests::python;
use tests::warehouse::{Warehouse, block_on};

use crate::support::shop::{LATER, assert_same, config, pipeline, source};
use crate::support::warehouses;

/// Runs twice, with changes in between, and compares with the source.
fn follows(project: &Project, source: &Database, warehouse: &Warehouse) {
    for changes in ["", LATER] {
        block_on(source.execute(changes));
        let _ = project.run(["run", "shop"]).expect_code(0);
        assert_same(source, warehouse);
    }
}

/// The config of pipelinewise-tap-postgres.
fn pipelinewise(source: &Database) -> Value {
    config(json!({ "dbname": source.name(), "filter_schemas": "shop" }))
}

/// meltanolabs-tap-postgres into a warehouse.
fn meltanolabs_into(warehouse: impl Fn(&Project) -> Warehouse) {
    let program = python::program("meltanolabs-tap-postgres==0.10.0", "tap-postgres");
    let (source, project) = (source(), Project::new());
    let warehouse = warehouse(&project);
    let config = config(json!({ "database": source.name(), "filter_schemas": ["shop"] }));
    let tap = json!({ "command": [program], "config": config });
    project.pipeline("shop", &pipeline(&tap, &warehouse));
    follows(&project, &source, &warehouse);
}

#[test]
fn meltanolabs_tap_postgres_into_duckdb() {
    meltanolabs_into(|project| Warehouse::duckdb(project.path()));
}

#[test]
fn meltanolabs_tap_postgres_into_postgres() {
    meltanolabs_into(|_| Warehouse::postgres());
}

#[test]
fn pipelinewise_tap_postgres_into_postgres() {
    let program = python::program("pipelinewise-tap-postgres==1.8.4", "tap-postgres");
    let (source, project, warehouse) = (source(), Project::new(), Warehouse::postgres());
    let tap = json!({ "command": [program], "config": pipelinewise(&source) });
    project.pipeline("shop", &pipeline(&tap, &warehouse));
    follows(&project, &source, &warehouse);
}

/// What one types, with pip's settings of this machine, and then without any network.
#[test]
fn pipelinewise_tap_postgres_is_installed_locked_and_run_offline() {
    let (source, project) = (source(), Project::new());
    let warehouse = Warehouse::duckdb(project.path());
    let tap = json!({
        "pip": "pipelinewise-tap-postgres==1.8.4", "executable": "tap-postgres", "config": pipelinewise(&source),
    });
    project.pipeline("shop", &pipeline(&tap, &warehouse));
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
fn tap_jsonl_into_both_warehouses() {
    let program = python::program("tap-jsonl==0.3.1", "tap-jsonl");
    let project = Project::new();
    let path = project.write(
        "data/people.jsonl",
        "{\"id\":1,\"name\":\"a\",\"f\":1.5}\n{\"id\":2,\"name\":null,\"tags\":[1,\"x\"]}\n",
    );
    let config = json!({ "path": path, "stream_name": "people", "primary_keys": ["id"] });
    let text = |cell: &str| Some(cell.to_owned());
    for (of, warehouse) in warehouses(&project) {
        let tap = json!({ "command": [program], "config": config });
        project.pipeline(of, &json!({ "tap": tap, "target": warehouse.block() }));
        for _ in 0..2 {
            let _ = project.run(["run", of]).expect_code(0);
            let found = warehouse.rows("SELECT id, name, f::numeric(4, 1) FROM people ORDER BY id");
            assert_eq!(found, [vec![text("1"), text("a"), text("1.5")], vec![text("2"), None, None]], "{of}");
        }
    }
}
