//! Pipelines from PostgreSQL: the example, what is looked at before a run, and a server that goes away.

use serde_json::{Value, json};
use target_testkit::postgres::{Cluster, Database, Durability};
use tests::programs::workspace;
use tests::project::Project;
use tests::psql::connect;
use tests::warehouse::{Warehouse, block_on};

#[test]
fn the_example_follows_a_shop_into_duckdb() {
    let project = Project::new();
    let text = std::fs::read(workspace().join("pipelines/postgres-duckdb.yml")).expect("the pipeline");
    project.write("pipelines/postgres-duckdb.yml", text);
    let database = block_on(Cluster::shared().database());
    let sql = |sql: &str| block_on(database.execute(sql));
    sql("CREATE SCHEMA shop; CREATE TABLE shop.customers (id int PRIMARY KEY, name text);
         INSERT INTO shop.customers VALUES (1, 'Ada'), (2, 'Bo');
         CREATE TABLE shop.orders (id int PRIMARY KEY, total numeric(9,2), closed bool, updated_at timestamptz NOT NULL);
         INSERT INTO shop.orders SELECT i, i, i < 3, '2024-01-01Z'::timestamptz + i * interval '1 hour' FROM generate_series(1, 4) i;
         CREATE VIEW shop.open_orders AS SELECT id, total FROM shop.orders WHERE NOT closed");
    let tapster = |verb: &str| {
        let mut command = project.tapster([verb, "postgres-duckdb"]);
        connect(&mut command, &database);
        project.outcome(&mut command).expect_code(0)
    };
    let checked = tapster("check");
    assert!(checked.stdout.contains("ready, 3 streams selected"), "{checked}");
    let _ = tapster("run");
    sql(
        "DELETE FROM shop.customers WHERE id = 1; UPDATE shop.orders SET closed = true, updated_at = now() WHERE id = 4",
    );
    let _ = tapster("run");
    let warehouse = Warehouse::duckdb(project.path());
    let value = |sql: &str| warehouse.value(sql).unwrap_or_default();
    assert_eq!(value("SELECT string_agg(name, ' ') FROM shop.customers"), "Bo");
    assert_eq!(
        value("SELECT string_agg(id || closed, ' ' ORDER BY id) FROM shop.orders"),
        "1true 2true 3false 4true"
    );
    assert_eq!(
        value("SELECT string_agg(id || ':' || total, ' ' ORDER BY id) FROM shop.open_orders"),
        "3:3.00"
    );
}

/// A pipeline from schema `shop` of a database, record by record so that the tap cannot run ahead, into another.
fn pipeline(project: &Project, source: &Database, target: &Value, streams: &Value) {
    let mut config = source.settings();
    config["filter_schemas"] = json!(["shop"]);
    config["send"] = json!("records");
    let content = json!({
        "tap": { "name": "tap-postgres", "config": config },
        "target": target,
        "streams": streams,
        "limits": { "checkpoint_bytes": "1KiB" },
    });
    project.pipeline("shop", &content);
}

#[test]
fn a_check_finds_what_would_end_a_run_before_its_first_record() {
    let project = Project::new();
    let (source, warehouse) = (block_on(Cluster::shared().database()), Warehouse::postgres());
    block_on(source.execute("CREATE SCHEMA shop; CREATE TABLE shop.t (id int PRIMARY KEY)"));
    let check = |streams: Value| {
        pipeline(&project, &source, &warehouse.block(), &streams);
        project.run(["check", "shop"])
    };
    let _ = check(json!({ "shop-t": "include" })).expect_code(0);
    let outcome = check(json!({ "shop-t": { "metadata": { "where": "absent > 1" } } }));
    assert_ne!(outcome.code, Some(0), "{outcome}");
    assert!(
        outcome.stderr.contains("planning shop-t") && outcome.stderr.contains("\"absent\" does not exist"),
        "{outcome}"
    );
}

/// About thirty megabytes each, far more than is under way.
const TWO_TABLES: &str = "CREATE SCHEMA shop;
    CREATE TABLE shop.a_whole (id int PRIMARY KEY, text text);
    INSERT INTO shop.a_whole SELECT i, repeat('x', 1900) || i FROM generate_series(1, 16000) i;
    CREATE TABLE shop.b_followed (id int PRIMARY KEY, text text);
    INSERT INTO shop.b_followed SELECT i, repeat('y', 1900) || i FROM generate_series(1, 16000) i";

#[test]
fn a_source_that_is_stopped_hard_and_started_again_loses_nothing() {
    let cluster = Cluster::start(Durability::Full);
    let (project, warehouse) = (Project::new(), Warehouse::postgres());
    let source = block_on(cluster.database());
    block_on(source.execute(TWO_TABLES));
    let followed = json!({ "replication_method": "INCREMENTAL", "replication_key": "id" });
    pipeline(&project, &source, &warehouse.block(), &json!({ "*": "include", "shop-b_followed": followed }));
    let mut run = project.start("shop", None);
    for under_way in ["\"pages\"", "\"replication_key_value\""] {
        run.wait_for(|line| {
            let state = line.field("state").and_then(Value::as_str).unwrap_or_default();
            line.is_event("checkpointed") && state.contains(under_way)
        });
        cluster.stop_immediate();
        run.wait_for(|line| line.is_event("retrying"));
        cluster.start_again();
    }
    let (ended, log) = run.finish();
    assert_eq!(ended, Some(0), "{log}");
    for table in ["a_whole", "b_followed"] {
        let sql = format!("SELECT count(*), md5(string_agg(id || text, '' ORDER BY id)) FROM shop.{table}");
        assert_eq!(warehouse.rows(&sql), block_on(source.rows(&sql)), "{table}");
    }
}

/// The second load of a table goes beside it; whatever is killed meanwhile, its readers see the first one whole.
#[test]
fn a_second_load_that_is_killed_takes_the_first_ones_place_only_when_it_is_whole() {
    let (project, warehouse) = (Project::new(), Warehouse::postgres());
    let source = block_on(Cluster::shared().database());
    block_on(source.execute(TWO_TABLES));
    let mut config = source.settings();
    config["filter_schemas"] = json!(["shop"]);
    let content = json!({
        "tap": { "name": "tap-postgres", "config": config },
        "target": warehouse.block(),
        "streams": { "shop-a_whole": "include" },
        "limits": { "checkpoint_bytes": "1KiB" },
    });
    project.pipeline("shop", &content);
    let rows = "SELECT count(*), md5(string_agg(id || text, '' ORDER BY id)) FROM shop.a_whole";
    let beside = "SELECT count(*)::text FROM pg_class WHERE relname LIKE '\\_tapster\\_%\\_a\\_whole'";
    let _ = project.run(["run", "shop"]).expect_code(0);
    let first = block_on(source.rows(rows));
    assert_eq!(warehouse.rows(rows), first);
    block_on(source.execute(
        "DELETE FROM shop.a_whole WHERE id % 3 = 0; UPDATE shop.a_whole SET text = 'changed' WHERE id % 5 = 0;
         INSERT INTO shop.a_whole SELECT i, 'new' FROM generate_series(20001, 20100) i",
    ));
    for phase in ["committed", "commit_sent", "merge"] {
        let mut run = project.start("shop", None);
        run.wait_for(|line| line.phase() == Some(phase));
        run.kill();
        assert_eq!(warehouse.rows(rows), first, "killed at {phase}");
        assert_eq!(warehouse.value(beside).as_deref(), Some("1"), "killed at {phase}");
    }
    let _ = project.run(["run", "shop"]).expect_code(0);
    assert_eq!(warehouse.rows(rows), block_on(source.rows(rows)));
    assert_eq!(warehouse.value(beside).as_deref(), Some("0"));
}
