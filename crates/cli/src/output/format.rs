use chrono::{DateTime, Utc};

/// `412,009`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 record`, `412,009 records`.
pub(crate) fn records(number: u64) -> String {
    format!("{} {}", count(number), if number == 1 { "record" } else { "records" })
}

/// `0.3 s`, `42.0 s`, `3 m 12 s`, `2 h 05 m`.
pub(crate) fn duration(seconds: f64) -> String {
    let tenths = (seconds.max(0.0) * 10.0).round() / 10.0;
    if tenths < 60.0 {
        return format!("{tenths:.1} s");
    }
    let whole = std::time::Duration::try_from_secs_f64(tenths).map_or(u64::MAX, |time| time.as_secs());
    if whole < 3600 {
        format!("{} m {:02} s", whole / 60, whole % 60)
    } else {
        format!("{} h {:02} m", whole / 3600, whole % 3600 / 60)
    }
}

/// `812 B`, `1.4 KiB`, `64.0 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    #[expect(clippy::cast_precision_loss, reason = "one digit behind the point is shown")]
    let mut value = bytes as f64 / 1024.0;
    let mut unit = UNITS[0];
    for next in &UNITS[1..] {
        if value < 1023.95 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    format!("{value:.1} {unit}")
}

/// `2026-07-01 03:19:05 UTC`.
pub(crate) fn time(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::{count, duration, size};

    #[test]
    fn counts_have_separators() {
        let told: Vec<_> = [0, 999, 1000, 412_009, 1_000_000].into_iter().map(count).collect();
        assert_eq!(told, ["0", "999", "1,000", "412,009", "1,000,000"]);
    }

    #[test]
    fn durations_change_their_unit_without_a_gap() {
        let told: Vec<_> = [0.04, 59.94, 59.96, 192.9, 3599.0, 7500.0].into_iter().map(duration).collect();
        assert_eq!(told, ["0.0 s", "59.9 s", "1 m 00 s", "3 m 12 s", "59 m 59 s", "2 h 05 m"]);
    }

    #[test]
    fn sizes_never_show_1024_of_a_unit() {
        let told: Vec<_> = [812, 1024, 1434, 1_048_575, 67_108_864].into_iter().map(size).collect();
        assert_eq!(told, ["812 B", "1.0 KiB", "1.4 KiB", "1.0 MiB", "64.0 MiB"]);
    }
}
