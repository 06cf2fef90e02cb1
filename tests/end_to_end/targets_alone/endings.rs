//! How a target by itself ends when the input does not end well: what is kept, what is told, and the exit code.

use std::fs::File;
use std::process::Stdio;

use rustix::process::Signal;
use serde_json::json;

use super::{Alone, SCHEMA, record, state};

#[test]
fn sigterm_commits_what_a_state_covers_and_drops_the_rest() {
    for alone in Alone::each() {
        let mut fed = alone.with(&json!({})).start();
        fed.say(&format!("{SCHEMA}{}{}{}{}", record(1), record(2), state("{\"at\": 2}"), record(3)));
        fed.wait_until_read();
        fed.signal(Signal::TERM);
        assert_eq!(fed.wait(), (Some(143), "{\"at\": 2}\n".to_owned()), "{}: {}", alone.name, fed.said());
        assert!(fed.said().contains("error[E0409]: stopped by SIGTERM"), "{}", fed.said());
        assert_eq!(alone.ids(), ["1", "2"], "{}", alone.name);
    }
}

#[test]
fn a_signal_before_any_state_leaves_nothing() {
    for alone in Alone::each() {
        let mut fed = alone.with(&json!({ "batch_size_rows": 1 })).start();
        fed.say(&format!("{SCHEMA}{}{}", record(1), record(2)));
        fed.wait_until_read();
        fed.signal(Signal::INT);
        assert_eq!(fed.wait(), (Some(130), String::new()), "{}: {}", alone.name, fed.said());
        assert_eq!(alone.ids(), [""; 0], "{}", alone.name);
    }
}

/// A target that dies at once loses nothing of what it has told.
#[test]
fn sigkill_leaves_what_was_told() {
    for alone in Alone::each() {
        let mut fed = alone.with(&json!({ "batch_size_rows": 1 })).start();
        fed.say(&format!("{SCHEMA}{}{}{}", record(1), state("{\"at\":1}"), record(2)));
        assert_eq!(fed.next_line(), "{\"at\":1}");
        fed.signal(Signal::KILL);
        assert_eq!(fed.wait(), (None, String::new()), "{}", alone.name);
        let again = alone.with(&json!({})).load(format!("{SCHEMA}{}{}", record(2), state("{\"at\":2}")));
        assert_eq!(again.expect_code(0).stdout, "{\"at\":2}\n");
        assert_eq!(alone.ids(), ["1", "2"], "{}", alone.name);
    }
}

#[test]
fn a_broken_input_is_refused_and_the_state_before_it_is_told() {
    for (broken, code) in [
        (r#"{"type":"RECORD","stream":"items","rec"#, "E0204"),
        ("Loaded 17 widgets\n", "E0203"),
        ("42\n", "E0203"),
        ("{\"type\":\"RECORD\",\"stream\":\"others\",\"record\":{\"id\":1}}\n", "E0205"),
        ("{\"type\":\"RECORD\",\"stream\":\"items\",\"record\":{\"id\":\"x\"}}\n", "E0220"),
        ("{\"type\":\"RECORD\",\"stream\":\"items\",\"record\":{\"text\":\"x\"}}\n", "E0221"),
    ] {
        for alone in Alone::each() {
            let input = format!("{SCHEMA}{}{}{}{broken}", record(1), state("{\"at\": 1}"), record(2));
            let refused = alone.with(&json!({})).load(input).expect_code(65);
            assert_eq!(refused.stdout, "{\"at\": 1}\n", "{}: {refused}", alone.name);
            assert!(refused.stderr.contains(&format!("error[{code}]")), "{}: {refused}", alone.name);
            assert!(refused.stderr.contains("line 5") && !refused.stderr.contains("widgets"), "{refused}");
            assert_eq!(alone.ids(), ["1"], "{}", alone.name);
        }
    }
}

/// A table is overwritten by an input that ended whole. A pipe that just ends looks like that: what hints at a tap that
/// broke off is told.
#[test]
fn an_input_that_broke_off_overwrites_nothing_and_one_that_just_ends_is_told() {
    for alone in Alone::each() {
        let load = |input: String| alone.with(&json!({ "load_method": "overwrite" })).load(input);
        let (start, said) = (format!("{SCHEMA}{}", record(3)), state("{\"at\": 3}"));
        let _ = load(format!("{SCHEMA}{}{}", record(1), record(2))).expect_code(0);
        let half = load(format!("{start}{said}{{\"type\":\"REC")).expect_code(65);
        assert_eq!((half.stdout.as_str(), alone.ids()), ("", vec!["1".into(), "2".into()]), "{half}");
        let doubt = "the input ended after the tap's last STATE";
        for (input, ids, is_told) in [
            (format!("{start}{said}"), vec!["3"], false),
            (format!("{start}{said}{}", record(4)), vec!["3", "4"], true),
            (format!("{SCHEMA}{}", record(5)), vec!["5"], false),
        ] {
            let loaded = load(input).expect_code(0);
            assert_eq!(loaded.stderr.contains(doubt), is_told, "{}: {loaded}", alone.name);
            assert_eq!(alone.ids(), ids, "{}: {loaded}", alone.name);
        }
    }
}

/// The records are committed, and whoever runs the target learns that no STATE covers them.
#[test]
fn a_closed_output_loses_no_record() {
    for alone in Alone::each() {
        let input = format!("{SCHEMA}{}{}{}", record(1), state("{}"), record(2));
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let target = alone.with(&json!({}));
        let input = alone.project.write("closed", input);
        let mut command = target.loading();
        command.stdin(File::open(input).expect("just written")).stdout(writer).stderr(Stdio::piped());
        let output = command.spawn().and_then(std::process::Child::wait_with_output).expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(69) && said.contains("error[E0340]"), "{}: {said}", alone.name);
        assert!(alone.ids().contains(&"1".to_owned()), "{}: {said}", alone.name);
    }
}
