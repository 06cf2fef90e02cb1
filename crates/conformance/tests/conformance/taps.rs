use std::time::Duration;

use conformance::{ConformanceError, Limits, Report, TapTest, Verdict, test_tap};

use crate::harness::{LIMITS, double, each_fails_alone, names};

const CHECKS: [&str; 17] = [
    "discovery",
    "catalog",
    "schemas",
    "exit",
    "messages",
    "message-types",
    "schema-first",
    "selection",
    "records",
    "keys",
    "unique-keys",
    "state",
    "last-state",
    "resume",
    "sigterm",
    "closed-pipe",
    "processes",
];

async fn tested(fault: &str, limits: Limits) -> Report {
    let select = |stream: &str| stream == "people" || fault == "last-state";
    let test = TapTest { catalog: None, select: Some(&select) };
    test_tap(&double("tap.py", fault), &test, limits).await.unwrap()
}

#[tokio::test]
async fn each_check_of_a_tap_fails_on_its_double_and_no_other_does() {
    let sound = tested("nothing", LIMITS).await;
    assert_eq!(names(&sound, Verdict::Skipped), [""; 0], "{sound:#?}");
    each_fails_alone(&sound, async |fault| tested(fault, LIMITS).await, &CHECKS).await;
}

#[tokio::test]
async fn a_sample_is_judged_by_what_came_and_the_rest_is_left_open() {
    let report = tested("exit", Limits { records: 2, ..LIMITS }).await;
    assert_eq!(names(&report, Verdict::Failed), [""; 0], "{report:#?}");
    assert_eq!(
        names(&report, Verdict::Skipped),
        ["exit", "state", "last-state", "resume", "processes"],
        "{report:#?}"
    );
}

#[tokio::test]
async fn a_tap_that_says_nothing_is_not_waited_for_longer_than_the_timeout() {
    let mut silent = double("tap.py", "nothing");
    silent.argv = vec![
        "sh".into(),
        "-c".into(),
        "test $2 = --discover || exec sleep 60; echo '{\"streams\":[]}'".into(),
        "tap".into(),
    ];
    silent.config = None;
    let limits = Limits { timeout: Duration::from_secs(1), grace: Duration::from_millis(100), records: 1 };
    let report = test_tap(&silent, &TapTest::default(), limits).await.unwrap();
    let exit = report.checks.iter().find(|check| check.name == "exit").unwrap();
    assert_eq!(
        (exit.verdict, exit.found.starts_with("it said nothing")),
        (Verdict::Failed, true),
        "{report:#?}"
    );
}

#[tokio::test]
async fn what_cannot_be_tested_is_an_error_and_no_verdict() {
    let nobody = |_: &str| false;
    let test = TapTest { catalog: None, select: Some(&nobody) };
    let error = test_tap(&double("tap.py", "nothing"), &test, LIMITS).await.unwrap_err();
    assert!(matches!(error, ConformanceError::NothingSelected), "{error}");
    let mut missing = double("tap.py", "nothing");
    missing.argv = vec!["./no-such-tap".into()];
    let error = test_tap(&missing, &TapTest::default(), LIMITS).await.unwrap_err();
    assert_eq!(error.code(), "E0490");
}
