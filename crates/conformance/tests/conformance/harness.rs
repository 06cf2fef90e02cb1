use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use conformance::{Limits, Program, Report, Verdict};

/// Long enough for a busy machine, short beside what a double that hangs would take.
pub(crate) const LIMITS: Limits =
    Limits { records: 1000, timeout: Duration::from_secs(20), grace: Duration::from_secs(2) };

/// A double in Python with its fault.
pub(crate) fn double(file: &str, fault: &str) -> Program {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/doubles");
    Program {
        // Without its packages it starts in half the time, and it is started a thousand times.
        argv: vec![python(), "-S".into(), folder.join(file).into(), fault.into()],
        env: None,
        folder,
        config: Some("{}".to_owned()),
        redact: Arc::new(str::to_owned),
    }
}

/// The interpreter itself: what stands on PATH may be a slow script that looks for it.
fn python() -> OsString {
    static PATH: OnceLock<OsString> = OnceLock::new();
    let ask = || {
        let output = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
        OsString::from_vec(output.unwrap().stdout.trim_ascii().to_vec())
    };
    PATH.get_or_init(ask).clone()
}

/// The names of the checks that ended so.
pub(crate) fn names(report: &Report, verdict: Verdict) -> Vec<&'static str> {
    report.checks.iter().filter(|check| check.verdict == verdict).map(|check| check.name).collect()
}

/// Panics unless each check fails on its own double and no other does.
pub(crate) async fn each_fails_alone(
    sound: &Report,
    test: impl AsyncFn(&'static str) -> Report,
    checks: &[&'static str],
) {
    assert_eq!(names(sound, Verdict::Failed), [""; 0], "{sound:#?}");
    let all: Vec<_> = sound.checks.iter().map(|check| check.name).collect();
    assert_eq!(all, checks, "each check has its double");
    for fault in checks {
        let report = test(fault).await;
        assert_eq!(names(&report, Verdict::Failed), [*fault], "{report:#?}");
        let told = format!("{report:?}");
        assert!(!told.contains("secret-value") && !told.contains("4711"), "a record's value is told: {told}");
    }
}
