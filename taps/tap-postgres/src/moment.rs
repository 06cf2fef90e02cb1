//! Days and times of day in ISO 8601, and what becomes of those that it does not hold.

use crate::config::DatePolicy;
use crate::scalar::EPOCH_DAYS;

/// Microseconds of a day.
pub(crate) const DAY: i64 = 86_400_000_000;
/// Microseconds of a second.
const SECOND: i64 = 1_000_000;

/// A day or an instant that the policy refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused;

/// Days since 2000-01-01 of the years 1 to 9999.
const PLAIN_DAYS: std::ops::RangeInclusive<i32> = -730_119..=2_921_939;

/// Whether a day, since 2000-01-01, is one that ISO 8601 holds.
pub(crate) fn is_plain_day(days: i32) -> bool {
    PLAIN_DAYS.contains(&days)
}

/// Whether an instant, in microseconds since 2000-01-01, is one that ISO 8601 holds.
pub(crate) fn is_plain_instant(micros: i64) -> bool {
    i32::try_from(micros.div_euclid(DAY)).is_ok_and(is_plain_day)
}

/// Days since 2000-01-01, as a JSON value.
pub(crate) fn date(days: i32, policy: DatePolicy, out: &mut Vec<u8>) -> Result<(), Refused> {
    match days {
        i32::MAX => return outside("infinity", "9999-12-31", policy, out),
        i32::MIN => return outside("-infinity", "0001-01-01", policy, out),
        _ => {}
    }
    let (year, month, day) = civil(i64::from(days) + i64::from(EPOCH_DAYS));
    if policy != DatePolicy::Keep && !(1..=9999).contains(&year) {
        return outside("", if year < 1 { "0001-01-01" } else { "9999-12-31" }, policy, out);
    }
    out.push(b'"');
    day_text(year, month, day, out);
    era(year, out);
    out.push(b'"');
    Ok(())
}

/// Microseconds since 2000-01-01T00:00:00Z, as a JSON value.
pub(crate) fn instant(micros: i64, policy: DatePolicy, out: &mut Vec<u8>) -> Result<(), Refused> {
    const FIRST: &str = "0001-01-01T00:00:00Z";
    const LAST: &str = "9999-12-31T23:59:59.999999Z";
    match micros {
        i64::MAX => return outside("infinity", LAST, policy, out),
        i64::MIN => return outside("-infinity", FIRST, policy, out),
        _ => {}
    }
    let (year, month, day) = civil(micros.div_euclid(DAY) + i64::from(EPOCH_DAYS));
    if policy != DatePolicy::Keep && !(1..=9999).contains(&year) {
        return outside("", if year < 1 { FIRST } else { LAST }, policy, out);
    }
    out.push(b'"');
    day_text(year, month, day, out);
    out.push(b'T');
    time_text(micros.rem_euclid(DAY), out);
    out.push(b'Z');
    era(year, out);
    out.push(b'"');
    Ok(())
}

/// Microseconds since midnight, up to 24:00:00, as a JSON value.
pub(crate) fn time(micros: i64, out: &mut Vec<u8>) {
    out.push(b'"');
    time_text(micros.clamp(0, DAY), out);
    out.push(b'"');
}

fn outside(kept: &str, nearest: &str, policy: DatePolicy, out: &mut Vec<u8>) -> Result<(), Refused> {
    let text = match policy {
        DatePolicy::Fail => return Err(Refused),
        DatePolicy::SetNull => {
            out.extend_from_slice(b"null");
            return Ok(());
        }
        DatePolicy::Keep => kept,
        DatePolicy::Clamp => nearest,
    };
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
    Ok(())
}

/// `2024-02-29`; a year before the first is counted from there backwards.
fn day_text(year: i64, month: i64, day: i64, out: &mut Vec<u8>) {
    let written = if year < 1 { 1 - year } else { year };
    if written < 1000 {
        out.extend_from_slice(
            &b"000"[..if written < 10 {
                3
            } else if written < 100 {
                2
            } else {
                1
            }],
        );
    }
    out.extend_from_slice(itoa::Buffer::new().format(written).as_bytes());
    out.push(b'-');
    two(month, out);
    out.push(b'-');
    two(day, out);
}

