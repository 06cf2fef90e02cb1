use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use super::forms::forms;

/// What stands in the place of a secret.
pub const MASK: &str = "********";

/// Every value that must not be seen, gathered while values are resolved. Clones share what they know, so that one
/// handed out early hides what is resolved late.
#[derive(Clone, Default)]
pub struct Secrets {
    /// Longest first, so that a secret inside of another does not break it up.
    forms: Arc<RwLock<Vec<String>>>,
}

impl Secrets {
    /// Hides the value from now on. Values under 4 bytes stand in too much else and are not looked for.
    pub fn remember(&self, value: &str) {
        let mut known = self.forms.write().unwrap_or_else(PoisonError::into_inner);
        for form in forms(value) {
            if !known.contains(&form) {
                known.push(form);
            }
        }
        known.sort_by_key(|form| std::cmp::Reverse(form.len()));
    }

    /// The text with every secret in it starred out: as it is, as in JSON, in a URL, in base64.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let known = self.forms.read().unwrap_or_else(PoisonError::into_inner);
        let mut shown = Cow::Borrowed(text);
        for form in known.iter() {
            if shown.contains(form.as_str()) {
                shown = Cow::Owned(shown.replace(form.as_str(), MASK));
            }
        }
        shown
    }

    /// Whether there is anything to hide.
    pub fn is_empty(&self) -> bool {
        self.forms.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secrets(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_hidden_in_every_form() {
        let secrets = Secrets::default();
        let early = secrets.clone();
        secrets.remember("p@ss \"wörd\"/?");
        for text in [
            "p@ss \"wörd\"/?",
            r#"p@ss \"wörd\"/?"#,
            r#"p@ss \"w\u00f6rd\"/?"#,
            "p%40ss%20%22w%C3%B6rd%22%2F%3F",
            "p%40ss+%22w%C3%B6rd%22%2F%3F",
            "cEBzcyAid8O2cmQiLz8=",
        ] {
            assert_eq!(early.redact(&format!("a {text} b")), "a ******** b", "{text}");
        }
    }

    #[test]
    fn other_text_is_borrowed_and_short_values_are_left() {
        let secrets = Secrets::default();
        secrets.remember("");
        secrets.remember("abc");
        assert!(secrets.is_empty());
        secrets.remember("longer-secret");
        assert!(matches!(secrets.redact("abc"), Cow::Borrowed("abc")));
    }

    #[test]
    fn a_secret_inside_another_does_not_break_it_up() {
        let secrets = Secrets::default();
        secrets.remember("horse");
        secrets.remember("correct-horse-battery");
        assert_eq!(secrets.redact("x correct-horse-battery y horse"), "x ******** y ********");
    }

    #[test]
    fn a_key_is_hidden_line_by_line() {
        let secrets = Secrets::default();
        secrets.remember("-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG\n-----END KEY-----");
        assert_eq!(secrets.redact("read MIIEvQIBADANBgkqhkiG"), "read ********");
    }
}
