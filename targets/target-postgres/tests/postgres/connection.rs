//! The preflight, and what is said when it fails.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::thread;

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
    let port = pool_transactions(Cluster::shared(), database.name());
    let error = refusal(&database, json!({ "port": port })).await;
    assert_eq!((error.code, &error.status), ("E0315", &Status::Config), "{error}");
}

/// A proxy as `PgBouncer` is in transaction mode, with two sessions; the one given back last is taken first.
fn pool_transactions(cluster: &Cluster, database: &str) -> u16 {
    let socket = cluster.socket_folder().join(format!(".s.PGSQL.{}", cluster.port()));
    let pool: Vec<UnixStream> = (0..2)
        .map(|_| {
            let mut server = UnixStream::connect(&socket).unwrap();
            let words = format!("user\0tapster\0database\0{database}\0\0");
            let length = u32::try_from(8 + words.len()).unwrap();
            server.write_all(&[&length.to_be_bytes(), &[0, 3, 0, 0][..], words.as_bytes()].concat()).unwrap();
            until_ready(&mut server, &mut std::io::sink());
            server
        })
        .collect();
    let pool = Arc::new(Mutex::new(pool));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let pool = Arc::clone(&pool);
            thread::spawn(move || client_of_pool(client, &pool));
        }
    });
    port
}

fn client_of_pool(mut client: std::net::TcpStream, pool: &Mutex<Vec<UnixStream>>) {
    let mut length = [0; 4];
    client.read_exact(&mut length).unwrap();
    let mut startup = vec![0; u32::from_be_bytes(length) as usize - 4];
    client.read_exact(&mut startup).unwrap();
    client.write_all(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I").unwrap();
    let mut held = None;
    while let Some(message) = message(&mut client) {
        if message[0] == b'X' {
            break;
        }
        let mut server = held.take().unwrap_or_else(|| pool.lock().unwrap().pop().unwrap());
        server.write_all(&message).unwrap();
        // Only a query and a sync are answered to the end.
        let idle = matches!(message[0], b'Q' | b'S') && until_ready(&mut server, &mut client) == b'I';
        if idle {
            pool.lock().unwrap().push(server);
        } else {
            held = Some(server);
        }
    }
}

fn message(from: &mut impl Read) -> Option<Vec<u8>> {
    let mut head = [0; 5];
    from.read_exact(&mut head).ok()?;
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
    let mut message = head.to_vec();
    message.resize(length + 1, 0);
    from.read_exact(&mut message[5..]).ok()?;
    Some(message)
}

/// Passes answers on until the server is ready; returns whether it is in a transaction.
fn until_ready(server: &mut UnixStream, client: &mut impl Write) -> u8 {
    loop {
        let message = message(server).unwrap();
        client.write_all(&message).unwrap();
        if message[0] == b'Z' {
            return message[5];
        }
    }
}
