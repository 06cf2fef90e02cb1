//! UUIDs and bytes, which JSON has only as text.

use super::{
    Misfit, Wider,
    number::unreadable,
    text::{quoted, unescaped},
};

/// A value that is no hexadecimal digit.
const NO_DIGIT: u8 = 0xff;

const DIGITS: [u8; 256] = {
    let mut table = [NO_DIGIT; 256];
    let mut digit = 0;
    while digit < 16 {
        table[b"0123456789abcdef"[digit as usize] as usize] = digit;
        table[b"0123456789ABCDEF"[digit as usize] as usize] = digit;
        digit += 1;
    }
    table
};

/// A UUID in its one usual form, 8-4-4-4-12. Any other string is text: rather a wider column than a changed value.
pub(crate) fn uuid(raw: &str) -> Result<Option<[u8; 16]>, Misfit> {
    let inside = quoted(raw).ok_or(Misfit::WrongType)?;
    if inside.is_empty() {
        return Ok(None);
    }
    inside.try_into().ok().and_then(canonical).map(Some).ok_or(Misfit::Wider(Wider::Text))
}

fn canonical(text: &[u8; 36]) -> Option<[u8; 16]> {
    const PAIRS: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
    let mut value = [0; 16];
    let mut wrong = 0;
    for (byte, at) in value.iter_mut().zip(PAIRS) {
        let (high, low) = (DIGITS[usize::from(text[at])], DIGITS[usize::from(text[at + 1])]);
        wrong |= high | low;
        *byte = (high << 4) | (low & 15);
    }
    let hyphens = text[8] == b'-' && text[13] == b'-' && text[18] == b'-' && text[23] == b'-';
    (hyphens && wrong < 16).then_some(value)
}

/// Adds bytes given in hexadecimal, with Postgres's `\x` before them or without.
pub(crate) fn binary(raw: &str, out: &mut Vec<u8>) -> Result<(), Misfit> {
    let inside = quoted(raw).ok_or(Misfit::WrongType)?;
    let text = unescaped(inside);
    let digits = text.strip_prefix(b"\\x").unwrap_or(&text);
    if !digits.len().is_multiple_of(2) {
        return Err(unreadable(raw));
    }
    for pair in digits.chunks_exact(2) {
        let (high, low) = (DIGITS[usize::from(pair[0])], DIGITS[usize::from(pair[1])]);
        if high | low > 15 {
            return Err(unreadable(raw));
        }
        out.push((high << 4) | low);
    }
    Ok(())
}
