//! A tap that goes on for ever: asked to end, it has the last word.

use std::time::Duration;

use load::DecodeLimits;
use runner::{RunError, RunEvent, RunSummary, StopSignal, TapFailure};

use crate::harness::Harness;

/// A run of a tap that idles behind its first STATE and, when asked to end, does this. It is asked at the first commit,
/// which comes by the age of that STATE alone.
async fn asked(at_the_end: &str) -> (Harness, RunSummary) {
    let mut run = Harness::python(&format!(
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n\
         record(int(os.environ['TAPSTER_CONTINUOUS'])); state(1); record(2)\n\
         signal.sigwait([signal.SIGTERM])\n\
         {at_the_end}"
    ));
    run.plan.continuous = true;
    run.plan.limits.timeout = None;
    run.plan.limits.decode =
        DecodeLimits { checkpoint_every: Duration::from_millis(10), ..DecodeLimits::default() };
    let signals = run.signals.clone();
    let summary = run
        .run_hearing(move |event| {
            if matches!(event, RunEvent::Checkpointed { state: Some(state), .. } if state == "1") {
                signals.try_send(StopSignal::Terminate).unwrap();
            }
        })
        .await;
    (run, summary)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_tap_says_when_it_is_asked_to_end_is_kept_up_to_its_last_state() {
    let (run, summary) = asked("record(3); state(3); record(4); sys.exit(0)").await;
    assert!(summary.error.is_none(), "{:?}", summary.error);
    assert_eq!(
        (run.numbers(), run.state()),
        (["1", "2", "3"].map(str::to_owned).to_vec(), Some("3".to_owned()))
    );
    assert_eq!((summary.exit_code(), summary.streams[0].records_written), (0, 3));
    assert_eq!(run.private(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tap_that_does_not_end_well_when_asked_is_a_stop_by_the_signal() {
    for at_the_end in [
        "record(3); state(3); sys.exit(1)",
        "record(3); state(3); signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM]); os.kill(os.getpid(), signal.SIGTERM)",
        "record(3); state(3); sys.stdout.write('{\"type\": \"REC'); sys.stdout.flush(); os._exit(1)",
    ] {
        let (run, summary) = asked(at_the_end).await;
        assert!(
            matches!(summary.error, Some(RunError::Cancelled(StopSignal::Terminate))),
            "{at_the_end}: {:?}",
            summary.error
        );
        assert_eq!((summary.exit_code(), run.state().as_deref()), (143, Some("3")), "{at_the_end}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tap_that_does_not_end_when_asked_is_killed() {
    let mut run = Harness::python(
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); record(1); state(1)\nwhile True: time.sleep(60)",
    );
    (run.plan.continuous, run.plan.limits.grace) = (true, Duration::from_millis(100));
    let signals = run.signals.clone();
    let summary = run
        .run_hearing(move |event| {
            if matches!(event, RunEvent::Checkpointed { .. }) {
                signals.try_send(StopSignal::Interrupt).unwrap();
            }
        })
        .await;
    assert!(matches!(summary.error, Some(RunError::Cancelled(StopSignal::Interrupt))), "{:?}", summary.error);
    assert_eq!((run.numbers(), run.private()), (vec!["1".to_owned()], 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tap_that_ends_by_itself_ends_the_run_as_ever() {
    let mut run = Harness::python("record(1); state(1); record(2)");
    run.plan.continuous = true;
    assert!(run.run().await.error.is_none());
    assert_eq!(run.numbers(), ["1", "2"]);
    let mut run = Harness::python("record(1); state(1); sys.exit(3)");
    run.plan.continuous = true;
    let error = run.run().await.error;
    assert!(matches!(error, Some(RunError::Tap(TapFailure::Exited { code: 3, .. }))), "{error:?}");
}
