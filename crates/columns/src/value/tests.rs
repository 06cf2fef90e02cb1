//! Single values, against rules that are written down and against oracles that know nothing of this code.

use chrono::{NaiveDate, TimeDelta};
use proptest::prelude::*;

use super::{Misfit, Wider, binary, decimal::Decimal, json, moment, text};
use crate::{DatePolicy, NulPolicy, ValueLimits};

fn timestamp(value: &str) -> Result<Option<i64>, Misfit> {
    moment::timestamp(&format!("\"{value}\""), &ValueLimits::default())
}

fn micros(value: &str) -> i64 {
    timestamp(value).unwrap().unwrap()
}

fn at(year: i32, month: u32, day: u32, hour: u32, minute: u32, second: u32, micro: u32) -> i64 {
    let day = NaiveDate::from_ymd_opt(year, month, day).unwrap();
    day.and_hms_micro_opt(hour, minute, second, micro).unwrap().and_utc().timestamp_micros()
}

#[test]
fn instants_in_the_forms_that_taps_write() {
    for (written, expected) in [
        ("2024-02-29", at(2024, 2, 29, 0, 0, 0, 0)),
        ("2024-01-02 03:04:05", at(2024, 1, 2, 3, 4, 5, 0)),
        ("2024-01-02T03:04", at(2024, 1, 2, 3, 4, 0, 0)),
        ("2024-01-02t03:04:05z", at(2024, 1, 2, 3, 4, 5, 0)),
        ("2024-01-02T03:04:05+05:30", at(2024, 1, 1, 21, 34, 5, 0)),
        ("2024-01-02T03:04:05.5-0530", at(2024, 1, 2, 8, 34, 5, 500_000)),
        ("2024-01-02 03:04:05.123456+00", at(2024, 1, 2, 3, 4, 5, 123_456)),
        ("2024-01-02T03:04:05+05:53:28", at(2024, 1, 1, 21, 10, 37, 0)),
        ("2024-01-02 03:04:05 UTC", at(2024, 1, 2, 3, 4, 5, 0)),
        ("2024-01-02 03:04:05 +0100", at(2024, 1, 2, 2, 4, 5, 0)),
        ("2024-01-02T24:00:00Z", at(2024, 1, 3, 0, 0, 0, 0)),
        ("2016-12-31T23:59:60Z", at(2017, 1, 1, 0, 0, 0, 0)),
        ("2024-01-02T03:04:05.000000+00:00+00:00", at(2024, 1, 2, 3, 4, 5, 0)),
        ("10000-01-01T00:00:00Z", at(10_000, 1, 1, 0, 0, 0, 0)),
        ("0044-03-15 00:00:00 BC", at(-43, 3, 15, 0, 0, 0, 0)),
        (r"2024-01-02T03:04:05\u002b00:00", at(2024, 1, 2, 3, 4, 5, 0)),
    ] {
        assert_eq!(micros(written), expected, "{written}");
    }
    assert_eq!(timestamp(""), Ok(None), "an empty cell");
}

#[test]
fn digits_beyond_microseconds_round_half_to_even() {
    for (digits, expected) in [
        ("1234565", 123_456),
        ("1234575", 123_458),
        ("12345650001", 123_457),
        ("1234564999", 123_456),
        ("9999999", 1_000_000),
        ("123456789", 123_457),
        ("1", 100_000),
    ] {
        let whole = at(2024, 1, 2, 3, 4, 5, 0);
        assert_eq!(micros(&format!("2024-01-02T03:04:05.{digits}Z")) - whole, expected, "{digits}");
    }
}

