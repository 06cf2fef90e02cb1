//! JSON strings to text.

use std::borrow::Cow;

use memchr::memchr;

use super::Misfit;
use crate::NulPolicy;

/// What stands for U+0000 and for half a surrogate pair.
const REPLACEMENT: char = '\u{fffd}';

/// The bytes between the quotes, still escaped; `None` when the value is no string.
pub(crate) fn quoted(raw: &str) -> Option<&[u8]> {
    match raw.as_bytes() {
        [b'"', inside @ .., b'"'] => Some(inside),
        _ => None,
    }
}

/// Text of a text column: a string's text, of any other value its JSON text (taps write numbers into string
/// columns, and losing them would be worse).
pub(crate) fn text(raw: &str, nul: NulPolicy, out: &mut Vec<u8>) -> Result<(), Misfit> {
    if let Some(inside) = quoted(raw) {
        return unescape(inside, nul, out);
    }
    out.extend_from_slice(raw.as_bytes());
    Ok(())
}

/// A short string that is to be read as something else, without its escapes.
pub(crate) fn unescaped(inside: &[u8]) -> Cow<'_, [u8]> {
    if memchr(b'\\', inside).is_none() {
        return Cow::Borrowed(inside);
    }
    let mut out = Vec::with_capacity(inside.len());
    // Nothing fails where U+0000 is kept.
    let _ = unescape(inside, NulPolicy::Keep, &mut out);
    Cow::Owned(out)
}

/// Adds the text of a JSON string, given between its quotes, to `out`.
#[inline]
pub(crate) fn unescape(inside: &[u8], nul: NulPolicy, out: &mut Vec<u8>) -> Result<(), Misfit> {
    match memchr(b'\\', inside) {
        None => {
            out.extend_from_slice(inside);
            Ok(())
        }
        Some(first) => unescape_from(inside, first, nul, out),
    }
}

fn unescape_from(inside: &[u8], first: usize, nul: NulPolicy, out: &mut Vec<u8>) -> Result<(), Misfit> {
    let mut rest = inside;
    let mut next = Some(first);
    while let Some(at) = next {
        let (plain, escape) = rest.split_at(at);
        out.extend_from_slice(plain);
        let (character, length) = escaped_character(escape);
        rest = escape.get(length..).unwrap_or_default();
        if character == '\0' {
            push_nul(nul, out)?;
        } else {
            push_char(character, out);
        }
        next = memchr(b'\\', rest);
    }
    out.extend_from_slice(rest);
    Ok(())
}

fn push_nul(nul: NulPolicy, out: &mut Vec<u8>) -> Result<(), Misfit> {
    match nul {
        NulPolicy::Keep => out.push(0),
        NulPolicy::Replace => push_char(REPLACEMENT, out),
        NulPolicy::Strip => {}
        NulPolicy::Fail => return Err(Misfit::Nul),
    }
    Ok(())
}

fn push_char(character: char, out: &mut Vec<u8>) {
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

/// The character of the escape that `bytes` begin with, and the escape's length. The text is valid JSON, so that
/// what cannot be is taken for U+FFFD.
fn escaped_character(bytes: &[u8]) -> (char, usize) {
    let simple = match bytes.get(1) {
        Some(b'n') => '\n',
        Some(b't') => '\t',
        Some(b'r') => '\r',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'u') => return unicode_escape(bytes),
        Some(&other) => char::from(other),
        None => REPLACEMENT,
    };
    (simple, 2)
}

/// `\uXXXX`, or two of them that make one character. Half a pair is U+FFFD.
pub(crate) fn unicode_escape(bytes: &[u8]) -> (char, usize) {
    let Some(first) = code_unit(bytes) else { return (REPLACEMENT, 2) };
    if (0xd800..0xdc00).contains(&first)
        && let Some(second) = bytes.get(6..).and_then(code_unit)
        && (0xdc00..0xe000).contains(&second)
    {
        let scalar = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return (char::from_u32(scalar).unwrap_or(REPLACEMENT), 12);
    }
    (char::from_u32(first).unwrap_or(REPLACEMENT), 6)
}

/// The UTF-16 code unit of the `\uXXXX` that `bytes` begin with.
fn code_unit(bytes: &[u8]) -> Option<u32> {
    let [b'\\', b'u', digits @ ..] = bytes.first_chunk::<6>()? else { return None };
    digits.iter().try_fold(0, |unit, &digit| Some(unit * 16 + char::from(digit).to_digit(16)?))
}

/// A string of a column whose values pass as their text, for example an interval; false for an empty one: NULL.
pub(crate) fn verbatim(raw: &str, nul: NulPolicy, out: &mut Vec<u8>) -> Result<bool, Misfit> {
    let inside = quoted(raw).ok_or(Misfit::WrongType)?;
    unescape(inside, nul, out).map(|()| !inside.is_empty())
}
