//! `run --continuous`: a tap that follows its source for ever, until a signal.

use rustix::process::Signal;
use serde_json::json;
use tests::project::Project;

use crate::support::warehouses;

/// Says a record and its STATE, and the next only when that one is committed: nothing but the age of a STATE, while the
/// tap idles, makes it go on. Asked to end it says one more.
const TAP: &str = r#"
case " $* " in *" --help "*) echo 'tap --config FILE [--state FILE]'; exit ;; esac
[ "$TAPSTER_CONTINUOUS" = 1 ] || exit 9
n=0
while [ $# -gt 0 ]; do
    [ "$1" != --state ] || n=$(tr -dc 0-9 <"$2")
    shift
done
next() {
    n=$((n + 1))
    printf '{"type":"RECORD","stream":"ticks","record":{"n":%d}}\n{"type":"STATE","value":%d}\n' "$n" "$n"
}
trap 'next; exit 0' TERM
echo '{"type":"SCHEMA","stream":"ticks","schema":{"properties":{"n":{"type":"integer"}}},"key_properties":[]}'
while :; do
    next
    until [ "$(cat "$TAPSTER_COMMITTED_STATE" 2>/dev/null)" = "$n" ]; do
        sleep 0.05 &
        wait $!
    done
done
"#;

#[test]
fn a_run_goes_on_until_a_signal_and_ends_well_with_its_tap() {
    let project = Project::new();
    let tap = project.write("tap.sh", TAP);
    for (name, warehouse) in warehouses(&project) {
        let pipeline = json!({
            "tap": { "command": ["sh", tap], "catalog": false },
            "target": warehouse.block(),
            // A timeout is for runs that end.
            "limits": { "checkpoint_every": "50ms", "timeout": "1s" },
        });
        project.pipeline(name, &pipeline);
        let mut last = 0;
        for signal in [Signal::TERM, Signal::INT] {
            let mut run = project.start_with(name, &["--continuous"], None);
            for _ in 0..3 {
                run.wait_for(|line| line.is_event("checkpointed"));
            }
            run.signal(signal);
            let (ended, log) = run.finish();
            assert_eq!(ended, Some(0), "{name}: {log}");
            let rows = warehouse.rows("SELECT count(*), count(DISTINCT n), max(n) FROM ticks");
            let said: u64 = rows[0][2].as_deref().unwrap_or_default().parse().expect("a number");
            assert!(said >= last + 3, "{name}: {rows:?}");
            assert_eq!(rows[0][0], rows[0][2], "{name}: each once");
            assert_eq!(rows[0][1], rows[0][2], "{name}: each once");
            let state = warehouse.value("SELECT state FROM _tapster_state");
            assert_eq!(state, rows[0][2], "{name}: its last word is committed");
            last = said;
        }
    }
}

#[test]
fn one_pipeline_goes_on_for_ever_and_no_more() {
    let project = Project::new();
    for name in ["one", "two"] {
        project.pipeline(
            name,
            &json!({ "tap": { "command": ["true"], "catalog": false }, "target": "target-jsonl" }),
        );
    }
    let refused = project.run(["run", "one", "two", "--continuous"]).expect_code(2);
    assert!(refused.stderr.contains("--continuous runs one pipeline, and 2 are named"), "{refused}");
    for flags in [&["one", "--timeout", "1s"][..], &["one", "--dry-run"], &["--all"]] {
        let refused = project.run(["run", "--continuous"].iter().chain(flags)).expect_code(2);
        assert!(refused.stderr.contains("cannot be used with"), "{refused}");
    }
}
