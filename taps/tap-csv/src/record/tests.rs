use proptest::prelude::*;

use super::*;
use crate::dialect::Dialect;
use crate::reader::RecordReader;

/// The JSON of one field, or what is wrong with it.
fn json(field: &str, conversion: Conversion, declared: bool) -> Result<String, String> {
    let columns = vec![RecordColumn::new("x", 0, conversion, declared, false)];
    let encoder = RecordEncoder { columns, null_values: NullValues::new(&["NA".to_owned()]) };
    let text = format!("{field},end\n");
    let mut reader =
        RecordReader::new(Box::new(std::io::Cursor::new(text.into_bytes())), "a.csv", Dialect::default());
    let record = reader.next().unwrap().unwrap();
    let mut json = Vec::new();
    encoder.encode(&record, "a.csv", &mut json).map_err(|error| error.to_string())?;
    let text = String::from_utf8(json).unwrap();
    Ok(text.strip_prefix(r#"{"x":"#).unwrap().strip_suffix('}').unwrap().to_owned())
}

fn found(field: &str, conversion: Conversion) -> String {
    json(field, conversion, false).unwrap()
}

#[test]
fn values_keep_their_digits() {
    assert_eq!(
        found("123456789012345678901234567890", Conversion::Integer),
        "123456789012345678901234567890"
    );
    assert_eq!(found("1.10", Conversion::Number), "1.10");
    assert_eq!(found("-0.0E-5", Conversion::Number), "-0.0E-5");
    assert_eq!(found("True", Conversion::Boolean), "true");
    assert_eq!(found("2013-01-01T10:00:00Z", Conversion::Timestamp), r#""2013-01-01T10:00:00Z""#);
}

#[test]
fn null_and_empty_are_told_apart_in_text_alone() {
    for (field, text, number) in [
        ("", r#""""#, Some("null")),
        ("\"\"", r#""""#, Some("null")),
        ("NA", "null", Some("null")),
        ("\"NA\"", r#""NA""#, Some("null")),
        ("na", r#""na""#, None),
    ] {
        assert_eq!(found(field, Conversion::Text), text, "text {field}");
        assert_eq!(json(field, Conversion::Number, false).ok().as_deref(), number, "number {field}");
    }
}

#[test]
fn a_declared_type_takes_what_people_mean() {
    let cases = [
        ("007", Conversion::Integer, "7"),
        ("+5", Conversion::Integer, "5"),
        (" -00 ", Conversion::Integer, "-0"),
        (".5", Conversion::Number, "0.5"),
        ("-005.", Conversion::Number, "-5"),
        ("+1e3", Conversion::Number, "1e3"),
        ("yes", Conversion::Boolean, "true"),
        ("0", Conversion::Boolean, "false"),
        ("2024-02-29", Conversion::Timestamp, r#""2024-02-29""#),
    ];
    for (field, conversion, expected) in cases {
        assert_eq!(json(field, conversion, true).unwrap(), expected, "{field}");
        assert!(json(field, conversion, false).is_err(), "{field} is not taken for a type that was found");
    }
    for (field, conversion) in [
        ("1.5", Conversion::Integer),
        ("5.", Conversion::Integer),
        (".", Conversion::Number),
        ("+", Conversion::Number),
        ("e5", Conversion::Number),
        ("--5", Conversion::Number),
        ("+-5", Conversion::Number),
        ("1 5", Conversion::Number),
        ("2", Conversion::Boolean),
        ("2024-02-30", Conversion::Date),
        ("2024-02-29T01:00", Conversion::Date),
    ] {
        assert!(json(field, conversion, true).is_err(), "{field}");
    }
}

#[test]
fn an_unfit_value_is_named_by_its_place_and_never_shown() {
    let error = json("s3cret", Conversion::Integer, false).unwrap_err();
    assert_eq!(error, "a.csv, line 1: column `x` holds text of 6 bytes, where an integer is due");
    let error = json("1.5", Conversion::Integer, true).unwrap_err();
    assert_eq!(error, "a.csv, line 1: column `x` holds a number, where an integer is due");
}

proptest! {
    #[test]
    fn every_text_is_the_json_string_of_it(text in "\\PC*|[\u{0}-\u{1f}\"\\\\é,]{0,12}") {
        let field = format!("\"{}\"", text.replace('"', "\"\""));
        prop_assert_eq!(serde_json::from_str::<String>(&found(&field, Conversion::Text)).unwrap(), text);
    }

    #[test]
    fn what_is_written_as_a_number_is_json(field in "[-+.e0-9]{0,8}", whole: bool) {
        let conversion = if whole { Conversion::Integer } else { Conversion::Number };
        if let Ok(number) = json(&field, conversion, true) {
            // A number may be beyond a double, which a value of serde_json must not.
            prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(&number).is_ok(), "{} became {}", field, number);
            if let (Ok(expected), Ok(value)) = (field.parse::<f64>(), number.parse::<f64>()) {
                prop_assert_eq!(value.to_bits(), expected.to_bits(), "{} became {}", field, number);
            }
        }
    }
}
