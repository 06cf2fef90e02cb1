//! Exact decimals in the server's form: groups of four digits, the place of the first group, sign, scale.

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const NEGATIVE_INFINITY: u16 = 0xF000;
/// Most digits behind the point that the server keeps.
const MOST_SCALE: usize = 16_383;

/// Most groups of a 128-bit number: 39 digits before and behind the point, each padded to whole groups.
const MOST_GROUPS: usize = 21;

/// Appends a cell, its length before it: a number of at most 38 digits, `scale` of them behind the point.
pub fn decimal(value: i128, scale: u8, out: &mut Vec<u8>) {
    let sign = if value < 0 { NEGATIVE } else { 0 };
    let mut groups = [0_u16; MOST_GROUPS];
    let count = split(value.unsigned_abs(), scale, &mut groups);
    let digits = groups.get(..count).unwrap_or_default();
    let trailing = digits.iter().take_while(|group| **group == 0).count();
    let digits = digits.get(trailing..).unwrap_or_default();
    let behind = usize::from(scale).div_ceil(4);
    let weight = i16::try_from(count).unwrap_or(0) - i16::try_from(behind).unwrap_or(0) - 1;
    head(out, digits.len(), if digits.is_empty() { 0 } else { weight }, sign, u16::from(scale));
    for group in digits.iter().rev() {
        out.extend_from_slice(&group.to_be_bytes());
    }
}

/// Groups of four digits, the last first; those behind the point are there even when they are zero. Returns how
/// many. The server strips leading zeros itself.
fn split(magnitude: u128, scale: u8, groups: &mut [u16; MOST_GROUPS]) -> usize {
    let behind = usize::from(scale).div_ceil(4);
    // The last group behind the point may hold fewer than four digits.
    let partial = u32::from(scale % 4);
    let unit = 10_u64.pow(partial);
    let mut groups = groups.iter_mut();
    let mut count = usize::from(partial > 0);
    let mut wide = magnitude;
    if u64::try_from(wide).is_err() {
        if partial > 0 {
            put(&mut groups, low(wide, u128::from(unit)) * 10_u64.pow(4 - partial));
            wide /= u128::from(unit);
        }
        // Division by 128 bits is slow: only as long as it must be.
        while u64::try_from(wide).is_err() {
            put(&mut groups, low(wide, 10_000));
            wide /= 10_000;
            count += 1;
        }
    } else if partial > 0 {
        let small = u64::try_from(wide).unwrap_or_default();
        put(&mut groups, (small % unit) * 10_u64.pow(4 - partial));
        wide = u128::from(small / unit);
    }
    let mut rest = u64::try_from(wide).unwrap_or_default();
    while rest > 0 || count < behind {
        put(&mut groups, rest % 10_000);
        rest /= 10_000;
        count += 1;
    }
    count
}

fn low(value: u128, unit: u128) -> u64 {
    u64::try_from(value % unit).unwrap_or_default()
}

fn put(groups: &mut std::slice::IterMut<'_, u16>, value: u64) {
    if let Some(group) = groups.next() {
        *group = u16::try_from(value).unwrap_or_default();
    }
}

fn head(out: &mut Vec<u8>, count: usize, weight: i16, sign: u16, scale: u16) {
    let length = u32::try_from(8 + 2 * count).unwrap_or_default();
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&u16::try_from(count).unwrap_or_default().to_be_bytes());
    out.extend_from_slice(&weight.to_be_bytes());
    out.extend_from_slice(&sign.to_be_bytes());
    out.extend_from_slice(&scale.to_be_bytes());
}

/// Appends a cell, its length before it: a number as text, that is, digits with a point and an exponent, `NaN`, `Infinity`, `-Infinity`.
///
/// # Errors
/// When it is no number, or has more digits than a server holds.
pub fn text(value: &str, out: &mut Vec<u8>) -> Result<(), &'static str> {
    if let Some((number, scale)) = short(value) {
        decimal(number, scale, out);
        return Ok(());
    }
    let special = match value {
        "NaN" => Some(NAN),
        "Infinity" | "+Infinity" => Some(INFINITY),
        "-Infinity" => Some(NEGATIVE_INFINITY),
        _ => None,
    };
    if let Some(sign) = special {
        head(out, 0, 0, sign, 0);
        return Ok(());
    }
    let number = Parsed::new(value).ok_or("not a number")?;
    number.write(out)
}

