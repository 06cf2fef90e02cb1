//! Days and times in the form of RFC 3339. Years outside 0 to 9999, which it lacks, have their sign before them, as
//! in ISO 8601.

use std::io::Write as _;

const MICROSECONDS_OF_DAY: i64 = 86_400_000_000;

/// A day, counted from 1970-01-01.
pub(super) fn date(days: i64, out: &mut Vec<u8>) {
    let (year, month, day) = civil(days);
    let _ = if (0..=9999).contains(&year) {
        write!(out, "{year:04}-{month:02}-{day:02}")
    } else {
        write!(out, "{year:+05}-{month:02}-{day:02}")
    };
}

/// Microseconds of the day; their fraction is left out where it is zero.
pub(super) fn time(microseconds: i64, out: &mut Vec<u8>) {
    let (seconds, fraction) = (microseconds.div_euclid(1_000_000), microseconds.rem_euclid(1_000_000));
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    let _ = write!(out, "{hours:02}:{minutes:02}:{:02}", seconds % 60);
    if fraction != 0 {
        let _ = write!(out, ".{fraction:06}");
    }
}

/// Microseconds from 1970-01-01T00:00:00, without zone.
pub(super) fn timestamp(microseconds: i64, out: &mut Vec<u8>) {
    date(microseconds.div_euclid(MICROSECONDS_OF_DAY), out);
    out.push(b'T');
    time(microseconds.rem_euclid(MICROSECONDS_OF_DAY), out);
}

/// An instant as text, in UTC.
pub(crate) fn instant(microseconds: i64) -> String {
    let mut out = Vec::new();
    timestamp(microseconds, &mut out);
    out.push(b'Z');
    String::from_utf8(out).unwrap_or_default()
}

/// Year, month and day in the proleptic Gregorian calendar. Years begin in March here, so that the leap day comes
/// last, and are counted in eras of 400, which are all of the same length.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::{date, instant};

    fn day(days: i64) -> String {
        let mut out = Vec::new();
        date(days, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn days_of_the_calendar() {
        for (days, text) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (-719_162, "0001-01-01"),
            (-719_528, "0000-01-01"),
            (-719_529, "-0001-12-31"),
            (11_016, "2000-02-29"),
            (19_782, "2024-02-29"),
            (-25_508, "1900-03-01"),
            (2_932_896, "9999-12-31"),
            (2_932_897, "+10000-01-01"),
        ] {
            assert_eq!(day(days), text);
        }
    }

    #[test]
    fn instants_before_and_after_the_epoch() {
        assert_eq!(instant(0), "1970-01-01T00:00:00Z");
        assert_eq!(instant(-1), "1969-12-31T23:59:59.999999Z");
        assert_eq!(instant(1_710_037_800_000_100), "2024-03-10T02:30:00.000100Z");
        assert_eq!(instant(i64::MIN), "-290308-12-21T19:59:05.224192Z");
    }
}
