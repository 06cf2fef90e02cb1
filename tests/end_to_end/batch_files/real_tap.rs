//! The Meltano SDK's own files, by meltanolabs-tap-postgres from `PyPI`.

use serde_json::{Value, json};
use target_testkit::postgres::Database;
use tests::project::Project;
use tests::python;
use tests::warehouse::{Warehouse, block_on};

use crate::support::shop::{LATER, assert_same, config, pipeline, source};

/// A pipeline of the tap, which hands over files in `root` and announces versions.
fn batches(source: &Database, format: &str, root: &str, warehouse: &Warehouse) -> Value {
    let batch_config = json!({
        "encoding": { "format": format, "compression": "gzip" },
        "storage": { "root": root },
        "batch_size": 200,
    });
    let config = config(json!({
        "database": source.name(),
        "filter_schemas": ["shop"],
        "emit_activate_version_messages": true,
        "batch_config": batch_config,
    }));
    let program = python::program("meltanolabs-tap-postgres==0.10.0", "tap-postgres");
    pipeline(&json!({ "command": [program], "batch_roots": ["spool"], "config": config }), warehouse)
}

/// Runs twice, with changes in between, and compares with the source.
fn follows(format: &str, root: impl Fn(&Project) -> String, warehouse: impl Fn(&Project) -> Warehouse) {
    let (source, project) = (source(), Project::new());
    let warehouse = warehouse(&project);
    std::fs::create_dir(project.path().join("spool")).expect("spool/");
    project.pipeline("shop", &batches(&source, format, &root(&project), &warehouse));
    let run = || project.run(["run", "shop"]).expect_code(0);
    let _ = run();
    assert_same(&source, &warehouse);
    let versions = "SELECT count(DISTINCT _sdc_table_version) FROM shop.customers";
    assert_eq!(warehouse.value(versions).as_deref(), Some("1"));
    block_on(source.execute(LATER));
    let _ = run();
    assert_same(&source, &warehouse);
    assert!(project.private_folders().is_empty());
    let files = std::fs::read_dir(project.path().join("spool")).expect("spool/").count();
    assert_eq!(files > 0, root(&project).contains("spool"), "{files} files are left");
}

fn run_folder(_: &Project) -> String {
    "file://${run:folder}".to_owned()
}

fn spool(project: &Project) -> String {
    format!("file://{}", project.path().join("spool").display())
}

#[test]
fn lines_in_the_runs_folder_into_postgres() {
    follows("jsonl", run_folder, |_| Warehouse::postgres());
}

#[test]
fn lines_in_a_root_into_duckdb() {
    follows("jsonl", spool, |project| Warehouse::duckdb(project.path()));
}

/// The tap's columns of JSON hold objects and lists, of which pyarrow makes no column.
#[test]
fn columns_in_the_runs_folder_into_postgres() {
    let (source, project, warehouse) = (source(), Project::new(), Warehouse::postgres());
    let mut pipeline = batches(&source, "parquet", "file://${run:folder}", &warehouse);
    let tap = pipeline["tap"].as_object_mut().expect("a block");
    tap.remove("command");
    tap.insert("pip".into(), json!(["meltanolabs-tap-postgres==0.10.0", "pyarrow==26.0.1"]));
    tap.insert("executable".into(), json!("tap-postgres"));
    pipeline["streams"]["*shop-customers"]["columns"] = json!({ "doc": "exclude" });
    project.pipeline("shop", &pipeline);
    let mut command = project.tapster(["run", "shop"]);
    python::may_install(&mut command);
    let _ = project.outcome(&mut command).expect_code(0);
    assert_same(&source, &warehouse);
}
