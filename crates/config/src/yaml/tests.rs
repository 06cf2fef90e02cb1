use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::{Node, read};
use crate::problem::ConfigError;

fn tree(text: &str) -> Node {
    read("test.yml", text.to_owned()).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(text: &str) -> ConfigError {
    read("test.yml", text.to_owned()).unwrap_err()
}

fn json(text: &str) -> String {
    serde_json::to_string(&tree(text).to_json()).unwrap()
}

#[test]
fn digits_order_and_texts_are_those_of_the_file() {
    assert_eq!(
        json("z: 12345678901234567890123\na: [1.5, \"1.10\", yes, ~, true]\nm: { n: 'it''s' }\n"),
        r#"{"z":12345678901234567890123,"a":[1.5,"1.10","yes",null,true],"m":{"n":"it's"}}"#
    );
}

#[test]
fn every_key_and_value_knows_its_place() {
    let node = tree("a:\n  - b: xyz\n");
    let item = &node.get("a").unwrap().as_list().unwrap()[0];
    let entry = &item.as_map().unwrap()["b"];
    assert_eq!(entry.key.to_string(), "test.yml:2:5");
    assert_eq!(entry.node.place.to_string(), "test.yml:2:8");
    assert_eq!(entry.node.place.width, 3);
}

#[test]
fn anchors_and_merge_keys_work_and_own_keys_win() {
    assert_eq!(
        json("x-a: &a { p: 1, q: 2 }\nb: { <<: *a, q: 3 }\nc: *a\n"),
        r#"{"x-a":{"p":1,"q":2},"b":{"q":3,"p":1},"c":{"p":1,"q":2}}"#
    );
    assert_eq!(json("a: &a {p: 1}\nb: &b {p: 2, q: 2}\nc: {<<: [*a, *b]}"), {
        r#"{"a":{"p":1},"b":{"p":2,"q":2},"c":{"p":1,"q":2}}"#
    });
}

#[test]
fn a_yaml_bomb_is_refused_fast() {
    let level = |level: usize| {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        format!("a{level}: &a{level} [{aliases}]\n")
    };
    let text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned() + &(1..9).map(level).collect::<String>();
    let start = Instant::now();
    let error = refused(&text);
    assert!(start.elapsed() < Duration::from_millis(50), "{:?}", start.elapsed());
    assert_eq!(error.code(), "E0106");
    assert!(error.to_string().contains("alias expansion over 1,000 nodes; refused"), "{error}");
}

#[test]
fn a_deep_file_is_refused_fast_whichever_way_it_is_deep() {
    for text in ["[".repeat(1 << 20), "{a: ".repeat(1 << 18), "- ".repeat(1 << 19)] {
        let start = Instant::now();
        let error = refused(&text);
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
        assert_eq!(error.code(), "E0106", "{error}");
    }
    let nested =
        format!("a: &a {}1{}\nb: {}*a{}\n", "[".repeat(20), "]".repeat(20), "[".repeat(20), "]".repeat(20));
    assert_eq!(refused(&nested).code(), "E0106");
}

#[test]
fn all_that_can_be_known_at_once_is_said_at_once() {
    let error = refused("a: 0123\nb: !x y\nc: 1\nc: 2\n");
    let codes: Vec<_> = error.problems().map(super::super::problem::Problem::code).collect();
    assert_eq!(codes, ["E0105", "E0105", "E0102"]);
}

#[test]
fn forgotten_quotes_are_named() {
    for text in [
        "streams:\n  *-log: exclude\n",
        "streams:\n  *: include\n",
        "user: @me\n",
        "a: %x\n",
        "%x: 1\n",
        "streams:\n  {a,b_*}: include\n",
        "defaults:\n  target_schema: {schema}_raw\n",
        "tap: { config: { password: ${env:PG}, a: 1 } }\n",
        "tap: { config: { password: ${env:PG} } }\n",
        "columns: { *: exclude }\n",
    ] {
        let error = refused(text);
        assert_eq!(error.code(), "E0105", "{text}{error}");
        assert!(error.to_string().contains("put it in quotes"), "{error}");
    }
}

#[test]
fn a_tree_that_is_none_is_refused() {
    for (text, code) in [
        ("", "E0101"),
        ("# nothing\n", "E0101"),
        ("a: 1\n---\nb: 2\n", "E0101"),
        ("a:\n\tb: 1\n", "E0101"),
        ("a: [1\n", "E0101"),
        ("a: *nowhere\n", "E0105"),
        ("a: &a [*a]\n", "E0101"),
        ("a: {<<: 1}\n", "E0101"),
        (": 1\n", "E0101"),
        ("? [a]\n: 1\n", "E0101"),
        ("a: \"x\n", "E0101"),
    ] {
        let error = refused(text);
        assert_eq!(error.code(), code, "{text}: {error}");
        assert!(error.problems().all(|problem| problem.place().is_some()), "{error}");
    }
}

/// Pieces that YAML and our own search for forgotten quotes find interesting.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("${"),
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just("*"),
        Just("&a "),
        Just("*a"),
        Just("<<: "),
        Just(": "),
        Just("- "),
        Just("\n"),
        Just("  "),
        Just("\t"),
        Just("'"),
        Just("\""),
        Just("#"),
        Just("%"),
        Just("@"),
        Just("|\n"),
        Just("!x "),
        Just("0x"),
        Just("1_"),
        Just("ä"),
        Just("key"),
        Just("\r\n"),
        Just("---"),
        Just("? "),
        Just("\\"),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_text_gives_a_tree_or_an_error_with_its_line(text in hostile()) {
        if let Err(error) = read("test.yml", text) {
            prop_assert!(error.problems().all(|problem| problem.place().is_some()));
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn every_number_of_json_keeps_its_digits(digits in "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{0,20}[1-9])?([eE][+-]?[0-9]{1,3})?") {
        prop_assert_eq!(json(&format!("a: {digits}")), format!("{{\"a\":{digits}}}"));
    }
}
