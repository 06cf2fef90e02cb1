//! What of a refused line may be shown: its framing, never a record's values.

use std::fmt::Write as _;

/// Longest excerpt, in bytes of the line.
const LIMIT: usize = 120;

/// Words of programs that say what they do. A record's value may be any other word.
const WORDS: &str = "a all an and as at bookmark call catalog completed config connected connecting connection could \
    critical data debug deprecationwarning discover discovering discovery done downloading emitting end \
    ended ending error exception extracting failed fatal fetched fetching file finished for found from \
    futurewarning getting got host http https in info is last line loaded loading message most new no \
    not of on page processing read reading recent record records request requesting retrying row rows \
    run running schema selected sending skipping start started starting state stream streams sync synced \
    syncing table tables tap the to total traceback url userwarning using version waiting warning was \
    with writing wrote";

/// An escaped excerpt of a line for an error text, which holds no value that a record may have.
///
/// Of a line that begins with `{` only the property names up to the record are shown. Any other line is a stray
/// print, of a log line or of a record: the words that log lines are made of are shown, of the rest the shape, with
/// `x` for a letter and `9` for a digit. 120 bytes at most.
#[must_use]
pub fn framing_excerpt(line: &[u8]) -> String {
    let trimmed = line.trim_ascii_start();
    if trimmed.first() == Some(&b'{') { names_only(trimmed) } else { shape(trimmed) }
}

fn shape(line: &[u8]) -> String {
    let shown = line.get(..LIMIT).unwrap_or(line);
    // A character that the limit cuts is shown as what it begins with.
    let mut text = String::new();
    for chunk in shown.utf8_chunks() {
        chunk.valid().split_inclusive(|c: char| !c.is_alphabetic()).for_each(|part| {
            let word = part.trim_end_matches(|c: char| !c.is_alphabetic());
            let is_known = WORDS.split(' ').any(|known| known.eq_ignore_ascii_case(word));
            text.extend(word.chars().map(|c| if is_known { c } else { 'x' }));
            for other in part.chars().skip(word.chars().count()) {
                match other {
                    other if other.is_numeric() => text.push('9'),
                    other if other.is_control() => text.extend(other.escape_debug()),
                    other => text.push(other),
                }
            }
        });
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    if line.len() > LIMIT {
        text.push('…');
    }
    text
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
    fn a_stray_print_is_told_by_its_words_and_its_shape() {
        let cases = [
            (&b"Starting sync\xff"[..], "Starting sync\\xff"),
            (b"INFO fetched 12 rows from orders", "INFO fetched 99 rows from xxxxxx"),
            (b"[1, \"SECRET\"]", "[9, \"xxxxxx\"]"),
            (b"ada@example.com,1815-12-10,\t", "xxx@xxxxxxx.xxx,9999-99-99,\\t"),
            ("(1, 'Zoë', None)".as_bytes(), "(9, 'xxx', xxxx)"),
            (b"", ""),
        ];
        for (line, expected) in cases {
            assert_eq!(framing_excerpt(line), expected);
        }
        assert_eq!(framing_excerpt("é".repeat(100).as_bytes()), format!("{}…", "x".repeat(60)));
    }

    #[test]
    fn values_of_a_record_are_never_shown() {
        let line = br#"{"type": "RECORD", "stream": "users", "record": {"email": "ada@example.com""#;
        assert_eq!(framing_excerpt(line), r#"{"type": "RECORD", "stream": "users", "record": … …"#);
        assert_eq!(framing_excerpt(br#"{"email": "ada@example.com", "id": 7}"#), r#"{"email": …, "id": … …"#);
        assert!(!framing_excerpt(br#"{"type": "RECORD", "value": "ada@exam"#).contains("ada"));
    }
}
