//! Only temporary errors of the target are tried again, from the committed STATE.

use runner::{RunError, RunEvent};
use target_api::{FullRefresh, Status};
use target_testkit::faulty::{Fault, Operation};

use crate::harness::Harness;

/// Ten records, a STATE after each, going on from the STATE.
const TEN: &str = "start = json.load(open(args['--state'])) if '--state' in args else 0\n\
                   for n in range(start + 1, 11): record(n); state(n)";

fn ten() -> Vec<String> {
    (1..=10).map(|n| n.to_string()).collect()
}

/// I8, in small: whatever call fails, each record is there once.
#[tokio::test(flavor = "multi_thread")]
async fn a_temporary_error_anywhere_leaves_every_record_once() {
    for operation in
        [Operation::Check, Operation::Resume, Operation::Open, Operation::Write, Operation::Commit]
    {
        for lost_reply in [false, true] {
            // A lost reply of a commit is settled by the target itself: the contract leaves none to the runner.
            if lost_reply && operation == Operation::Commit {
                continue;
            }
            let mut run = Harness::python(TEN);
            let fault = if lost_reply {
                Fault::FailAfter(Status::Temporary)
            } else {
                Fault::Reject(Status::Temporary)
            };
            run.faults.plan(operation, 1, fault);
            let summary = run.run().await;
            assert!(summary.error.is_none(), "{operation:?}: {:?}", summary.error);
            assert_eq!(run.numbers(), ten(), "{operation:?}, lost reply: {lost_reply}");
            assert_eq!(summary.streams[0].records_written, 10, "{operation:?}");
        }
    }
}

/// The time of a run is that of its attempts, and of the pauses between them.
#[tokio::test(flavor = "multi_thread")]
async fn the_time_of_attempts_adds_up() {
    let mut run = Harness::python(TEN);
    run.faults.plan(Operation::Open, 1, Fault::Reject(Status::Temporary));
    // The one commit that comes after the tap's exit counts, too.
    run.plan.limits.decode.checkpoint_bytes = u64::MAX;
    let summary = run.run().await;
    assert!(summary.error.is_none(), "{:?}", summary.error);
    let time = summary.time_spent;
    let pauses = run.plan.limits.attempts.0[0].as_secs_f64();
    assert!((time.pausing - pauses).abs() < f64::EPSILON, "{time:?}");
    let parts = [time.connecting, time.starting, time.waiting_for_tap, time.decoding, time.committing];
    assert!(parts.iter().all(|part| *part > 0.0), "{time:?}");
    let whole = time.discovering + summary.elapsed.as_secs_f64();
    assert!((time.whole() - whole).abs() < 1e-6, "{time:?} of {whole}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permanent_error_is_the_cause_and_not_the_taps_broken_pipe() {
    let mut run = Harness::python("n = 0\nwhile True:\n  n += 1; record(n); state(n)");
    run.faults.plan(Operation::Write, 2, Fault::Reject(Status::Permanent));
    let summary = run.run().await;
    assert!(
        matches!(&summary.error, Some(RunError::Target(error)) if error.code == "FAULT"),
        "{:?}",
        summary.error
    );
    assert_eq!(
        (summary.exit_code(), run.numbers(), run.state()),
        (69, vec!["1".to_owned()], Some("1".to_owned()))
    );
    assert_eq!(run.faults.calls(Operation::Resume), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn patience_ends() {
    let mut run = Harness::python(TEN);
    for nth in 1..=4 {
        run.faults.plan(Operation::Resume, nth, Fault::Reject(Status::Temporary));
    }
    let summary = run.run().await;
    assert!(summary.error.is_some());
    assert_eq!(run.faults.calls(Operation::Resume), 4, "one attempt and three more");
}

/// A full refresh empties the table once, however often the tap is started again.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_refresh_survives_a_retry() {
    let mut run = Harness::python(TEN);
    assert!(run.run().await.error.is_none());
    run.plan.identity.full_refresh = FullRefresh::All;
    run.plan.start_edit = std::sync::Arc::new(|_| Ok(None));
    run.faults.plan(
        Operation::Commit,
        run.faults.calls(Operation::Commit) + 4,
        Fault::Reject(Status::Temporary),
    );
    let summary = run.run().await;
    assert!(summary.error.is_none(), "{:?}", summary.error);
    assert_eq!(run.numbers(), ten());
    assert!(run.events.lock().unwrap().iter().any(|event| matches!(event, RunEvent::Retrying { .. })));
}
