//! Decimal texts by their digits: nothing here passes through a double.

/// Longest run of zeros that an exponent may stand for. Postgres's own numerics end there.
const MAX_ZEROS: u64 = 131_072;

/// A decimal number as it is written: sign, digits before and behind the point, power of ten.
pub(crate) struct Decimal<'a> {
    negative: bool,
    before: &'a [u8],
    behind: &'a [u8],
    exponent: i64,
}

/// Why a number has no such form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotExact {
    /// It has digits behind the point, or more of them than fit.
    Fraction,
    /// It has too many digits.
    Digits,
}

impl<'a> Decimal<'a> {
    /// Reads `[+-]digits[.digits][e[+-]digits]`, with digits missing on one side of the point at most.
    pub(crate) fn read(text: &'a [u8]) -> Option<Self> {
        let (negative, text) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        let (before, rest) = digits(text);
        let (behind, rest) = match rest {
            [b'.', rest @ ..] => digits(rest),
            _ => (&[][..], rest),
        };
        let exponent = match rest {
            [] => 0,
            [b'e' | b'E', rest @ ..] => exponent(rest)?,
            _ => return None,
        };
        let some = !(before.is_empty() && behind.is_empty());
        some.then_some(Self { negative, before, behind, exponent })
    }

    /// The digits without zeros at either end, and the power of ten of the last one; `None` for zero.
    fn significant(&self) -> Option<(impl Iterator<Item = u8>, u64, i64)> {
        let all = || self.before.iter().chain(self.behind);
        let total = self.before.len() + self.behind.len();
        let leading = all().take_while(|digit| **digit == b'0').count();
        if leading == total {
            return None;
        }
        let trailing = all().rev().take_while(|digit| **digit == b'0').count();
        let kept = total - leading - trailing;
        let power = self.exponent.saturating_add(signed(trailing)).saturating_sub(signed(self.behind.len()));
        Some((all().skip(leading).take(kept).map(|digit| digit - b'0'), kept as u64, power))
    }

    /// The value times ten to the power of `scale`, when that is an integer of at most `precision` digits.
    pub(crate) fn scaled(&self, precision: u8, scale: u8) -> Result<i128, NotExact> {
        let Some((significant, count, power)) = self.significant() else { return Ok(0) };
        let power = power.saturating_add(i64::from(scale));
        let zeros = u64::try_from(power).map_err(|_| NotExact::Fraction)?;
        if count.saturating_add(zeros) > u64::from(precision.min(38)) {
            return Err(NotExact::Digits);
        }
        let zeros = std::iter::repeat_n(0, usize::try_from(zeros).unwrap_or_default());
        let value = significant.chain(zeros).fold(0_i128, |value, digit| value * 10 + i128::from(digit));
        Ok(if self.negative { -value } else { value })
    }

    /// The value as a 64-bit integer.
    pub(crate) fn integer(&self) -> Result<i64, NotExact> {
        i64::try_from(self.scaled(19, 0)?).map_err(|_| NotExact::Digits)
    }

    /// Adds the number as Postgres writes a numeric: no exponent, all digits behind the point kept, no sign of
    /// zero, no needless zeros in front. `most` is how many digits may stand before and behind the point.
    pub(crate) fn plain(&self, most: (usize, usize), out: &mut Vec<u8>) -> Result<(), NotExact> {
        let total = self.before.len() + self.behind.len();
        let leading = self.before.iter().chain(self.behind).take_while(|digit| **digit == b'0').count();
        let zero = leading == total;
        // Where the point stands, counted from the first digit that is written.
        let point = signed(self.before.len()).saturating_sub(signed(leading)).saturating_add(self.exponent);
        let point = if zero { 0 } else { point };
        let scale = signed(self.behind.len()).saturating_sub(self.exponent).max(0).unsigned_abs();
        let length = (total - leading) as u64;
        let in_front = u64::try_from(point).unwrap_or_default();
        if in_front > most.0 as u64 || scale > most.1 as u64 {
            return Err(NotExact::Digits);
        }
        if in_front.saturating_sub(length) > MAX_ZEROS || scale.saturating_sub(length) > MAX_ZEROS {
            return Err(NotExact::Digits);
        }
        if self.negative && !zero {
            out.push(b'-');
        }
        let mut written =
            self.before.iter().chain(self.behind).skip(leading).copied().chain(std::iter::repeat(b'0'));
        if in_front == 0 {
            out.push(b'0');
        }
        out.extend(written.by_ref().take(usize::try_from(in_front).unwrap_or_default()));
        if scale > 0 {
            let zeros = scale.min(point.min(0).unsigned_abs());
            out.push(b'.');
            out.extend(std::iter::repeat_n(b'0', usize::try_from(zeros).unwrap_or_default()));
            out.extend(written.take(usize::try_from(scale - zeros).unwrap_or_default()));
        }
        Ok(())
    }
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| byte.is_ascii_digit()).count())
}

fn exponent(text: &[u8]) -> Option<i64> {
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let (digits, rest) = digits(text);
    if digits.is_empty() || !rest.is_empty() {
        return None;
    }
    let size = digits
        .iter()
        .fold(0_i64, |size, digit| size.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    // Far beyond any limit, yet far from overflow when lengths of texts are added.
    let size = size.min(1 << 60);
    Some(if negative { -size } else { size })
}

fn signed(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}
