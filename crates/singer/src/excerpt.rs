//! What of a refused line may be shown: its framing, never a record's values.

use std::fmt::Write as _;

/// Longest excerpt, in bytes of the line.
const LIMIT: usize = 120;

/// An escaped excerpt of a line for an error text.
///
/// A line that does not begin with `{` is a stray print and is shown up to 120 bytes. Of a line that does,
/// only the property names up to the record are shown, since its values may be a record's.
#[must_use]
pub fn framing_excerpt(line: &[u8]) -> String {
    let trimmed = line.trim_ascii_start();
    if trimmed.first() == Some(&b'{') { names_only(trimmed) } else { escape(trimmed) }
}

fn escape(bytes: &[u8]) -> String {
    let shown = bytes.get(..LIMIT).unwrap_or(bytes);
    let mut text = shown.escape_ascii().to_string();
    if bytes.len() > LIMIT {
        text.push('…');
    }
    text
}

/// Keeps the top-level property names and the values of `type` and `stream`; every other value becomes `…`.
fn names_only(line: &[u8]) -> String {
    let mut text = String::from("{");
    let mut scan = Scan { line, at: 1 };
    while text.len() < LIMIT {
        let Some(name) = scan.string() else { break };
        if text.len() > 1 {
            text.push_str(", ");
        }
        let _ = write!(text, "\"{}\": ", name.escape_ascii());
        let value = if name == b"type" || name == b"stream" { scan.string() } else { None };
        match value {
            Some(value) => {
                let _ = write!(text, "\"{}\"", escape(value));
            }
            None => text.push('…'),
        }
        if name == b"record" || !scan.skip_value() {
            break;
        }
    }
    text.push_str(" …");
    text
}

/// A forgiving scanner over the top level of one object.
struct Scan<'a> {
    line: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    /// The next string, when nothing but separators lies before it.
    fn string(&mut self) -> Option<&'a [u8]> {
        let mut at = self.at;
        while matches!(self.line.get(at), Some(b' ' | b'\t' | b',' | b':')) {
            at += 1;
        }
        if self.line.get(at) != Some(&b'"') {
            return None;
        }
        let end = string_end(self.line, at)?;
        self.at = end + 1;
        self.line.get(at + 1..end)
    }

    /// Moves behind the next comma of the top level; false at the end of the line.
    fn skip_value(&mut self) -> bool {
        let mut depth = 0_usize;
        while let Some(byte) = self.line.get(self.at) {
            match byte {
                b'"' => match string_end(self.line, self.at) {
                    Some(end) => self.at = end,
                    None => return false,
                },
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth == 0 => return false,
                b'}' | b']' => depth -= 1,
                b',' if depth == 0 => {
                    self.at += 1;
                    return true;
                }
                _ => {}
            }
            self.at += 1;
        }
        false
    }
}

/// Where the string that opens at `start` closes.
fn string_end(line: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match line.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::framing_excerpt;

    #[test]
    fn a_stray_print_is_shown() {
        assert_eq!(framing_excerpt(b"Starting sync\xff"), "Starting sync\\xff");
    }

    #[test]
    fn values_of_a_record_are_never_shown() {
        let line = br#"{"type": "RECORD", "stream": "users", "record": {"email": "ada@example.com""#;
        assert_eq!(framing_excerpt(line), r#"{"type": "RECORD", "stream": "users", "record": … …"#);
        assert_eq!(framing_excerpt(br#"{"email": "ada@example.com", "id": 7}"#), r#"{"email": …, "id": … …"#);
        assert!(!framing_excerpt(br#"{"type": "RECORD", "value": "ada@exam"#).contains("ada"));
    }
}
