//! JSON columns: the text as it came, but for what the target's JSON type refuses.

use memchr::memchr;

use super::{Misfit, text::unicode_escape};
use crate::{NulPolicy, ValueLimits};

/// Deepest nesting that is taken. Deeper values exhaust the stacks of readers, and no honest tap writes them.
pub(crate) const MAX_DEPTH: usize = 128;

/// Adds the JSON text of a value to `out`.
pub(crate) fn json(raw: &str, limits: &ValueLimits, out: &mut Vec<u8>) -> Result<(), Misfit> {
    let bytes = raw.as_bytes();
    // Each level takes two bytes, so that a short text cannot be too deep.
    if bytes.len() > 2 * MAX_DEPTH && depth(bytes) > MAX_DEPTH {
        return Err(Misfit::Deep);
    }
    let nul = match limits.nul {
        NulPolicy::Keep if limits.strict_json => NulPolicy::Replace,
        nul => nul,
    };
    if nul == NulPolicy::Keep {
        out.extend_from_slice(bytes);
        return Ok(());
    }
    rewrite(bytes, nul, limits.strict_json, out)
}

/// Copies JSON text with its `\u0000` treated by policy, and half surrogate pairs replaced where `strict`.
/// A backslash stands only inside strings, so that nothing else needs to be known of the text.
fn rewrite(bytes: &[u8], nul: NulPolicy, strict: bool, out: &mut Vec<u8>) -> Result<(), Misfit> {
    let mut rest = bytes;
    while let Some(at) = memchr(b'\\', rest) {
        let (plain, escape) = rest.split_at(at);
        out.extend_from_slice(plain);
        let (character, length) = match escape.get(1) {
            Some(b'u') => unicode_escape(escape),
            _ => ('\\', 2),
        };
        let length = length.min(escape.len());
        match (character, nul) {
            ('\0', NulPolicy::Fail) => return Err(Misfit::Nul),
            ('\0', NulPolicy::Strip) => {}
            ('\0', NulPolicy::Replace) => out.extend_from_slice(br"\ufffd"),
            ('\u{fffd}', _) if strict => out.extend_from_slice(br"\ufffd"),
            _ => out.extend_from_slice(&escape[..length]),
        }
        rest = &escape[length..];
    }
    out.extend_from_slice(rest);
    Ok(())
}

fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest, mut at) = (0_usize, 0, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = string_end(bytes, at),
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    deepest
}

/// Where the string that opens at `start` closes.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    loop {
        match bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
            None => return bytes.len(),
            Some(found) if bytes.get(at + found) == Some(&b'"') => return at + found,
            Some(found) => at += found + 2,
        }
    }
}
