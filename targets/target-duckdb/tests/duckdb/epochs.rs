//! All or nothing, on every edge of a commit.

use target_api::{FullRefresh, RunIdentity, Status, Target as _};

use crate::support::{File, records, run, state, table, target, write};

#[tokio::test]
async fn a_commit_that_fails_on_any_edge_leaves_nothing() {
    for point in ["before_merge", "after_merge", "before_state", "before_commit"] {
        let file = File::new();
        let run = RunIdentity { pipeline: point.to_owned(), ..run("one") };
        let values = table("v: n int64, x numeric", &["n"]);
        file.load_by(&run, &values, &["1|1", "2|2"]).await;
        let mut failing = file.start(&run).await;
        let wider = table("v: n int64, x numeric, y text", &["n"]);
        failing.open(&wider).await.unwrap();
        write(&mut failing, &wider, &records(&["2|0.12345678901234567890|y", "3|3|y"])).await;
        fail::cfg(format!("duckdb::{point}"), &format!("return({point})")).unwrap();
        let error = failing.commit(&state("{\"lost\":1}")).await.unwrap_err();
        fail::remove(format!("duckdb::{point}"));
        assert_eq!(error.status, Status::Temporary, "{error}");
        assert!(
            failing
                .write(&values.schema.stream, target_testkit::cells::batch(&values.schema, &[]))
                .await
                .is_err()
        );
        drop(failing);
        assert_eq!(file.ask("SELECT list((n, x) ORDER BY n) FROM v"), "[(1, 1.0), (2, 2.0)]", "{point}");
        assert_eq!(file.ask("SELECT count(*) FROM duckdb_columns() WHERE table_name = 'v'"), "2", "{point}");
        assert_eq!(file.ask("SELECT state FROM _tapster_state"), "{}", "{point}");
    }
}

#[tokio::test]
async fn a_lost_reply_is_settled_by_the_state_row() {
    let file = File::new();
    let run = RunIdentity { pipeline: "after_commit".to_owned(), ..run("one") };
    let values = table("v: n int64", &[]);
    let mut losing = file.start(&run).await;
    losing.open(&values).await.unwrap();
    write(&mut losing, &values, &records(&["1"])).await;
    fail::cfg("duckdb::after_commit", "return(after_commit)").unwrap();
    losing.commit(&state("{\"n\":1}")).await.unwrap_err();
    fail::remove("duckdb::after_commit");
    drop(losing);
    let mut next = target(&file.path, None);
    assert_eq!(next.resume(&run).await.unwrap().as_deref(), Some("{\"n\":1}"));
    drop(next);
    assert_eq!(file.ask("SELECT list(n) FROM v"), "[1]");
}

#[tokio::test]
async fn shapes_alternate_within_an_epoch_in_their_order() {
    let file = File::new();
    let (a, b) = (table("v: id int64, x int64", &["id"]), table("v: id int64, x text, y json", &["id"]));
    let mut target = file.start(&run("one")).await;
    for (shape, lines) in
        [(&a, &["1|1", "2|2"][..]), (&b, &["1|one|{}", "3|three|~"]), (&a, &["3|33"]), (&b, &["2|two|1"])]
    {
        target.open(shape).await.unwrap();
        write(&mut target, shape, &records(lines)).await;
    }
    target.commit(&state("{}")).await.unwrap();
    drop(target);
    assert_eq!(
        file.ask("SELECT list((id, x, y) ORDER BY id) FROM v"),
        "[(1, one, '{}'), (2, two, 1), (3, 33, NULL)]"
    );
}

/// Keep in the first commit of a run in which all starts over: an older STATE would lie about emptied tables.
#[tokio::test]
async fn when_all_starts_over_the_old_state_goes_with_the_first_commit() {
    let file = File::new();
    let values = table("v: n int64", &[]);
    file.load(&values, &["1"]).await;
    let mut target = file.start(&RunIdentity { full_refresh: FullRefresh::All, ..run("two") }).await;
    target.open(&values).await.unwrap();
    write(&mut target, &values, &records(&["2"])).await;
    let keep = target_api::Checkpoint { state: target_api::StateChange::Keep };
    target.commit(&keep).await.unwrap();
    write(&mut target, &values, &records(&["3"])).await;
    target.commit(&state("{\"n\":3}")).await.unwrap();
    target.commit(&keep).await.unwrap();
    drop(target);
    assert_eq!(file.ask("SELECT list(n ORDER BY n) FROM v"), "[2, 3]");
    assert_eq!(file.ask("SELECT state FROM _tapster_state"), "{\"n\":3}");
}

#[tokio::test]
async fn a_target_that_is_given_up_while_it_waits_lets_go_at_once() {
    let file = File::new();
    let _holder = file.start(&run("one")).await;
    let config = serde_json::json!({"path": file.path, "lock_timeout": "1h"}).to_string();
    let mut waiting = target_duckdb::DuckDbTarget::new(&config, None).unwrap();
    // Polled once, then dropped midway, as a signal in the runner would have it.
    let identity = run("two");
    let mut resume = waiting.resume(&identity);
    assert!(
        std::future::poll_fn(|context| std::task::Poll::Ready(resume.as_mut().poll(context)))
            .await
            .is_pending()
    );
    drop(resume);
    drop(waiting);
}
