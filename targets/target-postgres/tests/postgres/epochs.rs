//! All or nothing, whoever dies and whatever is lost.

use target_api::{Checkpoint, StateChange, Status, Target};
use target_postgres::PostgresTarget;
use target_testkit::postgres::{Cluster, Durability};
use target_testkit::proxy::TcpProxy;

use crate::support::{load, rows, run, start, state, table, target, try_write, write};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_reply_to_commit_is_settled_by_the_state_row() {
    let database = Cluster::shared().database().await;
    let (keyed, keyless) = (table("orders: id int64, name text", &["id"]), table("events: seq int64", &[]));
    let proxy = TcpProxy::start(Cluster::shared().port());
    let settings = database.settings_through(proxy.port()).to_string();
    let mut target = PostgresTarget::new(&settings).unwrap();
    target.resume(&run("one")).await.unwrap();
    for round in 1..=3_i64 {
        target.open(&keyed).await.unwrap();
        target.open(&keyless).await.unwrap();
        write(&mut target, &keyed, &[&format!("1|round {round}"), &format!("{}|x", round + 10)]).await;
        write(&mut target, &keyless, &[&round.to_string()]).await;
        proxy.drop_reply("COMMIT", 0);
        let committed = target.commit(&state(&format!("{{\"round\":{round}}}"))).await.unwrap();
        assert_eq!(committed.sequence, round, "it was committed, once");
        assert_eq!(proxy.dropped(), usize::try_from(round).unwrap());
    }
    assert_eq!(rows(&database, "SELECT seq FROM events ORDER BY 1").await, ["1", "2", "3"]);
    assert_eq!(
        rows(&database, "SELECT id, name FROM orders ORDER BY 1").await,
        ["1|round 3", "11|x", "12|x", "13|x"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fenced_run_changes_nothing() {
    let database = Cluster::shared().database().await;
    let events = table("events: seq int64", &[]);
    load(&database, &run("one"), &events, &["1"]).await;
    let mut older = start(&database, &run("older")).await;
    older.open(&events).await.unwrap();
    write(&mut older, &events, &["2"]).await;
    let _newer = start(&database, &run("newer")).await;
    let error = older.commit(&state("{\"seq\":2}")).await.unwrap_err();
    assert_eq!((error.code, &error.status), ("E0321", &Status::Busy));
    assert!(error.message.contains("(run newer)"), "{error}");
    assert_eq!(rows(&database, "SELECT seq FROM events").await, ["1"]);
    let error = older.commit(&Checkpoint { state: StateChange::Keep }).await.unwrap_err();
    assert_eq!(error.status, Status::Temporary, "the epoch is over: {error}");
}

/// The sequence, too, is compared: a commit that was made but whose reply was lost must not be made again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_after_a_foreign_commit_is_refused() {
    let database = Cluster::shared().database().await;
    let events = table("events: seq int64", &[]);
    let mut target = start(&database, &run("one")).await;
    target.open(&events).await.unwrap();
    write(&mut target, &events, &["1"]).await;
    database.execute("UPDATE _tapster_state SET sequence = sequence + 1").await;
    let error = target.commit(&state("{\"seq\":1}")).await.unwrap_err();
    assert_eq!(error.code, "E0321");
    assert_eq!(rows(&database, "SELECT count(*) FROM pg_tables WHERE tablename = 'events'").await, ["0"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_hard_keeps_whole_epochs_only() {
    let cluster = Cluster::start(Durability::Full);
    let database = cluster.database().await;
    let (keyed, keyless) = (table("orders: id int64, name text", &["id"]), table("events: seq int64", &[]));
    load(&database, &run("one"), &keyed, &["1|a"]).await;
    let mut running = start(&database, &run("two")).await;
    running.open(&keyed).await.unwrap();
    running.open(&keyless).await.unwrap();
    write(&mut running, &keyed, &["1|b", "2|b"]).await;
    write(&mut running, &keyless, &["1"]).await;
    cluster.stop_immediate();
    let error = try_write(&mut running, &keyless, &["2"]).await.unwrap_err();
    assert_eq!(error.status, Status::Temporary, "{error}");
    let error = running.commit(&state("{\"seq\":2}")).await.unwrap_err();
    assert_eq!(error.status, Status::Temporary, "{error}");
    let mut down = target(&database);
    let error = down.check().await.unwrap_err();
    assert_eq!((error.code, &error.status), ("E0311", &Status::Temporary), "{error}");
    assert!(error.message.contains("as tapster") && !error.message.contains(Cluster::PASSWORD), "{error}");
    cluster.start_again();
    let mut again = target(&database);
    assert_eq!(again.resume(&run("three")).await.unwrap().as_deref(), Some("{\"run\":\"one\"}"));
    assert_eq!(rows(&database, "SELECT id, name FROM orders").await, ["1|a"]);
    again.open(&keyless).await.unwrap();
    write(&mut again, &keyless, &["1"]).await;
    again.commit(&state("{}")).await.unwrap();
    assert_eq!(rows(&database, "SELECT seq FROM events").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_the_server_ends_ends_the_epoch() {
    let database = Cluster::shared().database().await;
    let events = table("events: seq int64", &[]);
    let mut target = start(&database, &run("one")).await;
    target.open(&events).await.unwrap();
    write(&mut target, &events, &["1"]).await;
    database
        .execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'tapster'",
        )
        .await;
    let error = target.commit(&state("{}")).await.unwrap_err();
    assert_eq!(error.status, Status::Temporary);
    let said = format!("{error} {}", error.source.as_ref().map_or(String::new(), ToString::to_string));
    assert!(said.contains("administrator"), "{said}");
    assert_eq!(rows(&database, "SELECT count(*) FROM pg_tables WHERE tablename = 'events'").await, ["0"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_first_runs_at_once_all_find_their_tables() {
    let database = Cluster::shared().database().await;
    let runs = (0..20).map(|at| {
        let database = database.clone();
        tokio::spawn(async move { target(&database).resume(&run(&at.to_string())).await.map(|_| ()) })
    });
    for outcome in runs.collect::<Vec<_>>() {
        outcome.await.unwrap().unwrap_or_else(|error| panic!("{error}"));
    }
    assert_eq!(rows(&database, "SELECT fence, sequence FROM _tapster_state").await, ["20|0"]);
}