#[test]
fn what_is_no_instant_is_refused_and_what_does_not_exist_follows_the_policy() {
    for garbage in [
        "n/a",
        "2024",
        "2024-1-2",
        "20240102",
        "2024-01-02x",
        "2024-01-02T",
        "2024-01-02T03",
        "2024-01-02T25:00:00",
        "2024-01-02T24:00:01",
        "2024-01-02T03:60:00",
        "2024-01-02T03:04:05.",
        "2024-01-02T03:04:05+5",
        "2024-01-02T03:04:05+16:00",
        "2024-01-02T03:04:05 CET",
        "٢٠٢٤-01-02",
    ] {
        assert_eq!(timestamp(garbage), Err(Misfit::Unreadable), "{garbage}");
    }
    let limits = ValueLimits {
        instants: (at(1, 1, 1, 0, 0, 0, 0), at(9999, 12, 31, 23, 59, 59, 999_999)),
        ..ValueLimits::default()
    };
    for (beyond, nearest) in [
        ("2023-02-30T00:00:00Z", at(2023, 2, 28, 0, 0, 0, 0)),
        ("2023-13-01", at(2023, 12, 1, 0, 0, 0, 0)),
        ("0000-00-00 00:00:00", limits.instants.0),
        ("10000-01-01", limits.instants.1),
        ("999999-01-01", limits.instants.1),
        ("infinity", limits.instants.1),
        ("-infinity", limits.instants.0),
        ("0001-01-01 00:00:00 BC", limits.instants.0),
    ] {
        let under =
            |dates| moment::timestamp(&format!("\"{beyond}\""), &ValueLimits { dates, ..limits.clone() });
        assert_eq!(under(DatePolicy::Fail), Err(Misfit::Outside), "{beyond}");
        assert_eq!(under(DatePolicy::SetNull), Ok(None), "{beyond}");
        assert_eq!(under(DatePolicy::Clamp), Ok(Some(nearest)), "{beyond}");
    }
    assert_eq!(moment::timestamp("1704164645", &limits), Err(Misfit::WrongType));
}

#[test]
fn days_and_times() {
    let date = |value: &str| moment::date(&format!("\"{value}\""), &ValueLimits::default());
    assert_eq!(date("1970-01-02"), Ok(Some(1)));
    assert_eq!(date("1970-01-02T00:00:00.000Z"), Ok(Some(1)), "midnight UTC is a day");
    assert_eq!(date("1970-01-02T00:00:01"), Err(Misfit::Wider(Wider::Timestamp)));
    assert_eq!(date("1970-01-02T00:00:00+01:00"), Err(Misfit::Wider(Wider::Timestamp)));
    assert_eq!(date("0000-00-00"), Err(Misfit::Outside));
    assert_eq!(date("31.12.2024"), Err(Misfit::Unreadable));
    assert_eq!(date("5874897-12-31"), Ok(Some(2_145_042_905)), "the last day that PostgreSQL has");
    let time = |value: &str| moment::time(&format!("\"{value}\""));
    assert_eq!(time("24:00:00"), Ok(Some(86_400_000_000)));
    assert_eq!(time("03:04:05.25Z"), Ok(Some(11_045_250_000)));
    assert_eq!(time("03:04:05+05:30"), Err(Misfit::Wider(Wider::Text)), "the offset would be lost");
    assert_eq!(time("noon"), Err(Misfit::Unreadable));
}

