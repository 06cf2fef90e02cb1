//! A write-ahead log that a killed program left.

use std::path::{Path, PathBuf};

use target_api::{Status, Target as _};

use crate::children::{self, Loading};
use crate::support::{ask, run, target};

/// A file that a killed child left with a log of some size.
fn killed(folder: &Path) -> (PathBuf, PathBuf) {
    let path = folder.join("a.duckdb");
    let log = folder.join("a.duckdb.wal");
    let mut loading = Loading::start(&path);
    assert!(loading.follow(20).is_some());
    loading.kill();
    assert!(std::fs::metadata(&log).unwrap().len() > 1000, "the log is not empty");
    (path, log)
}

#[tokio::test]
async fn a_sound_log_is_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let (path, log) = killed(folder.path());
    let prober = children::prober(folder.path());
    let mut target = target(&path, Some(&prober));
    target.check().await.unwrap();
    assert!(log.exists(), "a check changes nothing");
    let state = target.resume(&run("next")).await.unwrap().unwrap();
    assert!(state.parse::<usize>().unwrap() >= 3, "{state}");
    drop(target);
    assert!(!log.exists());
}

#[tokio::test]
async fn a_broken_log_is_an_error_with_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let (path, log) = killed(folder.path());
    let prober = children::prober(folder.path());
    let mut bytes = std::fs::read(&log).unwrap();
    // Beyond its first entries, so that there is something to replay before it breaks.
    let middle = bytes.len() / 2;
    bytes[middle..middle + 64].fill(0xAA);
    std::fs::write(&log, &bytes).unwrap();
    let file = std::fs::read(&path).unwrap();
    for _ in 0..2 {
        let mut target = target(&path, Some(&prober));
        for error in [target.check().await.unwrap_err(), target.resume(&run("next")).await.unwrap_err()] {
            assert_eq!((error.code, &error.status), ("E0353", &Status::Permanent), "{error}");
            let hint = error.hint.unwrap();
            assert!(hint.contains(&format!("mv '{0}' '{0}.broken'", log.display())), "{hint}");
        }
    }
    assert_eq!((std::fs::read(&path).unwrap(), std::fs::read(&log).unwrap()), (file, bytes), "as they were");
    // The way out, as the hint has it.
    std::fs::rename(&log, folder.path().join("a.duckdb.wal.broken")).unwrap();
    let mut target = target(&path, Some(&prober));
    children::load(&mut target, |_| {}).await;
    drop(target);
    assert_eq!(ask(&path, "SELECT count(*) = count(DISTINCT n) AND count(*) > 0 FROM events"), "true");
}

#[tokio::test]
async fn a_prober_that_dies_is_a_broken_log_and_one_that_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = killed(folder.path());
    let error = target(&path, Some(Path::new("/bin/false"))).resume(&run("next")).await.unwrap_err();
    assert_eq!(error.code, "E0353");
    let error = target(&path, Some(Path::new("/no/such/program"))).resume(&run("next")).await.unwrap_err();
    assert_eq!(error.code, "E0354");
    assert!(error.message.contains("/no/such/program"), "{error}");
}

/// A copy under another name is another catalog to DuckDB: its log must not hold the old one.
#[tokio::test]
async fn a_copy_under_another_name_replays_its_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.duckdb");
    let copy = folder.path().join("copy.duckdb");
    let mut loading = Loading::start(&path);
    // Far enough for a new column and for a table that was made anew.
    assert!(loading.follow(4 * children::NUMBER_AT + 8).is_some());
    loading.kill();
    std::fs::copy(&path, &copy).unwrap();
    std::fs::copy(folder.path().join("a.duckdb.wal"), folder.path().join("copy.duckdb.wal")).unwrap();
    let mut target = target(&copy, Some(&children::prober(folder.path())));
    children::load(&mut target, |_| {}).await;
    drop(target);
    let all = children::EPOCHS * children::EPOCH;
    assert_eq!(ask(&copy, "SELECT (count(*), count(DISTINCT n)) FROM events"), format!("({all}, {all})"));
}
