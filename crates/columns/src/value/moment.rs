//! Days, times and instants from the forms that taps write: RFC 3339, and Postgres's and Python's way of it.

use super::{
    Misfit, Wider,
    text::{quoted, unescaped},
};
use crate::{DatePolicy, ValueLimits};

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;
const SECOND: i64 = 1_000_000;

/// A text that gives no moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoMoment {
    /// It is none.
    Unreadable,
    /// It looks like one, but is not in the calendar or not in 64 bits. With what comes nearest.
    Nearest(i64),
}

/// A day with the time and offset behind it.
struct Moment {
    /// Days since 1970-01-01.
    days: i64,
    /// Whether the day is in the calendar.
    exists: bool,
    /// Microseconds since midnight, when a time was given.
    time: Option<i64>,
    /// Seconds east of UTC.
    offset: i64,
}

impl Moment {
    fn instant(&self) -> Result<i64, NoMoment> {
        let shift = self.time.unwrap_or(0) - self.offset * SECOND;
        let whole = i128::from(self.days) * i128::from(DAY) + i128::from(shift);
        match i64::try_from(whole) {
            Ok(instant) if self.exists => Ok(instant),
            Ok(instant) => Err(NoMoment::Nearest(instant)),
            Err(_) => Err(NoMoment::Nearest(if whole < 0 { i64::MIN } else { i64::MAX })),
        }
    }
}

/// An instant in microseconds since 1970, UTC; without an offset it is UTC already.
#[inline]
pub(crate) fn instant(text: &[u8]) -> Result<i64, NoMoment> {
    match usual_instant(text) {
        Some(instant) => Ok(instant),
        None => read(text)?.instant(),
    }
}

/// A JSON value of a timestamp column.
#[inline]
pub(crate) fn timestamp(raw: &str, limits: &ValueLimits) -> Result<Option<i64>, Misfit> {
    let inside = quoted(raw).ok_or(Misfit::WrongType)?;
    let found = match usual_instant(inside) {
        Some(instant) => Ok(instant),
        None if inside.is_empty() => return Ok(None),
        None => instant(&unescaped(inside)),
    };
    within(found, limits.instants, limits.dates)
}

/// A JSON value of a date column, in days since 1970. A time behind the day must be midnight UTC: any other needs
/// a wider column.
pub(crate) fn date(raw: &str, limits: &ValueLimits) -> Result<Option<i32>, Misfit> {
    let inside = quoted(raw).ok_or(Misfit::WrongType)?;
    if inside.is_empty() {
        return Ok(None);
    }
    let found = read(&unescaped(inside)).map(|moment| {
        let midnight = moment.time.is_none_or(|time| time == 0) && moment.offset == 0;
        (moment.days, moment.exists, midnight)
    });
    let found = match found {
        Ok((_, _, false)) => return Err(Misfit::Wider(Wider::Timestamp)),
        Ok((days, true, true)) => Ok(days),
        Ok((days, false, true)) => Err(NoMoment::Nearest(days)),
        Err(nothing) => Err(nothing),
    };
    let bounds = (i64::from(limits.days.0), i64::from(limits.days.1));
    let days = within(found, bounds, limits.dates)?;
    days.map(|days| i32::try_from(days).map_err(|_| Misfit::Outside)).transpose()
}

/// A JSON value of a column of times, in microseconds since midnight. An offset other than UTC would be lost: such a value is
/// text.
pub(crate) fn time(raw: &str) -> Result<Option<i64>, Misfit> {
    let inside = quoted(raw).ok_or(Misfit::WrongType)?;
    if inside.is_empty() {
        return Ok(None);
    }
    let text = unescaped(inside);
    let (time, rest) = time_of_day(&text).ok_or(Misfit::Unreadable)?;
    match zone(rest).ok_or(Misfit::Unreadable)?.seconds() {
        0 => Ok(Some(time)),
        _ => Err(Misfit::Wider(Wider::Text)),
    }
}

/// A day or an instant that came as such.
pub(crate) fn bounded(value: i64, bounds: (i64, i64), policy: DatePolicy) -> Result<Option<i64>, Misfit> {
    within(Ok(value), bounds, policy)
}