/// A plain number of at most 18 digits, and how many of them stand behind the point: what most numbers are.
fn short(value: &str) -> Option<(i128, u8)> {
    let (negative, rest) = match value.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    if rest.is_empty() || rest.len() > 19 {
        return None;
    }
    let (mut number, mut digits, mut point) = (0_u64, 0_u8, None);
    for byte in rest {
        match byte {
            b'0'..=b'9' => (number, digits) = (number * 10 + u64::from(byte - b'0'), digits + 1),
            b'.' if point.is_none() => point = Some(digits),
            _ => return None,
        }
    }
    let scale = digits - point.unwrap_or(digits);
    let number = i128::from(number);
    (1..=18).contains(&digits).then_some((if negative { -number } else { number }, scale))
}

/// A number's digits, and how many of them stand before the point (less than none when zeros come between).
struct Parsed<'a> {
    negative: bool,
    before: &'a [u8],
    behind: &'a [u8],
    exponent: i64,
}

impl<'a> Parsed<'a> {
    fn new(value: &'a str) -> Option<Self> {
        let (negative, rest) = match value.as_bytes() {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] | rest => (false, rest),
        };
        let mark = rest.iter().position(|byte| matches!(byte, b'e' | b'E'));
        let (mantissa, exponent) = match mark {
            None => (rest, 0),
            Some(at) => {
                (rest.get(..at)?, std::str::from_utf8(rest.get(at + 1..)?).ok()?.parse::<i64>().ok()?)
            }
        };
        let (before, behind) = match mantissa.iter().position(|byte| *byte == b'.') {
            None => (mantissa, &[][..]),
            Some(at) => (mantissa.get(..at)?, mantissa.get(at + 1..)?),
        };
        let digits = before.iter().chain(behind);
        let valid = !(before.is_empty() && behind.is_empty()) && digits.clone().all(u8::is_ascii_digit);
        valid.then_some(Self { negative, before, behind, exponent })
    }

    fn write(&self, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let too_long = "more digits than Postgres holds";
        let scale = i64::try_from(self.behind.len()).map_err(|_| too_long)? - self.exponent;
        let scale = usize::try_from(scale.max(0)).map_err(|_| too_long)?;
        if scale > MOST_SCALE || self.exponent.abs() > 1_000_000 {
            return Err(too_long);
        }
        let digits = || self.before.iter().chain(self.behind).map(|byte| u16::from(byte - b'0'));
        let leading = digits().take_while(|digit| *digit == 0).count();
        let total = self.before.len() + self.behind.len();
        // Place of the first digit that counts: how many digits it and those after it have before the point.
        let place = i64::try_from(self.before.len()).map_err(|_| too_long)? + self.exponent
            - i64::try_from(leading).map_err(|_| too_long)?;
        if leading == total {
            head(out, 0, 0, 0, u16::try_from(scale).map_err(|_| too_long)?);
            return Ok(());
        }
        let first_group = place.div_euclid(4) + i64::from(place.rem_euclid(4) > 0);
        let weight = i16::try_from(first_group - 1).map_err(|_| too_long)?;
        // Zeros that fill the first group from the left.
        let fill = usize::try_from(first_group * 4 - place).map_err(|_| too_long)?;
        let count = (fill + total - leading).div_ceil(4);
        u16::try_from(count).ok().filter(|count| *count < 0x7FFF).ok_or(too_long)?;
        let sign = if self.negative { NEGATIVE } else { 0 };
        head(out, count, weight, sign, u16::try_from(scale).map_err(|_| too_long)?);
        let mut padded =
            std::iter::repeat_n(0, fill).chain(digits().skip(leading)).chain(std::iter::repeat_n(0, 3));
        for _ in 0..count {
            let group = padded.by_ref().take(4).fold(0_u16, |group, digit| group * 10 + digit);
            out.extend_from_slice(&group.to_be_bytes());
        }
        Ok(())
    }
}

