//! Memory does not grow with what is loaded.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use target_api::columns::arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use target_api::{Table, Target as _};

use crate::support::{ask, run, state, table, target};

const PATH: &str = "TAPSTER_TEST_MEMORY";
const BATCHES: i64 = 30;
const RECORDS: i64 = 50_000;

fn batch(table: &Table, first: i64) -> RecordBatch {
    let ids = first..first + RECORDS;
    let text =
        |id: i64| format!("a text of some length for record {id}, which is {}", id.wrapping_mul(0x9E37_79B9));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(ids.clone())),
        Arc::new(StringArray::from_iter_values(ids.clone().map(text))),
        Arc::new(StringArray::from_iter_values(ids.map(|id| text(id + 1)))),
    ];
    RecordBatch::try_new(table.schema.arrow(), columns).unwrap()
}

/// The most memory that this process has used, in KiB.
fn most_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Does nothing unless the test below has started it, in a process of its own.
#[test]
fn the_child_that_loads_much() {
    let Some(path) = std::env::var_os(PATH).map(PathBuf::from) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut target = target(&path, None);
        let orders = table("orders: id int64, a text, b text", &["id"]);
        target.resume(&run("one")).await.unwrap();
        target.open(&orders).await.unwrap();
        for at in 0..BATCHES {
            target.write(&orders.schema.stream, batch(&orders, at * RECORDS)).await.unwrap();
        }
        target.commit(&state("{}")).await.unwrap();
    });
    println!("most {}", most_memory());
}

#[test]
fn one_epoch_of_a_million_records_stays_small() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.duckdb");
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "memory::the_child_that_loads_much", "--nocapture"]).env(PATH, &path);
    let said = String::from_utf8(child.output().unwrap().stdout).unwrap();
    let most: u64 = said.split_once("most ").unwrap().1.lines().next().unwrap().parse().unwrap();
    assert!(most < 256 * 1024, "{most} KiB");
    let all = BATCHES * RECORDS;
    assert_eq!(ask(&path, "SELECT (count(*), count(DISTINCT id)) FROM orders"), format!("({all}, {all})"));
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["a.duckdb"]);
}
