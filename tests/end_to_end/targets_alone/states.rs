//! STATE values: the only thing on stdout, each as the tap wrote it, none before its records are durable.

use serde_json::json;

use super::{Alone, SCHEMA, record, state};

/// Digits that no double holds, odd spacing, escapes, a key twice.
const ODD: &str = r#"{ "big" :123456789012345678901234567890, "d": 1.10,"e":-0.0E+2 , "t":"\u00e9\/ é", "d":[ ],"n":null }"#;

#[test]
fn a_state_comes_out_when_its_records_are_durable_and_those_after_it_are_not() {
    for alone in Alone::each() {
        // A batch goes out with each record, and what waits before it goes first.
        let mut fed = alone.with(&json!({ "batch_size_rows": 1 })).start();
        fed.say(&format!("{SCHEMA}{}{}{}", record(1), state(ODD), record(2)));
        assert_eq!(fed.next_line(), ODD, "{}", alone.name);
        assert_eq!(alone.ids(), ["1"], "{}", alone.name);
        fed.say(&format!("{}{}", state("{\"at\": 2}"), record(3)));
        assert_eq!(fed.next_line(), "{\"at\": 2}", "{}", alone.name);
        assert_eq!(alone.ids(), ["1", "2"], "{}", alone.name);
        fed.say(&state("{\"at\":3.0}"));
        assert_eq!(fed.finish(), (Some(0), "{\"at\":3.0}\n".to_owned()), "{}", fed.said());
        assert_eq!(alone.ids(), ["1", "2", "3"], "{}", alone.name);
    }
}

#[test]
fn a_state_comes_out_while_the_tap_thinks() {
    let targets = Alone::each();
    let all = targets.each_ref().map(|alone| {
        let mut fed = alone.with(&json!({})).start();
        fed.say(&format!("{SCHEMA}{}{}", record(1), state(ODD)));
        (alone, fed)
    });
    for (alone, mut fed) in all {
        assert_eq!(fed.next_line(), ODD, "{}", alone.name);
        assert_eq!(alone.ids(), ["1"], "{}", alone.name);
        assert_eq!(fed.finish(), (Some(0), String::new()), "{}", fed.said());
    }
}

#[test]
fn empty_and_repeated_states_come_out_in_order_and_the_last_one_in_any_case() {
    let (at, empty) = (|n: u32| state(&format!("{{\"at\":{n}}}")), state("{}"));
    for (input, expected) in [
        (format!("{empty}{SCHEMA}{}{}{}{}", record(1), at(1), at(1), empty), "{}"),
        (format!("{SCHEMA}{}{}{}{}", record(1), at(1), record(2), at(1)), r#"{"at":1}"#),
        (format!("{empty}{empty}{}", at(7)), r#"{"at":7}"#),
        (format!("{SCHEMA}{}", at(5)), r#"{"at":5}"#),
        (state("[1, 2]"), "[1, 2]"),
        // What comes after the last STATE is loaded: the tap has said that it is done.
        (format!("{SCHEMA}{}{}{}", record(1), at(1), record(2)), r#"{"at":1}"#),
    ] {
        for settings in [json!({}), json!({ "batch_size_rows": 1 })] {
            for alone in Alone::each() {
                let loaded = alone.with(&settings).load(&input).expect_code(0);
                let mut told = loaded.stdout.lines();
                assert_eq!(told.clone().last(), Some(expected), "{}: {input}{loaded}", alone.name);
                let said: Vec<&str> = input.lines().filter_map(value).collect();
                let mut rest = said.iter();
                assert!(told.all(|line| rest.any(|said| *said == line)), "{}: {loaded}", alone.name);
                let records = input.matches("RECORD").count();
                assert_eq!(alone.ids().len(), records, "{}: {input}{loaded}", alone.name);
            }
        }
    }
}

/// The value of a STATE message.
fn value(line: &str) -> Option<&str> {
    line.strip_prefix("{\"type\":\"STATE\",\"value\":")?.strip_suffix('}')
}

#[test]
fn an_input_without_states_is_loaded_and_nothing_comes_out() {
    for alone in Alone::each() {
        let loaded = alone.with(&json!({})).load(format!("{SCHEMA}{}", record(1))).expect_code(0);
        assert_eq!(loaded.stdout, "", "{loaded}");
        assert_eq!(alone.ids(), ["1"]);
        let _ = alone.with(&json!({})).load("").expect_code(0);
    }
}
