use proptest::prelude::*;
use rusqlite::Connection;

use crate::{Kept, NewState, PipelineName, RunId, StateCause, Store};

fn new(sequence: i64, state: Option<&str>, how: StateCause) -> NewState {
    NewState { sequence, run: None, state: state.map(str::to_owned), how }
}

#[test]
fn the_history_is_newest_first_and_a_pipeline_s_own() {
    let project = tempfile::tempdir().unwrap();
    let store = Store::open(project.path()).unwrap();
    let (dev, prod) = (PipelineName::new("dev", "p"), PipelineName::new("prod", "p"));
    let run = RunId::generate();
    store.put_state(&dev, &new(1, Some("{}"), StateCause::Run)).unwrap();
    store
        .put_state(&dev, &NewState { run: Some(run), ..new(2, Some("{\"a\":1}"), StateCause::Run) })
        .unwrap();
    store.put_state(&prod, &new(9, Some("{\"b\":1}"), StateCause::Set)).unwrap();
    store.put_state(&dev, &new(3, None, StateCause::Clear)).unwrap();

    let history = store.state_history(&dev, None).unwrap();
    assert_eq!(history.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), [3, 2, 1]);
    assert_eq!(history[0].state, None);
    assert_eq!(history[1].run, Some(run.to_string()));
    assert_eq!(store.state_history(&dev, Some(1)).unwrap().len(), 1);
    assert_eq!(store.latest_state(&prod).unwrap().unwrap().how, StateCause::Set);
    let listed = store.list_states().unwrap();
    assert_eq!(
        listed.iter().map(|entry| (&entry.name, entry.sequence)).collect::<Vec<_>>(),
        [(&dev, 3), (&prod, 9)]
    );
}

#[test]
fn a_renamed_pipeline_takes_its_history_along() {
    let project = tempfile::tempdir().unwrap();
    let store = Store::open(project.path()).unwrap();
    let (old, name) = (PipelineName::new("", "old"), PipelineName::new("", "new"));
    store.put_state(&old, &new(4, Some("{\"x\":1}"), StateCause::Run)).unwrap();
    store.rename_pipeline(&old, &name, &new(5, Some("{\"x\":1}"), StateCause::Move)).unwrap();
    let history = store.state_history(&name, None).unwrap();
    assert_eq!(
        history.iter().map(|entry| entry.how).collect::<Vec<_>>(),
        [StateCause::Move, StateCause::Run]
    );
    assert!(store.state_history(&old, None).unwrap().is_empty());
}

#[test]
fn a_rename_never_mixes_two_histories() {
    let project = tempfile::tempdir().unwrap();
    let store = Store::open(project.path()).unwrap();
    let (old, taken) = (PipelineName::new("", "old"), PipelineName::new("", "taken"));
    for name in [&old, &taken] {
        store.put_state(name, &new(1, Some("{}"), StateCause::Run)).unwrap();
    }
    let error = store.rename_pipeline(&old, &taken, &new(2, Some("{}"), StateCause::Move)).unwrap_err();
    assert_eq!(error.code(), "E0508");
    assert_eq!(store.check_new_name(&old, &taken).unwrap_err().code(), "E0508");
    assert_eq!(store.state_history(&old, None).unwrap().len(), 1);
    assert_eq!(store.state_history(&taken, None).unwrap().len(), 1);
    // As the hint says: clear it first. What was kept for that name goes, too.
    store.put_state(&taken, &new(3, None, StateCause::Clear)).unwrap();
    for name in [&old, &taken] {
        store.keep(name, Kept::Catalog, &name.pipeline).unwrap();
    }
    store.check_new_name(&old, &taken).unwrap();
    store.rename_pipeline(&old, &taken, &new(2, Some("{}"), StateCause::Move)).unwrap();
    let causes: Vec<_> =
        store.state_history(&taken, None).unwrap().iter().map(|entry| (entry.sequence, entry.how)).collect();
    assert_eq!(causes, [(2, StateCause::Move), (1, StateCause::Run)]);
    assert_eq!(store.kept(&taken, Kept::Catalog).unwrap().unwrap().text, "old");
}

#[test]
fn a_state_changed_behind_our_back_is_refused() {
    let project = tempfile::tempdir().unwrap();
    let store = Store::open(project.path()).unwrap();
    let name = PipelineName::new("", "p");
    store.put_state(&name, &new(1, Some("{\"a\":1}"), StateCause::Run)).unwrap();
    let ledger = Connection::open(store.folder().join("ledger.sqlite")).unwrap();
    ledger.execute("UPDATE states SET state = '{\"a\":2}'", []).unwrap();
    assert_eq!(store.latest_state(&name).unwrap_err().code(), "E0502");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn a_state_comes_back_byte_for_byte(texts in proptest::collection::vec("(?s).{0,200}", 1..8)) {
        let project = tempfile::tempdir().unwrap();
        let store = Store::open(project.path()).unwrap();
        let name = PipelineName::new("", "p");
        for text in &texts {
            store.put_state(&name, &new(1, Some(text), StateCause::Run)).unwrap();
        }
        let told: Vec<_> =
            store.state_history(&name, None).unwrap().into_iter().rev().map(|entry| entry.state.unwrap()).collect();
        prop_assert_eq!(told, texts);
    }
}
