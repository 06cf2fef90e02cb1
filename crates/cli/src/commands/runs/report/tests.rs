use chrono::{DateTime, Utc};
use store::{PipelineName, Run, RunFailure, RunId, RunStatus, StreamFigures};

use super::{Past, render};

fn at(text: &str) -> DateTime<Utc> {
    format!("2026-07-01T{text}Z").parse().unwrap()
}

fn run(status: RunStatus) -> Run {
    Run {
        id: RunId::parse("01990c2f-4a1b-7000-8000-0123456789ab").unwrap(),
        name: PipelineName::new("prod", "app"),
        tap: "tap-postgres".into(),
        target: "target-postgres".into(),
        pid: 4711,
        host: "loader".into(),
        started: at("03:10:00"),
        ended: Some(at("03:13:12")),
        status,
        exit_code: Some(0),
        failure: None,
        log: "/p/.tapster/runs/x".into(),
        state_before: None,
        state_after: None,
        streams: vec![
            StreamFigures {
                stream: "shop-orders".into(),
                place: "ods_shop.orders".into(),
                records_read: 412_009,
                records_written: 412_009,
                bytes: 90_000_000,
                seconds: 180.2,
                bookmark_before: Some("\"2026-06-30\"".into()),
                bookmark_after: Some("\"2026-07-01\"".into()),
                ..StreamFigures::default()
            },
            StreamFigures { stream: "crm-contacts".into(), records_read: 3, ..StreamFigures::default() },
        ],
    }
}

fn plain(run: &Run, last_success: Option<DateTime<Utc>>) -> String {
    let past = Past { failing_since: at("02:30:00"), last_success };
    anstream::adapter::strip_str(&render(run, &past)).to_string()
}

#[test]
fn a_failed_run_says_whose_fault_what_is_safe_and_what_to_type() {
    let failure = RunFailure {
        code: "E0401".into(),
        text: "the tap exited 1 after its last STATE".into(),
        hint: Some("the standby cancels long reads: read the primary".into()),
        tap_said: Some("FATAL: terminating connection\nDETAIL: conflict with recovery\n".into()),
        target_said: None,
    };
    let failed = Run { exit_code: Some(76), failure: Some(failure), ..run(RunStatus::Failed) };
    insta::assert_snapshot!(plain(&failed, Some(at("02:00:00"))));
}

#[test]
fn a_lost_run_claims_no_numbers() {
    let failure =
        RunFailure { code: "E0509".into(), text: "the run's process ended".into(), ..RunFailure::default() };
    let lost = Run { exit_code: None, failure: Some(failure), streams: Vec::new(), ..run(RunStatus::Lost) };
    insta::assert_snapshot!(plain(&lost, None));
}

#[test]
fn a_good_run_is_told_in_a_few_lines() {
    insta::assert_snapshot!(plain(&run(RunStatus::Succeeded), None));
}
