//! Success means: exit 0, stream whole, everything committed. Anything else is a failure of one kind.

use std::time::Duration;

use runner::{ProgramFailure, RunError, RunEvent, StopSignal, TapFailure};

use crate::harness::Harness;

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_end_commits_what_came_after_the_last_state() {
    let mut run = Harness::python("record(1); state({'n': 1}); record(2)");
    let summary = run.run().await;
    assert!(summary.error.is_none(), "{:?}", summary.error);
    assert_eq!((run.numbers(), run.state()), (vec!["1".into(), "2".into()], Some(r#"{"n": 1}"#.into())));
    assert_eq!((summary.streams[0].records_read, summary.streams[0].records_written), (2, 2));
}

/// I7
#[tokio::test(flavor = "multi_thread")]
async fn a_bad_exit_after_good_checkpoints_is_a_failure_that_resumes() {
    let mut run = Harness::python(
        "start = json.load(open(args['--state']))['n'] if '--state' in args else 0\n\
         record(start + 1); state({'n': start + 1}); record(99)\n\
         sys.exit(3 if start == 0 else 0)",
    );
    let summary = run.run().await;
    assert!(
        matches!(summary.error, Some(RunError::Tap(TapFailure::Exited { code: 3, records: Some(2) }))),
        "{:?}",
        summary.error
    );
    assert_eq!(
        (summary.exit_code(), run.numbers()),
        (76, vec!["1".to_owned()]),
        "what came after the STATE is dropped"
    );
    assert_eq!(summary.streams[0].records_written, 1);
    assert!(run.run().await.error.is_none());
    assert_eq!(run.numbers(), ["1", "2", "99"], "the next run goes on from the STATE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_tap_is_named_as_killed_though_its_last_line_is_cut() {
    let mut run = Harness::python(
        "record(1); state(1); sys.stdout.write('{\"type\": \"RECORD\", \"str'); sys.stdout.flush()\nos.kill(os.getpid(), signal.SIGKILL)",
    );
    let summary = run.run().await;
    assert!(
        matches!(summary.error, Some(RunError::Tap(TapFailure::Signalled { signal: 9, .. }))),
        "{:?}",
        summary.error
    );
    assert_eq!(run.numbers(), ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_line_is_a_failure_even_when_the_tap_says_success() {
    let mut run = Harness::python(
        "record(1); state(1); sys.stdout.write('{\"type\": \"RECORD\", \"stream\": \"a\", \"rec')",
    );
    let summary = run.run().await;
    assert_eq!(summary.error.as_ref().map(RunError::code), Some("E0204"), "{:?}", summary.error);
    assert_eq!((summary.exit_code(), run.numbers()), (65, vec!["1".to_owned()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_keeps_the_last_checkpoint() {
    let mut run = Harness::python("record(1); state(1); record(2); say('Starting sync'); time.sleep(60)");
    let summary = run.run().await;
    assert_eq!(summary.error.as_ref().map(RunError::code), Some("E0203"));
    assert_eq!(run.numbers(), ["1"]);
    assert!(summary.elapsed < Duration::from_secs(30), "the tap was ended, not waited for");
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_a_failure_and_its_last_state_is_kept() {
    let mut run = Harness::python("record(1); state(1); record(2); time.sleep(60)");
    // Long enough for Python to start on a busy machine.
    run.plan.limits.idle_timeout = Duration::from_secs(10);
    run.plan.limits.decode.checkpoint_bytes = u64::MAX;
    let summary = run.run().await;
    assert!(matches!(summary.error, Some(RunError::Tap(TapFailure::Silent(_)))), "{:?}", summary.error);
    assert_eq!((summary.exit_code(), run.numbers()), (124, vec!["1".to_owned()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_ends_a_run_at_its_last_state() {
    let mut run = Harness::python("n = 0\nwhile True:\n  n += 1; record(n); state(n)");
    run.plan.limits.timeout = Some(Duration::from_secs(5));
    let summary = run.run().await;
    assert!(matches!(summary.error, Some(RunError::Timeout(_))), "{:?}", summary.error);
    assert_eq!(Some(run.numbers().len().to_string()), run.state(), "rows and STATE agree");
    assert!(
        summary.elapsed < Duration::from_secs(20),
        "what one read held was not all loaded: {:?}",
        summary.elapsed
    );
}

/// What a signal interrupts is complete up to a STATE, and the tap is gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_signal_commits_the_last_checkpoint() {
    for (signal, code) in [(StopSignal::Terminate, 143), (StopSignal::Interrupt, 130)] {
        let mut run = Harness::python("n = 0\nwhile True:\n  n += 1; record(n); state(n)");
        let signals = run.signals.clone();
        let summary = run
            .run_hearing(move |event| {
                if matches!(event, RunEvent::Checkpointed { sequence: 3.., .. }) {
                    let _ = signals.try_send(signal);
                }
            })
            .await;
        // The sender fires at every later checkpoint, too: the second signal is the hard stop.
        assert!(matches!(summary.error, Some(RunError::Cancelled(_))), "{:?}", summary.error);
        assert_eq!(summary.exit_code(), code);
        assert_eq!(Some(run.numbers().len().to_string()), run.state());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tap_that_closes_its_output_first_may_take_its_time() {
    let mut run = Harness::python("record(1); state(1); os.close(1); time.sleep(0.5); os._exit(0)");
    let summary = run.run().await;
    assert!(summary.error.is_none(), "{:?}", summary.error);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_lines_before_an_exit_are_never_lost() {
    let mut run = Harness::python(
        "sys.stdout.write(''.join(json.dumps({'type':'RECORD','stream':'a','record':{'n':i}})+'\\n' for i in range(7000))); sys.stdout.flush(); os._exit(0)",
    );
    for round in 1..=5 {
        assert!(run.run().await.error.is_none());
        assert_eq!(run.numbers().len(), 7000 * round);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_program_is_named_before_anything_starts() {
    let mut run = Harness::python("");
    run.plan.tap.argv[0] = "tap-that-is-nowhere".into();
    let summary = run.run().await;
    assert!(
        matches!(
            summary.error,
            Some(RunError::Program(ProgramFailure::NotFound { searched: Some(1..), .. }))
        ),
        "{:?}",
        summary.error
    );
    run.plan.tap.argv = vec![run.folder.path().join("broken").into()];
    std::fs::write(run.folder.path().join("broken"), "#!/no/such/python\n").unwrap();
    std::fs::set_permissions(
        run.folder.path().join("broken"),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    let summary = run.run().await;
    assert!(
        matches!(summary.error, Some(RunError::Program(ProgramFailure::NotStarted { .. }))),
        "{:?}",
        summary.error
    );
    assert_eq!(summary.exit_code(), 78);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_new_commits_nothing() {
    let mut run = Harness::python("if '--state' not in args: record(1)\nstate({'n': 1})");
    assert!(run.run().await.error.is_none());
    let commits = run.faults.calls(target_testkit::faulty::Operation::Commit);
    let summary = run.run().await;
    assert!(summary.error.is_none(), "{:?}", summary.error);
    assert_eq!(
        (run.faults.calls(target_testkit::faulty::Operation::Commit), summary.sequence),
        (commits, None)
    );
    assert_eq!(run.numbers(), ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_state_is_bounded() {
    let mut run = Harness::python("n = 0\nwhile True:\n  n += 1; record(n)");
    run.plan.limits.max_staged = 100_000;
    run.plan.limits.decode.batch_bytes = 1;
    let summary = run.run().await;
    assert_eq!(summary.error.as_ref().map(RunError::code), Some("E0414"), "{:?}", summary.error);
    assert_eq!((summary.exit_code(), run.numbers().len()), (76, 0));
}
