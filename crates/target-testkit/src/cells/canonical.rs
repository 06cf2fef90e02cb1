//! One form for values that are equal, so that warehouses may write them as they like.

use columns::ColumnType;
use serde_json::Value;

/// The one form of a text that a warehouse gave for a value of this type. A text that is none of the type's
/// stays as it is, and so differs.
#[must_use]
pub fn canonical(column_type: &ColumnType, text: &str) -> String {
    let form = match column_type {
        ColumnType::Bool => match text {
            "t" | "true" => Some("true".to_owned()),
            "f" | "false" => Some("false".to_owned()),
            _ => None,
        },
        ColumnType::Numeric { .. } | ColumnType::UnboundedNumeric => Some(decimal(text)),
        ColumnType::Float64 => text.parse().ok().map(|value: f64| format!("{value:e}")),
        ColumnType::Time => Some(fraction(text)),
        ColumnType::TimeTz => Some(time_with_offset(text)),
        ColumnType::Timestamp | ColumnType::TimestampTz => Some(instant(text)),
        ColumnType::Interval => interval(text),
        ColumnType::Uuid => Some(text.to_lowercase()),
        ColumnType::Json => serde_json::from_str::<Value>(text).ok().map(|value| value.to_string()),
        ColumnType::Binary => Some(text.trim_start_matches("\\x").to_lowercase()),
        ColumnType::Array(item) => list(item, text),
        ColumnType::Int64 | ColumnType::Date | ColumnType::Text => None,
    };
    form.unwrap_or_else(|| text.to_owned())
}

/// Without zeros at the end of a fraction.
fn decimal(text: &str) -> String {
    let short = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
    if short == "-0" { "0".to_owned() } else { short.to_owned() }
}

/// Without zeros at the end of the seconds' fraction.
fn fraction(text: &str) -> String {
    if text.contains('.') { decimal(text) } else { text.to_owned() }
}

fn time_with_offset(text: &str) -> String {
    let Some(at) = text.rfind(['+', '-']) else { return text.to_owned() };
    let (time, offset) = text.split_at(at);
    let minutes = if offset.len() == 3 { ":00" } else { "" };
    format!("{}{offset}{minutes}", fraction(time))
}

fn instant(text: &str) -> String {
    let text = text.replacen('T', " ", 1);
    let zones = ["+00:00", "+00", "Z"];
    let bare = zones.iter().find_map(|zone| text.strip_suffix(zone)).unwrap_or(&text);
    fraction(bare)
}

/// Months, days and microseconds of `1 year 2 mons -3 days 04:05:06.7`.
fn interval(text: &str) -> Option<String> {
    let (mut months, mut days, mut microseconds) = (0_i64, 0_i64, 0_i64);
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        if word.contains(':') {
            microseconds += clock(word)?;
            continue;
        }
        let count: i64 = word.parse().ok()?;
        match words.next()?.trim_end_matches('s') {
            "year" => months += 12 * count,
            "mon" | "month" => months += count,
            "day" => days += count,
            _ => return None,
        }
    }
    Some(format!("{months} months {days} days {microseconds} microseconds"))
}

fn clock(text: &str) -> Option<i64> {
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let mut parts = text.trim_start_matches('+').split(':');
    let (hours, minutes): (i64, i64) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let (seconds, fraction) =
        parts.next()?.split_once('.').unwrap_or_else(|| (text.rsplit(':').next().unwrap_or("0"), ""));
    let fraction: i64 = format!("{fraction:0<6}").parse().ok()?;
    Some(sign * ((hours * 3_600 + minutes * 60 + seconds.parse::<i64>().ok()?) * 1_000_000 + fraction))
}

/// The items of a JSON array, each in its one form.
fn list(item: &ColumnType, text: &str) -> Option<String> {
    let items: Vec<Value> = serde_json::from_str(text).ok()?;
    let form = |value: Value| match value {
        Value::Null => Value::Null,
        Value::String(text) => Value::String(canonical(item, &text)),
        other => Value::String(canonical(item, &other.to_string())),
    };
    Some(Value::Array(items.into_iter().map(form).collect()).to_string())
}

#[cfg(test)]
mod tests {
    use super::canonical;
    use crate::cells::{batch, text};
    use columns::{Column, ColumnType, StreamName, TableSchema};

    #[test]
    fn equal_values_have_one_form_and_different_ones_two() {
        for (name, one, other) in [
            ("bool", "t", "true"),
            ("numeric(9,3)", "1.500", "1.5"),
            ("numeric", "-0.0", "0"),
            ("float64", "1e2", "100.0"),
            ("time", "03:04:05.120000", "03:04:05.12"),
            ("timetz", "03:04:05.10+02", "03:04:05.1+02:00"),
            ("timestamptz", "2024-01-02T03:04:05.120000+00:00", "2024-01-02 03:04:05.12"),
            ("interval", "1 year 2 mons 3 days -04:05:06.7", "14 months 3 days -04:05:06.700000"),
            ("json", r#"{"b":1, "a":[null]}"#, r#"{"a": [null], "b": 1}"#),
            ("int64[]", "[1, null]", r#"["1",null]"#),
        ] {
            let column_type = name.parse().unwrap();
            assert_eq!(canonical(&column_type, one), canonical(&column_type, other), "{name}");
        }
        let json = ColumnType::Json;
        assert_ne!(canonical(&json, "[1]"), canonical(&json, r#"["1"]"#));
        assert_ne!(canonical(&ColumnType::Interval, "1 day"), canonical(&ColumnType::Interval, "24:00:00"));
    }

    #[test]
    fn text_survives_the_way_through_arrow() {
        for (name, cell) in [
            ("bool", "false"),
            ("int64", "-9223372036854775808"),
            ("numeric(38,10)", "-9999999999999999999999999999.0000000001"),
            ("date", "0001-01-01"),
            ("time", "23:59:59.999999"),
            ("timestamptz", "9999-12-31 23:59:59.999999"),
            ("uuid", "00112233-4455-6677-8899-aabbccddeeff"),
            ("binary", "\\x00ff"),
            ("text[]", r#"["a",null,""]"#),
        ] {
            let column_type: ColumnType = name.parse().unwrap();
            let columns = vec![Column { name: "c".into(), column_type: column_type.clone(), nullable: true }];
            let schema = TableSchema {
                stream: StreamName::from("s"),
                columns,
                key_properties: vec![],
                keeps_absent: false,
            };
            let batch = batch(&schema, &[&[Some(cell)], &[None]]);
            assert_eq!(text(&column_type, batch.column(0), 0).as_deref(), Some(cell), "{name}");
            assert_eq!(text(&column_type, batch.column(0), 1), None);
        }
    }
}