/// The server's mark behind a year before the first.
fn era(year: i64, out: &mut Vec<u8>) {
    if year < 1 {
        out.extend_from_slice(b" BC");
    }
}

fn time_text(micros: i64, out: &mut Vec<u8>) {
    let (seconds, fraction) = (micros / SECOND, micros % SECOND);
    two(seconds / 3600, out);
    out.push(b':');
    two(seconds / 60 % 60, out);
    out.push(b':');
    two(seconds % 60, out);
    if fraction > 0 {
        out.push(b'.');
        two(fraction / 10_000, out);
        two(fraction / 100 % 100, out);
        two(fraction % 100, out);
        while out.last() == Some(&b'0') {
            out.pop();
        }
    }
}

/// Two digits.
fn two(number: i64, out: &mut Vec<u8>) {
    let digit = |number: i64| b'0' + u8::try_from(number % 10).unwrap_or_default();
    out.extend_from_slice(&[digit(number / 10), digit(number)]);
}

/// Year, month and day of a day since 1970-01-01, in the Gregorian calendar carried back: years begin in March, 400
/// of them have 146,097 days.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// Days since 1970-01-01 of a day of that calendar.
pub(crate) fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let month = if month > 2 { month - 3 } else { month + 9 };
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    year.div_euclid(400) * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_date(days: i32, policy: DatePolicy) -> Option<String> {
        let mut out = Vec::new();
        date(days, policy, &mut out).ok()?;
        Some(String::from_utf8(out).unwrap())
    }

    fn of_instant(micros: i64, policy: DatePolicy) -> Option<String> {
        let mut out = Vec::new();
        instant(micros, policy, &mut out).ok()?;
        Some(String::from_utf8(out).unwrap())
    }

    #[test]
    fn days_are_in_the_calendar() {
        for (days, text) in [
            (0, "2000-01-01"),
            (59, "2000-02-29"),
            (-1, "1999-12-31"),
            (8825, "2024-02-29"),
            (2_921_939, "9999-12-31"),
            (2_921_940, "10000-01-01"),
            (-730_119, "0001-01-01"),
            (-730_120, "0001-12-31 BC"),
            (-746_410, "0045-05-26 BC"),
            (i32::MAX, "infinity"),
            (i32::MIN, "-infinity"),
        ] {
            assert_eq!(of_date(days, DatePolicy::Keep).unwrap(), format!("\"{text}\""));
            let (year, month, day) = civil(days.into());
            assert_eq!(super::days(year, month, day), i64::from(days), "{text}");
        }
    }

    #[test]
    fn instants_have_the_digits_that_they_need() {
        for (micros, text) in [
            (0, "2000-01-01T00:00:00Z"),
            (-1, "1999-12-31T23:59:59.999999Z"),
            (1_500_000, "2000-01-01T00:00:01.5Z"),
            (10, "2000-01-01T00:00:00.00001Z"),
            (-730_120 * DAY + 1, "0001-12-31T00:00:00.000001Z BC"),
        ] {
            assert_eq!(of_instant(micros, DatePolicy::Keep).unwrap(), format!("\"{text}\""));
        }
        let mut out = Vec::new();
        time(DAY, &mut out);
        assert_eq!(out, b"\"24:00:00\"");
    }

    #[test]
    fn the_policy_decides_what_four_digits_do_not_hold() {
        for outside in [i32::MAX, 2_921_940] {
            assert_eq!(of_date(outside, DatePolicy::Clamp).unwrap(), "\"9999-12-31\"");
            assert_eq!(of_date(outside, DatePolicy::SetNull).unwrap(), "null");
            assert_eq!(of_date(outside, DatePolicy::Fail), None);
        }
        assert_eq!(of_instant(i64::MIN, DatePolicy::Clamp).unwrap(), "\"0001-01-01T00:00:00Z\"");
        assert_eq!(of_instant(-730_120 * DAY, DatePolicy::Clamp).unwrap(), "\"0001-01-01T00:00:00Z\"");
        assert_eq!(of_instant(0, DatePolicy::Fail).unwrap(), "\"2000-01-01T00:00:00Z\"");
    }
}