fn within(
    found: Result<i64, NoMoment>,
    bounds: (i64, i64),
    policy: DatePolicy,
) -> Result<Option<i64>, Misfit> {
    let nearest = match found {
        Ok(value) if (bounds.0..=bounds.1).contains(&value) => return Ok(Some(value)),
        Ok(value) | Err(NoMoment::Nearest(value)) => value,
        Err(NoMoment::Unreadable) => return Err(Misfit::Unreadable),
    };
    match policy {
        DatePolicy::Fail => Err(Misfit::Outside),
        DatePolicy::SetNull => Ok(None),
        DatePolicy::Clamp => Ok(Some(nearest.max(bounds.0).min(bounds.1))),
    }
}

/// The form that nearly all taps write, `2024-02-29T03:04:05[.digits][Z|+00:00]`, in a real day and time.
#[inline]
fn usual_instant(text: &[u8]) -> Option<i64> {
    let (head, rest) = text.split_first_chunk::<19>()?;
    let pair = |at: usize| -> u32 {
        let (tens, units) = (head[at].wrapping_sub(b'0'), head[at + 1].wrapping_sub(b'0'));
        if tens > 9 || units > 9 { 1_000_000 } else { u32::from(tens) * 10 + u32::from(units) }
    };
    let (year, month, day) = (pair(0) * 100 + pair(2), pair(5), pair(8));
    let (hour, minute, second) = (pair(11), pair(14), pair(17));
    let separated = head[4] == b'-'
        && head[7] == b'-'
        && matches!(head[10], b'T' | b' ')
        && head[13] == b':'
        && head[16] == b':';
    let real = (1..=9999).contains(&year) && (1..=12).contains(&month) && day >= 1;
    let real = real && (day <= 28 || day <= days_in_month(i64::from(year), month));
    if !(separated && real && hour < 24 && minute < 60 && second < 60) {
        return None;
    }
    let (fraction, rest) = usual_fraction(rest)?;
    if !matches!(rest, [] | [b'Z'] | b"+00:00") {
        return None;
    }
    let seconds =
        civil_days(i64::from(year), month, day) * 86_400 + i64::from(hour * 3600 + minute * 60 + second);
    Some(seconds * SECOND + fraction)
}

/// What makes microseconds of so many digits.
const FRACTION_SCALE: [u32; 7] = [0, 100_000, 10_000, 1000, 100, 10, 1];

/// Up to six digits behind a point.
#[inline]
fn usual_fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let [b'.', digits @ ..] = text else { return Some((0, text)) };
    let (mut value, mut count) = (0_u32, 0);
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        if count == 6 {
            return None;
        }
        value = value * 10 + u32::from(digit);
        count += 1;
    }
    let scale = FRACTION_SCALE.get(count).filter(|scale| **scale > 0)?;
    Some((i64::from(value * scale), &digits[count..]))
}

/// Reads any form: a day, perhaps a time, perhaps an offset, perhaps ` BC`.
fn read(text: &[u8]) -> Result<Moment, NoMoment> {
    let text = text.trim_ascii();
    if let Some(end) = infinity(text) {
        return Err(NoMoment::Nearest(end));
    }
    parts(text)
        // Some log-based taps write the offset twice.
        .or_else(|| parts(text.strip_suffix(b"+00:00").filter(|text| text.ends_with(b"+00:00"))?))
        .ok_or(NoMoment::Unreadable)
}

fn infinity(text: &[u8]) -> Option<i64> {
    match text {
        b"infinity" | b"Infinity" => Some(i64::MAX),
        b"-infinity" | b"-Infinity" => Some(i64::MIN),
        _ => None,
    }
}

fn parts(text: &[u8]) -> Option<Moment> {
    let (text, before_christ) = match text.strip_suffix(b" BC") {
        Some(text) => (text, true),
        None => (text, false),
    };
    // Seven digits: days in the server's calendar reach to 5874897.
    let (year, rest) = number(text, 4, 7)?;
    let (month, rest) = number(rest.strip_prefix(b"-")?, 2, 2)?;
    let (day, rest) = number(rest.strip_prefix(b"-")?, 2, 2)?;
    // 1 BC is the year 0 of the calendar that is carried back; a year 0 itself was never written by anybody.
    let year_exists = year > 0;
    let year = if before_christ { 1 - i64::from(year) } else { i64::from(year) };
    let real = (month.clamp(1, 12), day.clamp(1, days_in_month(year, month.clamp(1, 12))));
    let exists = year_exists && real == (month, day);
    let days = civil_days(if year_exists { year } else { 1 }, real.0, real.1);
    let (time, offset) = match rest {
        [] => (None, 0),
        [b'T' | b't' | b' ', rest @ ..] => {
            let (time, rest) = time_of_day(rest)?;
            (Some(time), zone(rest)?.seconds())
        }
        _ => return None,
    };
    Some(Moment { days, exists, time, offset })
}

