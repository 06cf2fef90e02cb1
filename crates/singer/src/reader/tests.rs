//! The reader against `serde_json`: what one takes the other takes, with the same values.

use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Fault, JsonReader, RawJson, ReadError};

fn read<'a, T: serde::Deserialize<'a>>(text: &'a str) -> Result<T, ReadError> {
    let mut reader = JsonReader::new(text);
    let value = T::deserialize(&mut reader)?;
    reader.end().map(|()| value)
}

/// Both readers on one text, in every way that a line is read.
fn agree(text: &str) {
    let skipped = serde_json::from_str::<IgnoredAny>(text).is_ok();
    assert_eq!(read::<IgnoredAny>(text).is_ok(), skipped, "passing over {text:?}");
    let raw = serde_json::from_str::<&RawValue>(text).ok().map(RawValue::get);
    assert_eq!(read::<RawJson>(text).ok().map(RawJson::get), raw, "the text of {text:?}");
    // A number beyond doubles is refused by the one alone: records keep its digits.
    if let Ok(value) = serde_json::from_str::<Value>(text) {
        assert_eq!(read::<Value>(text).ok(), Some(value), "the tree of {text:?}");
    }
    // A number without its last digit is cut off too, which serde_json does not say.
    if serde_json::from_str::<IgnoredAny>(text).is_err_and(|error| error.is_eof()) {
        let truncated = read::<IgnoredAny>(text).is_err_and(|error| error.fault == Fault::Truncated);
        assert!(truncated, "the end of {text:?}");
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
fn any_depth_is_passed_over_and_trees_are_bounded() {
    for depth in [63, 64, 65, 128, 129, 200_000] {
        let text = format!("{}1{}", "[{\"a\":".repeat(depth), "}]".repeat(depth));
        assert_eq!(read::<RawJson>(&text).map(RawJson::get), Ok(&*text), "{depth}");
        assert!(read::<IgnoredAny>(&text[..text.len() - 1]).is_err());
        let mismatched = text.replacen("}]", "]}", 1);
        assert!(read::<IgnoredAny>(&mismatched).is_err());
    }
    let deep = format!("{}{}", "[".repeat(129), "]".repeat(129));
    assert_eq!(read::<Value>(&deep).unwrap_err().fault, Fault::Deep);
}

#[test]
fn half_a_surrogate_pair_passes_as_text_only() {
    let text = r#"["\ud83d"]"#;
    assert_eq!(read::<RawJson>(text).map(RawJson::get), Ok(text));
    assert!(read::<Value>(text).is_err());
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
