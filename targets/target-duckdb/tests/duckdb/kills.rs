//! Kill it anywhere, run it again: the tables are those of an uninterrupted run.

use std::path::Path;

use crate::children::{self, COLUMN_AT, EPOCH, EPOCHS, KEYS, Loading, amount};
use crate::support::{ask, target};

/// Fails unless the file holds all that the epochs up to the one of its STATE say, once.
fn assert_whole(path: &Path) -> usize {
    let state = ask(path, "SELECT coalesce(max(state), '') FROM _tapster_state");
    let Ok(last) = state.parse::<usize>() else { return 0 };
    let records = (last + 1) * EPOCH;
    let events = "SELECT (count(*), count(DISTINCT n), min(n), max(n), count(note)) FROM events";
    assert_eq!(ask(path, events), format!("({records}, {records}, 0, {}, {records})", records - 1));
    let orders = "SELECT (count(*), count(DISTINCT id), min(n), max(n)) FROM orders";
    let first = records - KEYS;
    assert_eq!(ask(path, orders), format!("({KEYS}, {KEYS}, {first}, {})", records - 1));
    let amounts = ask(path, "SELECT list(CAST(amount AS VARCHAR) ORDER BY n) FROM orders");
    let expected: Vec<String> = (first..records).map(amount).collect();
    assert_eq!(amounts, format!("[{}]", expected.join(", ")));
    if last >= COLUMN_AT {
        let wrong = format!("SELECT count(*) FROM orders WHERE extra IS DISTINCT FROM n // {EPOCH}");
        assert_eq!(ask(path, &format!("{wrong} AND n >= {}", COLUMN_AT * EPOCH)), "0");
    }
    last + 1
}

#[tokio::test]
async fn a_run_that_is_killed_anywhere_is_finished_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.duckdb");
    let prober = children::prober(folder.path());
    let mut kills = 0;
    // Each child lives for a few steps more or less, so that kills meet every kind of step.
    for steps in (1..=11).cycle() {
        let mut loading = Loading::start(&path);
        let last = loading.follow(steps);
        loading.kill();
        if last.is_none() {
            break;
        }
        kills += 1;
        // As the next run would: a child looks first, then the file is opened and its log replayed.
        if path.exists() {
            use target_api::Target as _;
            target(&path, Some(&prober)).check().await.unwrap();
            assert_whole(&path);
        }
    }
    assert!(kills > 15, "{kills} kills");
    assert_eq!(assert_whole(&path), EPOCHS);
    let mut left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["a.duckdb", "prober"]);
}