#[test]
fn uuids_are_strict_and_bytes_are_hexadecimal() {
    let uuid = |value: &str| binary::uuid(&format!("\"{value}\""));
    let value = uuid("00112233-4455-6677-8899-AAbbccddeeff").unwrap().unwrap();
    assert_eq!(
        value,
        [0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff]
    );
    for text in [
        "00112233445566778899aabbccddeeff",
        "{00112233-4455-6677-8899-aabbccddeeff}",
        "00112233-4455-6677-8899-aabbccddeefg",
        "0011223-34455-6677-8899-aabbccddeeff",
    ] {
        assert_eq!(uuid(text), Err(Misfit::Wider(Wider::Text)), "{text}");
    }
    let bytes = |raw: &str| {
        let mut out = Vec::new();
        binary::binary(raw, &mut out).map(|()| out)
    };
    assert_eq!(bytes(r#""\\xDEad""#), Ok(vec![0xde, 0xad]));
    assert_eq!(bytes("\"00ff\""), Ok(vec![0, 0xff]));
    assert_eq!(bytes("\"abc\""), Err(Misfit::Unreadable));
    assert_eq!(bytes("12"), Err(Misfit::WrongType));
}

#[test]
fn escapes_and_the_nul_policy() {
    let read = |raw: &str, nul| {
        let mut out = Vec::new();
        text::text(raw, nul, &mut out).map(|()| String::from_utf8(out).unwrap())
    };
    assert_eq!(read(r#""a\n\t\"\\\/\u00e9\ud83d\ude00z""#, NulPolicy::Fail).unwrap(), "a\n\t\"\\/é😀z");
    assert_eq!(
        read(r#""\ud83dx\ude00\ud83d\ud83d\ude00""#, NulPolicy::Keep).unwrap(),
        "\u{fffd}x\u{fffd}\u{fffd}😀"
    );
    let nul = r#""a\u0000b""#;
    assert_eq!(read(nul, NulPolicy::Keep).unwrap(), "a\0b");
    assert_eq!(read(nul, NulPolicy::Replace).unwrap(), "a\u{fffd}b");
    assert_eq!(read(nul, NulPolicy::Strip).unwrap(), "ab");
    assert_eq!(read(nul, NulPolicy::Fail), Err(Misfit::Nul));
    assert_eq!(
        read(r#"{"a":1.10}"#, NulPolicy::Fail).unwrap(),
        r#"{"a":1.10}"#,
        "what is no string is its text"
    );
}

#[test]
fn json_is_kept_as_it_came_but_for_what_the_target_refuses() {
    let read = |raw: &str, nul, strict_json| {
        let mut out = Vec::new();
        let limits = ValueLimits { nul, strict_json, ..ValueLimits::default() };
        json::json(raw, &limits, &mut out).map(|()| String::from_utf8(out).unwrap())
    };
    let raw = r#"{"k\u0000":["\\u0000","\\\u0000", 1.10,"\ud83d\ude00"]}"#;
    assert_eq!(read(raw, NulPolicy::Keep, false).unwrap(), raw);
    let replaced = r#"{"k\ufffd":["\\u0000","\\\ufffd", 1.10,"\ud83d\ude00"]}"#;
    assert_eq!(read(raw, NulPolicy::Replace, false).unwrap(), replaced);
    assert_eq!(
        read(raw, NulPolicy::Keep, true).unwrap(),
        replaced,
        "a strict JSON type holds no U+0000 whatever"
    );
    assert_eq!(read(raw, NulPolicy::Strip, true).unwrap(), r#"{"k":["\\u0000","\\", 1.10,"\ud83d\ude00"]}"#);
    assert_eq!(read(raw, NulPolicy::Fail, true), Err(Misfit::Nul));
    assert_eq!(read(r#"["\udc00\ud800",2]"#, NulPolicy::Fail, true).unwrap(), r#"["\ufffd\ufffd",2]"#);
    let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    assert!(read(&nested(128), NulPolicy::Keep, false).is_ok());
    assert_eq!(read(&nested(129), NulPolicy::Keep, false), Err(Misfit::Deep));
    let brackets = format!("[\"{}\"]", r#"\"[{"#.repeat(200));
    assert!(read(&brackets, NulPolicy::Keep, false).is_ok(), "brackets inside a string are no nesting");
}

/// The point is moved through a text, digit by digit.
fn moved(before: &str, behind: &str, exponent: i32) -> (String, String) {
    let (mut before, mut behind) = (before.to_owned(), behind.to_owned());
    for _ in 0..exponent {
        let first = if behind.is_empty() { '0' } else { behind.remove(0) };
        before.push(first);
    }
    for _ in exponent..0 {
        behind.insert(0, before.pop().unwrap_or('0'));
    }
    (before.trim_start_matches('0').to_owned(), behind)
}

proptest! {
    #[test]
    fn decimals_are_what_their_digits_say(negative: bool, before in "0|[1-9][0-9]{0,30}", behind in "[0-9]{0,25}", exponent in -40..40_i32) {
        let point = if behind.is_empty() { "" } else { "." };
        let sign = if negative { "-" } else { "" };
        let written = format!("{sign}{before}{point}{behind}e{exponent}");
        let decimal = Decimal::read(written.as_bytes()).unwrap();
        let (whole, fraction) = moved(&before, &behind, exponent);
        let zero = whole.is_empty() && fraction.bytes().all(|digit| digit == b'0');
        let sign = if zero { "" } else { sign };
        let mut expected = format!("{sign}{}", if whole.is_empty() { "0" } else { &whole });
        if !fraction.is_empty() {
            expected = format!("{expected}.{fraction}");
        }
        let mut plain = Vec::new();
        decimal.plain((200, 200), &mut plain).unwrap();
        prop_assert_eq!(std::str::from_utf8(&plain).unwrap(), &expected);

        let needed = fraction.trim_end_matches('0');
        let exact = expected.strip_suffix(&fraction).unwrap_or(&expected).trim_end_matches('.');
        let integer = exact.parse::<i64>().ok().filter(|_| needed.is_empty());
        prop_assert_eq!(decimal.integer().ok(), integer);

        let scaled = if needed.len() <= 10 && whole.len() <= 28 {
            format!("{sign}{whole}{needed:0<10}").parse::<i128>().ok()
        } else {
            None
        };
        prop_assert_eq!(decimal.scaled(38, 10).ok(), scaled);
    }

    #[test]
    fn instants_agree_with_chrono(seconds in -62_135_596_800_i64..253_402_300_800, micro in 0..1_000_000_i64, places in 0..=6_usize, offset in -57_540..=57_540_i32, separator in "[T ]") {
        let unit = 10_i64.pow(6 - u32::try_from(places).unwrap());
        let micro = micro / unit * unit;
        let expected = seconds * 1_000_000 + micro;
        let offset = offset / 60 * 60;
        let utc = chrono::DateTime::from_timestamp_micros(expected).unwrap().naive_utc();
        let local = utc + TimeDelta::seconds(offset.into());
        prop_assume!((1..=9999).contains(&chrono::Datelike::year(&local)));
        let digits = format!("{micro:06}");
        let fraction = if places == 0 { String::new() } else { format!(".{}", &digits[..places]) };
        let sign = if offset < 0 { '-' } else { '+' };
        let (hours, minutes) = (offset.abs() / 3600, offset.abs() / 60 % 60);
        let head = local.format(&format!("%Y-%m-%d{separator}%H:%M:%S")).to_string();
        let head = format!("{head:0>19}");
        prop_assert_eq!(micros(&format!("{head}{fraction}{sign}{hours:02}:{minutes:02}")), expected);
        prop_assert_eq!(micros(&format!("{head}{fraction}{sign}{hours:02}{minutes:02}")), expected);
        if offset == 0 {
            prop_assert_eq!(micros(&format!("{head}{fraction}")), expected);
            prop_assert_eq!(micros(&format!("{head}{fraction}Z")), expected);
        }
    }

    #[test]
    fn strings_are_what_serde_json_reads(value: String) {
        let raw = serde_json::to_string(&value).unwrap();
        let ascii: Vec<_> = value.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        let ascii = ascii.concat();
        for raw in [raw, format!("\"{ascii}\"")] {
            let mut out = Vec::new();
            text::text(&raw, NulPolicy::Keep, &mut out).unwrap();
            prop_assert_eq!(std::str::from_utf8(&out).unwrap(), &value);
        }
    }

    #[test]
    fn no_text_makes_a_moment_panic(value in "[-0-9TZ :.+BC]{0,40}") {
        let _ = (timestamp(&value), moment::date(&format!("\"{value}\""), &ValueLimits::default()), moment::time(&format!("\"{value}\"")));
    }
}