/// Appends the digits of a cell, without its length before it: as the server writes a numeric, every digit behind
/// the point kept. `false` says that it is `NaN`, `Infinity` or `-Infinity` instead; `None` that the cell has another
/// form, and then nothing is appended.
#[must_use]
pub fn digits(cell: &[u8], out: &mut Vec<u8>) -> Option<bool> {
    let word = |at: usize| Some(u16::from_be_bytes(*cell.get(at..)?.first_chunk::<2>()?));
    let (count, weight, sign, scale) = (word(0)?, word(2)?.cast_signed(), word(4)?, word(6)?);
    let name = match sign {
        0 | NEGATIVE => None,
        NAN => Some("NaN"),
        INFINITY => Some("Infinity"),
        NEGATIVE_INFINITY => Some("-Infinity"),
        _ => return None,
    };
    if let Some(name) = name {
        out.extend_from_slice(name.as_bytes());
        return Some(false);
    }
    let (groups, rest) = cell.get(8..)?.as_chunks::<2>();
    let valid = groups.len() == usize::from(count) && rest.is_empty();
    if !valid || groups.iter().any(|group| u16::from_be_bytes(*group) > 9999) {
        return None;
    }
    // The group of that power of 10,000.
    let group = |power: i32| {
        let at = usize::try_from(i32::from(weight) - power).ok();
        at.and_then(|at| groups.get(at)).map_or(0, |group| u16::from_be_bytes(*group))
    };
    if sign == NEGATIVE {
        out.push(b'-');
    }
    let mut powers = (0..=i32::from(weight).max(0)).rev();
    let first = powers.by_ref().find(|power| *power == 0 || group(*power) > 0).unwrap_or(0);
    let four = four_digits(group(first));
    let leading = four.iter().take(3).take_while(|digit| **digit == b'0').count();
    out.extend_from_slice(four.get(leading..).unwrap_or_default());
    for power in powers {
        out.extend_from_slice(&four_digits(group(power)));
    }
    if scale > 0 {
        out.push(b'.');
        let end = out.len() + usize::from(scale);
        for power in 1..=i32::from(scale.div_ceil(4)) {
            out.extend_from_slice(&four_digits(group(-power)));
        }
        out.truncate(end);
    }
    Some(true)
}

/// The number of a cell, without its length before it, times 10 to the power of `scale`; `None` when that is no
/// whole number of at most 38 digits.
#[must_use]
pub fn scaled(cell: &[u8], scale: u8) -> Option<i128> {
    let word = |at: usize| Some(u16::from_be_bytes(*cell.get(at..)?.first_chunk::<2>()?));
    let (weight, sign) = (i32::from(word(2)?.cast_signed()), word(4)?);
    let (groups, rest) = cell.get(8..)?.as_chunks::<2>();
    if !rest.is_empty() || (sign != 0 && sign != NEGATIVE) {
        return None;
    }
    let mut number = 0_i128;
    for group in groups {
        number = number.checked_mul(10_000)?.checked_add(i128::from(u16::from_be_bytes(*group)))?;
    }
    // Decimal digits that the last group stands to the left of where the scale ends.
    let shift = 4 * (weight + 1 - i32::try_from(groups.len()).ok()?) + i32::from(scale);
    let power = 10_i128.checked_pow(shift.unsigned_abs());
    let number = match (number, power) {
        (0, _) => 0,
        (number, Some(power)) if shift >= 0 => number.checked_mul(power)?,
        (number, Some(power)) if number % power == 0 => number / power,
        _ => return None,
    };
    let number = (number.unsigned_abs() < 10_u128.pow(38)).then_some(number)?;
    Some(if sign == NEGATIVE { -number } else { number })
}

