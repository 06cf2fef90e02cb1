//! The reader against `serde_json`: what one takes the other takes, with the same values.

use indexmap::IndexMap;
use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Fault, JsonReader, Member, ReadError};

/// The whole text as one value.
fn whole(text: &str) -> Result<&str, ReadError> {
    let mut reader = JsonReader::new(text);
    let value = reader.value()?;
    reader.end().map(|()| value.get())
}

/// The members or items of the outermost bracket, walked.
fn walked(text: &str) -> Result<Option<Vec<(String, &str)>>, ReadError> {
    let mut reader = JsonReader::new(text);
    let mut found = Vec::new();
    if reader.open_object()? {
        while let Some(name) = reader.next_name()? {
            found.push((name.into_owned(), reader.value()?.get()));
        }
    } else if reader.open_array()? {
        while reader.next_item()? {
            found.push((String::new(), reader.value()?.get()));
        }
    } else {
        return Ok(None);
    }
    reader.end().map(|()| Some(found))
}

/// Both readers on one text, in every way that a line is read.
fn agree(text: &str) {
    let raw = serde_json::from_str::<&RawValue>(text).ok().map(RawValue::get);
    assert_eq!(whole(text).ok(), raw, "the value of {text:?}");
    match serde_json::from_str::<IndexMap<String, &RawValue>>(text) {
        Ok(expected) => {
            // The last of two equal names is the one of the map.
            let found: IndexMap<_, _> = walked(text).unwrap().unwrap().into_iter().collect();
            let expected: IndexMap<_, _> =
                expected.into_iter().map(|(name, raw)| (name, raw.get())).collect();
            assert_eq!(found, expected, "the members of {text:?}");
        }
        Err(_) if text.trim_ascii_start().starts_with('{') => {
            assert!(walked(text).is_err(), "the members of {text:?}");
        }
        Err(_) => {}
    }
    if let Ok(expected) = serde_json::from_str::<Vec<&RawValue>>(text) {
        let found: Vec<_> = walked(text).unwrap().unwrap().into_iter().map(|(_, raw)| raw).collect();
        assert_eq!(
            found,
            expected.into_iter().map(RawValue::get).collect::<Vec<_>>(),
            "the items of {text:?}"
        );
    }
    // A number without its last digit is cut off too, which serde_json does not say.
    if serde_json::from_str::<IgnoredAny>(text).is_err_and(|error| error.is_eof()) {
        let truncated = whole(text).is_err_and(|error| error.fault == Fault::Truncated);
        // Of `\u` serde_json asks for four bytes before it looks at them.
        let in_escape = text.rsplit_once("\\u").is_some_and(|(_, rest)| rest.len() < 4);
        assert!(truncated || in_escape, "the end of {text:?}");
    }
}

#[test]
fn the_grammar_at_its_edges() {
    for text in [
        "",
        " ",
        "nul",
        "null",
        "nulll",
        "true ",
        "fals",
        "-",
        "-0",
        "-01",
        "01",
        "0.",
        ".5",
        "1.5e",
        "1e+",
        "1E-07",
        "+1",
        "NaN",
        "Infinity",
        "\"",
        "\"\\",
        "\"\\u12",
        "\"\\u12g4\"",
        "\"\\ud800\"",
        "\"\\x\"",
        "\"\\u}",
        "\"\\u00",
        "\"a\tb\"",
        "\"\u{7f}\"",
        "[",
        "[]",
        "[ ]",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{}",
        "{ }",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\":1 \"b\":2}",
        "{a:1}",
        "{\"a\":1]",
        "[1}",
        "[[[]],{}]",
        "{\"a\":{\"b\":[1,{\"c\":null}]}}",
        "\u{feff}1",
        "1 2",
        "[1]x",
        "\"é日本\"",
        "\"12345678\\n12345678\"",
        "\u{a0}1",
    ] {
        agree(text);
    }
}

#[test]
fn any_depth_is_passed_over() {
    for depth in [63, 64, 65, 128, 129, 200_000] {
        let text = format!("{}1{}", "[{\"a\":".repeat(depth), "}]".repeat(depth));
        assert_eq!(whole(&text), Ok(&*text), "{depth}");
        assert_eq!(whole(&text[..text.len() - 1]).unwrap_err().fault, Fault::Truncated);
        assert_eq!(whole(&text.replacen("}]", "]}", 1)).unwrap_err().fault, Fault::Syntax);
    }
}

#[test]
fn half_a_surrogate_pair_passes_in_values_only() {
    assert_eq!(whole(r#"["\ud83d"]"#), Ok(r#"["\ud83d"]"#));
    assert!(walked(r#"{"\ud83d":1}"#).is_err());
}

#[test]
fn an_expected_name_is_one_name_and_no_part_of_one() {
    let next = |text: &'static str| {
        let mut reader = JsonReader::new(text);
        reader.open_object().unwrap();
        reader.next_member("\"id\"")
    };
    assert_eq!(next(r#"{ "id" : 1}"#), Ok(Member::Expected));
    assert_eq!(next(r#"{"id2":1}"#), Ok(Member::Named("id2".into())));
    assert_eq!(next(r#"{"\u0069d":1}"#), Ok(Member::Named("id".into())));
    assert_eq!(next("{}"), Ok(Member::End));
    assert!(next(r#"{"id" 1}"#).is_err());
}

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[ -~]{0,40}".prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map(any::<String>(), inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whole_values_agree(value in value(), pretty: bool) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        agree(&text.unwrap());
    }

    #[test]
    fn spoilt_values_agree(value in value(), at in 0..300_usize, with in "[\\[\\]{}\",:\\\\0-9eE.+ \\-a-zé\n]{0,3}", length in 0..4_usize) {
        let text: Vec<char> = value.to_string().chars().collect();
        let at = at.min(text.len());
        let end = (at + length).min(text.len());
        let spoilt: String = text[..at].iter().copied().chain(with.chars()).chain(text[end..].iter().copied()).collect();
        agree(&spoilt);
    }

    #[test]
    fn texts_of_json_letters_agree(text in "[\\[\\]{}\",:\\\\01eE.+ \\-untrefals]{0,12}") {
        agree(&text);
    }
}
