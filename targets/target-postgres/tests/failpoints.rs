//! Every edge of a commit, with the connection lost on it. A program of its own: points are
//! set for a whole process.

use target_api::{Status, Target};
use target_testkit::postgres::Cluster;

#[cfg(test)]
#[path = "postgres/support.rs"]
#[expect(dead_code, reason = "the other tests use all of it")]
mod support;

use support::{load, rows, run, start, state, table, target, write};

const EDGES: [&str; 5] = ["before_merge", "after_merge", "before_state", "before_commit", "after_commit"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_lost_on_an_edge_leaves_all_or_nothing() {
    let _alone = fail::FailScenario::setup();
    let database = Cluster::shared().database().await;
    let (keyed, keyless) = (table("orders: id int64, name text", &["id"]), table("events: seq int64", &[]));
    load(&database, &run("zero"), &keyed, &["1|a"]).await;
    for edge in EDGES {
        let before = database.rows("SELECT sequence FROM _tapster_state").await;
        let name = format!("postgres::{edge}");
        fail::cfg(&name, "1*return").unwrap();
        let mut target = start(&database, &run(edge)).await;
        target.open(&keyed).await.unwrap();
        target.open(&keyless).await.unwrap();
        write(&mut target, &keyed, &[&format!("1|{edge}")]).await;
        write(&mut target, &keyless, &["1"]).await;
        let committed = target.commit(&state(&format!("{{\"edge\":\"{edge}\"}}"))).await;
        fail::remove(&name);
        let after = database.rows("SELECT sequence FROM _tapster_state").await;
        let names = rows(&database, "SELECT name FROM orders").await;
        if edge == "after_commit" {
            committed.unwrap_or_else(|error| panic!("it was made: {error}"));
            assert_ne!(before, after);
            assert_eq!(names, [edge]);
            // The run goes on, on a new session.
            write(&mut target, &keyed, &["2|next"]).await;
            target.commit(&state("{\"edge\":\"next\"}")).await.unwrap();
            assert_eq!(rows(&database, "SELECT seq FROM events").await, ["1"]);
            assert_eq!(rows(&database, "SELECT count(*) FROM orders").await, ["2"]);
        } else {
            assert_eq!(committed.unwrap_err().status, Status::Temporary);
            assert_eq!((before, names), (after, vec!["a".to_owned()]), "{edge}");
        }
    }
    let mut next = target(&database);
    assert_eq!(next.resume(&run("next")).await.unwrap().as_deref(), Some("{\"edge\":\"next\"}"));
}

/// A zombie: it stands still on an edge, another run takes over and commits, and then it wakes up.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_run_that_wakes_up_after_another_took_over_commits_nothing() {
    let _alone = fail::FailScenario::setup();
    let database = Cluster::shared().database().await;
    let events = table("events: seq int64", &[]);
    load(&database, &run("zero"), &events, &["0"]).await;
    // The row is locked on this edge: the other run waits for it, and finds nothing changed. Standing still blocks
    // a whole thread, so the zombie has one of its own.
    fail::cfg("postgres::before_commit", "pause").unwrap();
    let (of_zombie, its_events) = (database.clone(), events.clone());
    let standing = std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let mut zombie = start(&of_zombie, &run("zombie")).await;
            zombie.open(&its_events).await.unwrap();
            write(&mut zombie, &its_events, &["1"]).await;
            zombie.commit(&state("{\"seq\":1}")).await
        })
    });
    let locked =
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND query LIKE 'UPDATE%'";
    while database.value(locked).await.as_deref() == Some("0") {
        tokio::task::yield_now().await;
    }
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted";
    let taking = tokio::spawn({
        let database = database.clone();
        async move {
            let mut newer = target(&database);
            let state = newer.resume(&run("newer")).await.unwrap();
            (newer, state)
        }
    });
    while database.value(waiting).await.as_deref() == Some("0") {
        tokio::task::yield_now().await;
    }
    database.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE state = 'idle in transaction'").await;
    let (mut newer, found) = taking.await.unwrap();
    assert_eq!(found.as_deref(), Some("{\"run\":\"zero\"}"));
    fail::remove("postgres::before_commit");
    assert_eq!(standing.join().unwrap().unwrap_err().code, "E0321");
    newer.open(&events).await.unwrap();
    write(&mut newer, &events, &["2"]).await;
    newer.commit(&state("{\"seq\":2}")).await.unwrap();
    assert_eq!(rows(&database, "SELECT seq FROM events ORDER BY 1").await, ["0", "2"]);
}
