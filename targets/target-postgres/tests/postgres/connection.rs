//! The preflight, and what is said when it fails.

use serde_json::json;
use target_api::{Status, Target};
use target_postgres::PostgresTarget;
use target_testkit::postgres::{Cluster, Database};

use crate::support::{rows, run, start};

async fn refusal(database: &Database, changes: serde_json::Value) -> target_api::TargetError {
    let mut settings = database.settings();
    for (name, value) in changes.as_object().unwrap() {
        settings[name] = value.clone();
    }
    let mut target = PostgresTarget::new(&settings.to_string()).unwrap();
    let error = target.check().await.unwrap_err();
    for secret in [Cluster::PASSWORD, "wrong-secret"] {
        assert!(!format!("{error} {error:?}").contains(secret), "{error:?}");
    }
    error
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_says_what_is_missing() {
    let database = Cluster::shared().database().await;
    let mut target = PostgresTarget::new(&database.settings().to_string()).unwrap();
    target.check().await.unwrap_or_else(|error| panic!("{error}"));
    drop(target);
    assert_eq!(rows(&database, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").await, ["0"]);
    for (changes, code, text) in [
        (json!({ "password": "wrong-secret" }), "E0312", "password authentication failed"),
        (json!({ "password": null }), "E0312", "as tapster"),
        (json!({ "database": "nowhere" }), "E0312", "\"nowhere\" does not exist"),
        (json!({ "user": "nobody" }), "E0312", "as nobody"),
    ] {
        let error = refusal(&database, changes).await;
        assert_eq!((error.code, &error.status), (code, &Status::Config), "{error}");
        assert!(error.message.contains(text), "{error}");
    }
    let error = refusal(&database, json!({ "port": 1 })).await;
    assert_eq!((error.code, &error.status), ("E0311", &Status::Temporary));
    assert!(error.message.starts_with("127.0.0.1:1/test_1 as tapster cannot be reached"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_right_that_is_missing_is_named() {
    let database = Cluster::shared().database().await;
    database.execute("CREATE ROLE reader LOGIN PASSWORD 'not-a-secret'; CREATE SCHEMA closed").await;
    let as_reader = |schema: &str| json!({ "user": "reader", "schema": schema });
    let error = refusal(&database, as_reader("public")).await;
    assert_eq!((error.code, &error.status), ("E0314", &Status::Config));
    assert!(error.message.contains("CREATE ON SCHEMA public"), "{error}");
    assert!(refusal(&database, as_reader("closed")).await.message.contains("USAGE ON SCHEMA closed"));
    assert!(refusal(&database, as_reader("absent")).await.message.contains("CREATE ON DATABASE"));
    // With the tables made and shared, CREATE is not needed.
    drop(start(&database, &run("one")).await);
    database.execute("GRANT SELECT ON _tapster_state, _tapster_tables TO reader").await;
    assert!(refusal(&database, as_reader("public")).await.message.contains("SELECT, INSERT, UPDATE ON"));
    database.execute("GRANT INSERT, UPDATE ON _tapster_state, _tapster_tables TO reader").await;
    let mut settings = database.settings();
    settings["user"] = json!("reader");
    PostgresTarget::new(&settings.to_string())
        .unwrap()
        .check()
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    database.execute("REVOKE TEMPORARY ON DATABASE test_1 FROM PUBLIC").await;
    assert!(refusal(&database, as_reader("public")).await.message.contains("TEMPORARY ON DATABASE"));
    database.execute("ALTER ROLE reader SET default_transaction_read_only = on").await;
    let mut target = PostgresTarget::new(&settings.to_string()).unwrap();
    assert_eq!(target.check().await.unwrap_err().code, "E0314", "our own setting counts, not the role's");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_others_hold_is_not_waited_for_without_end() {
    let database = Cluster::shared().database().await;
    drop(start(&database, &run("one")).await);
    let holder = database.connect().await;
    holder.batch_execute("BEGIN; SELECT FROM _tapster_state FOR UPDATE").await.unwrap();
    let mut settings = database.settings();
    settings["lock_timeout"] = json!(0.05);
    let error = PostgresTarget::new(&settings.to_string()).unwrap().resume(&run("two")).await.unwrap_err();
    assert_eq!((error.code, &error.status), ("E0318", &Status::Busy), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_local_socket_needs_no_more_than_its_folder() {
    let database = Cluster::shared().database().await;
    let folder = Cluster::shared().socket_folder();
    let settings = json!({
        "host": folder, "port": Cluster::shared().port().to_string(), "user": "tapster", "dbname": database.name()
    });
    let mut target = PostgresTarget::new(&settings.to_string()).unwrap();
    target.check().await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(target.resume(&run("one")).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_that_pools_transactions_is_refused() {
    let database = Cluster::shared().database().await;
    let port = Cluster::shared().pool_transactions(&database);
    let error = refusal(&database, json!({ "port": port })).await;
    assert_eq!((error.code, &error.status), ("E0315", &Status::Config), "{error}");
}
