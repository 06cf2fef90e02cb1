//! What Python's `json` writes and JSON forbids: bare `NaN` and infinities, and lone surrogate escapes.
//!
//! Only lines that the strict parser refused come here, so it may be slow.

use std::borrow::Cow;

/// The line in strict JSON: bare `NaN`, `Infinity`, `-Infinity` as strings (number columns take those) and lone
/// surrogates as U+FFFD. `None` when there was nothing to mend.
#[must_use]
pub fn repaired(line: &str) -> Option<String> {
    let mut out = String::with_capacity(line.len() + 16);
    let mut rest = line;
    while let Some(quote) = rest.find('"') {
        let (outside, from_quote) = rest.split_at(quote);
        out.push_str(&numbers(outside));
        let end = string_end(from_quote)?;
        let (string, after) = from_quote.split_at(end);
        out.push_str(&surrogates(string));
        rest = after;
    }
    out.push_str(&numbers(rest));
    (out != line).then_some(out)
}

fn numbers(text: &str) -> Cow<'_, str> {
    if !text.contains('N') && !text.contains('I') {
        return Cow::Borrowed(text);
    }
    // The longer names first, each closed in quotes that the shorter ones no longer match.
    let marked = text.replace("-Infinity", "\u{1}").replace("Infinity", "\u{2}").replace("NaN", "\u{3}");
    let text =
        marked.replace('\u{1}', "\"-Infinity\"").replace('\u{2}', "\"Infinity\"").replace('\u{3}', "\"NaN\"");
    Cow::Owned(text)
}

/// Length of the string that opens `text`, quotes included.
fn string_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn surrogates(string: &str) -> Cow<'_, str> {
    if !string.contains("\\u") {
        return Cow::Borrowed(string);
    }
    let mut out = String::with_capacity(string.len());
    let mut rest = string;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let (written, length) = match (unit(escape), escape.get(6..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (escape.get(..12), 12),
            (Some(0xd800..=0xdfff), _) => (Some("\\ufffd"), 6),
            (Some(_), _) => (escape.get(..6), 6),
            (None, _) => (escape.get(..2), 2),
        };
        out.push_str(written.unwrap_or(escape));
        rest = escape.get(length..).unwrap_or("");
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The code unit of a `\uXXXX` escape at the start of `text`.
fn unit(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::repaired;

    #[test]
    fn what_python_writes_becomes_json() {
        let line = r#"{"a": NaN, "b": [-Infinity, Infinity], "c": "NaN \ud83d x \ud83d\ude00 \\ud83d \u0041", "N": 1}"#;
        let mended = r#"{"a": "NaN", "b": ["-Infinity", "Infinity"], "c": "NaN \ufffd x \ud83d\ude00 \\ud83d \u0041", "N": 1}"#;
        assert_eq!(repaired(line).as_deref(), Some(mended));
    }

    #[test]
    fn other_faults_stay() {
        assert_eq!(repaired(r#"{"a": tru}"#), None);
        assert_eq!(repaired(r#"{"a": "open"#), None);
        assert_eq!(repaired("Starting é"), None);
    }
}
