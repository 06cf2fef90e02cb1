//! Durations and sizes.

use std::time::Duration;

const DURATIONS: [(&str, u64); 5] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
const SIZES: [(&str, u64); 5] =
    [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40)];

/// `100ms`, `30s`, `5m`, `1h`, `7d`.
pub fn parse_duration(text: &str) -> Option<Duration> {
    parse(text, &DURATIONS).map(Duration::from_millis)
}

/// `512B`, `64KiB`, `64MiB`, `20GiB`, `1TiB`, in bytes.
pub(crate) fn parse_size(text: &str) -> Option<u64> {
    parse(text, &SIZES)
}

fn parse(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_are_read() {
        assert_eq!(parse_duration("100ms"), Some(Duration::from_millis(100)));
        assert_eq!(parse_duration("7d"), Some(Duration::from_hours(7 * 24)));
        assert_eq!(parse_size("64MiB"), Some(64 << 20));
    }

    #[test]
    fn what_is_none_is_not_guessed() {
        for text in
            ["", "5", "h", "1 h", "1.5h", "1H", "-1s", "1h30m", "99999999999999999999s", "9999999999999999d"]
        {
            assert_eq!(parse_duration(text), None, "{text}");
        }
        for text in ["64MB", "64MBB", "64MiB ", "64m", "64", "99999999999GiB"] {
            assert_eq!(parse_size(text), None, "{text}");
        }
    }
}