fn four_digits(group: u16) -> [u8; 4] {
    [1000, 100, 10, 1].map(|unit| b'0' + u8::try_from(group / unit % 10).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{decimal, digits, scaled, text};

    /// What is written is read back: each is the other's test, and the server is the test of both elsewhere.
    fn read(cell: &[u8]) -> String {
        assert_eq!(cell[..4], u32::try_from(cell.len() - 4).unwrap().to_be_bytes());
        let mut out = Vec::new();
        digits(&cell[4..], &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn of_text(value: &str) -> String {
        let mut out = Vec::new();
        text(value, &mut out).unwrap();
        read(&out)
    }

    fn of_decimal(value: i128, scale: u8) -> String {
        let mut out = Vec::new();
        decimal(value, scale, &mut out);
        read(&out)
    }

    #[test]
    fn a_cell_is_a_whole_number_at_its_scale_or_none() {
        let at = |value: &str, scale| {
            let mut out = Vec::new();
            text(value, &mut out).unwrap();
            scaled(&out[4..], scale)
        };
        for (value, scale, number) in [
            ("0", 2, Some(0)),
            ("12.30", 2, Some(1230)),
            ("-0.01", 2, Some(-1)),
            ("10000", 0, Some(10_000)),
            ("1e8", 3, Some(100_000_000_000)),
            ("12345678.9", 4, Some(123_456_789_000)),
            ("0.00001200", 8, Some(1200)),
            ("1.005", 2, None),
            ("99999999999999999999999999999999999999", 0, Some(10_i128.pow(38) - 1)),
            ("100000000000000000000000000000000000000", 0, None),
            ("9999999999999999999999999999999999999", 2, None),
            ("NaN", 2, None),
            ("-Infinity", 2, None),
        ] {
            assert_eq!(at(value, scale), number, "{value} {scale}");
        }
    }

    #[test]
    fn text_keeps_every_digit() {
        for value in
            ["0", "1", "-1.10", "10000", "99999999.00010000", "0.00001", "123456789012345678901234567890.5"]
        {
            assert_eq!(of_text(value), value);
        }
        for (value, same) in [
            ("1e5", "100000"),
            ("1.50e1", "15.0"),
            ("-2E-7", "-0.0000002"),
            (".5", "0.5"),
            ("-0.00", "0.00"),
            ("007", "7"),
        ] {
            assert_eq!(of_text(value), same, "{value}");
        }
    }

    #[test]
    fn the_servers_own_cells_are_read() {
        // As PostgreSQL sends 1234567.00010, -0.00001200, 0.00, 100000000 and 12345678e8.
        let cases: [(&[u16], &str); 5] = [
            (&[3, 1, 0, 5, 123, 4567, 1], "1234567.00010"),
            (&[1, 0xfffe, 0x4000, 8, 1200], "-0.00001200"),
            (&[0, 0, 0, 2], "0.00"),
            (&[1, 2, 0, 0, 1], "100000000"),
            (&[2, 3, 0, 0, 1234, 5678], "1234567800000000"),
        ];
        for (words, expected) in cases {
            let cell: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
            let mut out = Vec::new();
            assert_eq!(digits(&cell, &mut out), Some(true));
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
        for words in [&[0, 0, 0xc000, 0][..], &[0, 0, 0xd000, 0x20], &[0, 0, 0xf000, 0x20]] {
            let cell: Vec<u8> = words.iter().flat_map(|word: &u16| word.to_be_bytes()).collect();
            assert_eq!(digits(&cell, &mut Vec::new()), Some(false));
        }
        for cell in [&[0; 7][..], &[0, 1, 0, 0, 0, 0, 0, 0], &[0, 1, 0, 0, 0, 0, 0, 0, 0x27, 0x10]] {
            assert_eq!(digits(cell, &mut Vec::new()), None);
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for value in ["", "-", ".", "1e", "1x", "1.2.3", "٣", "1e99999999999", "1e-20000", "nan"] {
            assert!(text(value, &mut Vec::new()).is_err(), "{value}");
        }
    }

    #[test]
    fn decimals_of_all_scales_are_exact() {
        let most = 10_i128.pow(38) - 1;
        for scale in 0..=38 {
            for value in [0, 1, -1, 9_999, 10_000, -123_456_789, i128::from(u64::MAX) + 1, most, -most] {
                let digits = format!("{:0>width$}", value.unsigned_abs(), width = usize::from(scale) + 1);
                let (whole, part) = digits.split_at(digits.len() - usize::from(scale));
                let point = if scale > 0 { "." } else { "" };
                let sign = if value < 0 { "-" } else { "" };
                assert_eq!(
                    of_decimal(value, scale),
                    format!("{sign}{whole}{point}{part}"),
                    "{value} {scale}"
                );
            }
        }
    }
}
