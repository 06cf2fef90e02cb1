//! I9: every process and private file that a run made is gone when it ends. And what the tap is given.

use std::time::{Duration, Instant};

use runner::StopSignal;

use crate::harness::Harness;

/// Whether a process is there and no zombie.
fn lives(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    !stat.is_empty() && !stat.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z')
}

/// Waits, by looking, until none of them lives.
fn all_gone(pids: &[String]) -> bool {
    let start = Instant::now();
    while pids.iter().any(|pid| lives(pid)) {
        if start.elapsed() > Duration::from_secs(5) {
            return false;
        }
        std::thread::yield_now();
    }
    true
}

/// Three generations, the last with a session of its own, all ignoring SIGTERM; each writes down its pid.
const FAMILY: &str = r#"
def generation(depth):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if depth == 2: os.setsid()
    open(f"pid{depth}", "w").write(str(os.getpid()))
    if depth < 3 and os.fork() == 0:
        generation(depth + 1)
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_family_of_processes_goes_with_the_run() {
    let body = format!("{FAMILY}\ngeneration(1)\nrecord(1); state(1)\ntime.sleep(120)");
    let mut run = Harness::python(&body);
    run.plan.limits.grace = Duration::from_millis(200);
    let signals = run.signals.clone();
    let folder = run.folder.path().to_owned();
    let summary = run
        .run_hearing(move |event| {
            if matches!(event, runner::RunEvent::Checkpointed { .. }) {
                while !folder.join("pid3").exists() {
                    std::thread::yield_now();
                }
                let _ = signals.try_send(StopSignal::Terminate);
            }
        })
        .await;
    assert_eq!(summary.exit_code(), 143);
    let pids: Vec<String> = (1..=3)
        .map(|n| std::fs::read_to_string(run.folder.path().join(format!("pid{n}"))).unwrap())
        .collect();
    assert!(all_gone(&pids), "{pids:?}");
    assert_eq!(run.private(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_holds_the_output_does_not_hold_the_run() {
    let mut run = Harness::python(
        "record(1); state(1)\nif os.fork() == 0:\n  os.setsid(); open('pid1', 'w').write(str(os.getpid())); time.sleep(120)\nwhile not os.path.exists('pid1'): pass",
    );
    let summary = run.run().await;
    assert!(summary.error.is_none(), "{:?}", summary.error);
    assert!(all_gone(&[std::fs::read_to_string(run.folder.path().join("pid1")).unwrap()]));
}

/// The tap's files are for its eyes only, its arguments hold no secret, its standard input is empty.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_tap_is_given_is_private() {
    let mut run = Harness::python(
        "c = args['--config']; mode = lambda p: os.stat(p).st_mode & 0o777\n\
         assert (mode(c), mode(os.path.dirname(c))) == (0o600, 0o700), (mode(c), mode(os.path.dirname(c)))\n\
         assert json.load(open(c))['secret'] == 'hunter2' and 'hunter2' not in ' '.join(sys.argv)\n\
         assert sys.stdin.read() == '' and 'HOME' not in os.environ\n\
         print('the secret is hunter2', file=sys.stderr); sys.stderr.flush()\n\
         record(1); state({'n': 1}); sys.exit(1)",
    );
    let summary = run.run().await;
    assert_eq!(summary.tap_said, ["the secret is ***"], "an assertion of the tap failed");
    assert_eq!(run.numbers(), ["1"]);
    assert!(!std::fs::read_to_string(&run.plan.tap.log).unwrap().contains("hunter2"));
    assert_eq!(run.private(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_tap_is_told_what_is_committed() {
    let mut run = Harness::python(
        "record(1); state({'n': 1})\npath = os.environ['TAPSTER_COMMITTED_STATE']\n\
         while not os.path.exists(path): pass\nassert json.load(open(path)) == {'n': 1}",
    );
    let summary = run.run().await;
    assert!(summary.error.is_none(), "{:?} {:?}", summary.error, summary.tap_said);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_on_standard_error_never_blocks() {
    let mut run = Harness::python(
        "e = sys.stderr.buffer\nfor _ in range(2000): e.write(b'\\xff\\xfe' * 5000 + b'\\n')\nrecord(1); state(1)",
    );
    let summary = run.run().await;
    assert!(summary.error.is_none(), "{:?}", summary.error);
    assert_eq!(run.numbers(), ["1"]);
}