/// `HH:MM`, `HH:MM:SS`, `HH:MM:SS.digits`, up to 24:00:00, a second 60 included, as Postgres takes them; digits
/// beyond microseconds are rounded half to even.
fn time_of_day(text: &[u8]) -> Option<(i64, &[u8])> {
    let (hour, rest) = number(text, 2, 2)?;
    let (minute, rest) = number(rest.strip_prefix(b":")?, 2, 2)?;
    let (second, fraction, rest) = match rest {
        [b':', rest @ ..] => {
            let (second, rest) = number(rest, 2, 2)?;
            let (fraction, rest) = fraction(rest)?;
            (second, fraction, rest)
        }
        _ => (0, 0, rest),
    };
    let time = i64::from(hour * 3600 + minute * 60 + second) * SECOND + fraction;
    (minute < 60 && second <= 60 && time <= DAY).then_some((time, rest))
}

fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let [b'.', rest @ ..] = text else { return Some((0, text)) };
    let (digits, rest) = rest.split_at(rest.iter().take_while(|byte| byte.is_ascii_digit()).count());
    if digits.is_empty() {
        return None;
    }
    let digit = |at: usize| digits.get(at).map_or(0, |byte| i64::from(byte - b'0'));
    let micros = (0..6).fold(0, |micros, at| micros * 10 + digit(at));
    let beyond = digits.get(7..).is_some_and(|more| more.iter().any(|byte| *byte != b'0'));
    let up = match digit(6) {
        5 => beyond || micros % 2 == 1,
        next => next > 5,
    };
    Some((micros + i64::from(up), rest))
}

/// What stands behind a time.
enum Zone {
    /// Nothing.
    Unsaid,
    /// Seconds east of UTC.
    East(i64),
}

impl Zone {
    fn seconds(&self) -> i64 {
        if let Self::East(seconds) = self { *seconds } else { 0 }
    }
}

fn zone(text: &[u8]) -> Option<Zone> {
    let text = text.strip_prefix(b" ").unwrap_or(text);
    let (sign, rest) = match text {
        [] => return Some(Zone::Unsaid),
        b"Z" | b"z" | b"UTC" | b"GMT" => return Some(Zone::East(0)),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, rest) = number(rest, 2, 2)?;
    let (minutes, rest) = next_part(rest)?;
    let (seconds, rest) = next_part(rest)?;
    let within = hours < 16 && minutes < 60 && seconds < 60 && rest.is_empty();
    within.then_some(Zone::East(sign * i64::from(hours * 3600 + minutes * 60 + seconds)))
}

/// Two digits of an offset, with a colon before them or without; zero at the end.
fn next_part(text: &[u8]) -> Option<(u32, &[u8])> {
    if text.is_empty() {
        return Some((0, text));
    }
    number(text.strip_prefix(b":").unwrap_or(text), 2, 2)
}

/// Reads `least` to `most` digits; more than that is no such number.
fn number(text: &[u8], least: usize, most: usize) -> Option<(u32, &[u8])> {
    let count = text.iter().take(most + 1).take_while(|byte| byte.is_ascii_digit()).count();
    // Two digits of an offset may be followed by two more.
    let count = if least == most { count.min(most) } else { count };
    if !(least..=most).contains(&count) {
        return None;
    }
    let (digits, rest) = text.split_at(count);
    Some((digits.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0')), rest))
}

fn days_in_month(year: i64, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a day in the Gregorian calendar carried back: years begin in March, 400 of them have 146,097 days.
#[inline]
fn civil_days(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month = i64::from((month + 9) % 12);
    let day_of_year = (153 * month + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}
