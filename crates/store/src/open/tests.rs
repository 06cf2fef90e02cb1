use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Barrier;

use rusqlite::Connection;

use crate::{NewState, PipelineName, RunFilter, StateCause, Store, StoreError};

fn state(sequence: i64) -> NewState {
    let text = format!("{{\"bookmarks\": {{\"{}\": {sequence}}}}}", "x".repeat(2000));
    NewState { sequence, run: None, state: Some(text), how: StateCause::Run }
}

#[test]
fn the_folder_is_private_and_kept_out_of_git() {
    let project = tempfile::tempdir().unwrap();
    let store = Store::open(project.path()).unwrap();
    let mode = fs::metadata(store.folder()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    assert_eq!(fs::read_to_string(store.folder().join(".gitignore")).unwrap(), "*\n");
}

#[test]
fn what_was_written_is_there_when_opened_again() {
    let project = tempfile::tempdir().unwrap();
    let name = PipelineName::new("", "flights");
    Store::open(project.path()).unwrap().put_state(&name, &state(7)).unwrap();
    let latest = Store::open(project.path()).unwrap().latest_state(&name).unwrap().unwrap();
    assert_eq!(latest.state, state(7).state);
}

#[test]
fn many_may_open_a_new_folder_at_once() {
    let project = tempfile::tempdir().unwrap();
    let barrier = Barrier::new(16);
    std::thread::scope(|scope| {
        for number in 0..16 {
            let (barrier, project) = (&barrier, &project);
            scope.spawn(move || {
                barrier.wait();
                let store = Store::open(project.path()).unwrap();
                store.put_state(&PipelineName::new("", "p"), &state(number)).unwrap();
            });
        }
    });
    let store = Store::open(project.path()).unwrap();
    assert_eq!(store.state_history(&PipelineName::new("", "p"), None).unwrap().len(), 16);
}

#[test]
fn a_newer_ledger_is_refused_and_left_as_it_is() {
    let project = tempfile::tempdir().unwrap();
    let ledger = Store::open(project.path()).unwrap().folder().join("ledger.sqlite");
    Connection::open(&ledger).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = Store::open(project.path()).unwrap_err();
    assert_eq!(error.code(), "E0501");
    assert!(error.to_string().contains("ledger.sqlite was written by a newer tapster"), "{error}");
    let found: i64 = Connection::open(&ledger)
        .unwrap()
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    assert_eq!(found, 99);
}

#[test]
fn what_is_no_ledger_is_refused_and_left_as_it_is() {
    for content in [b"".as_slice(), b"hello, I am a text file that somebody put here", &[0; 8192]] {
        let project = tempfile::tempdir().unwrap();
        fs::create_dir(project.path().join(".tapster")).unwrap();
        let ledger = project.path().join(".tapster/ledger.sqlite");
        fs::write(&ledger, content).unwrap();
        let error = Store::open(project.path()).unwrap_err();
        assert_eq!(error.code(), "E0502", "{error}");
        assert!(error.hint().unwrap().contains("takes the STATE from the target"));
        assert_eq!(fs::read(&ledger).unwrap(), content);
    }
}

#[test]
fn another_programs_database_is_refused() {
    let project = tempfile::tempdir().unwrap();
    fs::create_dir(project.path().join(".tapster")).unwrap();
    let ledger = project.path().join(".tapster/ledger.sqlite");
    Connection::open(&ledger).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    assert_eq!(Store::open(project.path()).unwrap_err().code(), "E0502");
}

/// A ledger with its log folded back in, so that the file alone is the whole of it.
fn ledger_with_history() -> Vec<u8> {
    let project = tempfile::tempdir().unwrap();
    let store = Store::open(project.path()).unwrap();
    for sequence in 0..12 {
        store.put_state(&PipelineName::new("", "p"), &state(sequence)).unwrap();
    }
    let ledger = store.folder().join("ledger.sqlite");
    drop(store);
    fs::read(ledger).unwrap()
}

/// What a person is told of a ledger with this content: its states, or the error.
fn look_at(content: &[u8]) -> Result<Vec<Option<String>>, StoreError> {
    let project = tempfile::tempdir().unwrap();
    fs::create_dir(project.path().join(".tapster")).unwrap();
    fs::write(project.path().join(".tapster/ledger.sqlite"), content).unwrap();
    let store = Store::open(project.path())?;
    store.list_runs(&RunFilter::default())?;
    let history = store.state_history(&PipelineName::new("", "p"), None)?;
    Ok(history.into_iter().map(|entry| entry.state).collect())
}

#[test]
fn a_cut_ledger_is_never_taken_for_a_shorter_history() {
    let whole = ledger_with_history();
    let told = look_at(&whole).unwrap();
    assert_eq!(told.len(), 12);
    let places = (0..whole.len()).step_by(509).chain([1, 99, 100, whole.len() - 1]);
    for length in places {
        match look_at(&whole[..length]) {
            Ok(states) => assert_eq!(states, told, "cut at {length}"),
            Err(error) => assert!(error.to_string().contains("ledger.sqlite"), "{error}"),
        }
    }
}

#[test]
fn a_flipped_bit_in_a_state_is_never_shown_as_the_state() {
    let whole = ledger_with_history();
    let told = look_at(&whole).unwrap();
    let mut found = 0;
    for place in (0..whole.len()).step_by(331) {
        let mut flipped = whole.clone();
        flipped[place] ^= 1;
        match look_at(&flipped) {
            Ok(states) => assert_eq!(states, told, "bit at {place}"),
            Err(error) => {
                assert!(error.to_string().contains("ledger.sqlite"), "{error}");
                found += 1;
            }
        }
    }
    assert!(found > 20, "only {found} flips were noticed");
}

/// A ledger as the first format left it.
#[test]
fn an_older_ledger_is_brought_forward_with_all_that_it_holds() {
    let project = tempfile::tempdir().unwrap();
    let name = PipelineName::new("", "flights");
    let ledger = {
        let store = Store::open(project.path()).unwrap();
        store.put_state(&name, &state(7)).unwrap();
        store.folder().join("ledger.sqlite")
    };
    let connection = Connection::open(&ledger).unwrap();
    let since = "ALTER TABLE run_streams DROP COLUMN merged; DROP TABLE kept; \
                 ALTER TABLE runs DROP COLUMN target_said; DROP TABLE kept_states";
    connection.execute_batch(since).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    drop(connection);
    let store = Store::open(project.path()).unwrap();
    assert_eq!(store.latest_state(&name).unwrap().unwrap().state, state(7).state);
    store.put_state(&name, &NewState { how: StateCause::Rollback, ..state(8) }).unwrap();
    assert_eq!(store.latest_state(&name).unwrap().unwrap().how, StateCause::Rollback);
}
