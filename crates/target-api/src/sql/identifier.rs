//! Quoting. Every name that reaches SQL goes through here.

/// A name in double quotes, quotes in it doubled. NUL, which no warehouse allows, becomes U+FFFD.
#[must_use]
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\0', "\u{fffd}").replace('"', "\"\""))
}

/// A text in single quotes, for the few statements that take no parameters.
#[must_use]
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\0', "\u{fffd}").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::{literal, quoted};

    #[test]
    fn quotes_cannot_be_left() {
        assert_eq!(quoted(r#"a"; DROP TABLE t;--"#), r#""a""; DROP TABLE t;--""#);
        assert_eq!(literal("o'clock"), "'o''clock'");
    }
}
