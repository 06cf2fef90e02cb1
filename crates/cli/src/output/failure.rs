use std::io::Write;

use serde::Serialize;
use tracing::Level;

use super::printer::print_json;
use super::style::{BAD, BOLD, DIM, HINT};
use super::words::{in_json, json_line, subject};
use crate::failure::Failure;

/// Tells a failure: on stderr for people, or as one line of JSON with `--log-format json`; with `--json` as the one
/// document on stdout.
pub(crate) fn print_failure(failure: &Failure, json: bool) {
    #[derive(Serialize)]
    struct Document<'a> {
        error: &'a Failure,
    }
    if json && print_json(&Document { error: failure }).is_ok() {
        return;
    }
    let text = if in_json() {
        json_line(Level::ERROR, &failure.message, Some(failure))
    } else {
        render(failure, subject())
    };
    let _ = anstream::stderr().write_all(text.as_bytes());
}

/// Tells the failure of one of several runs, on stderr.
pub(crate) fn print_failure_of(pipeline: &str, failure: &Failure) {
    let _ = anstream::stderr().write_all(render(failure, Some(pipeline)).as_bytes());
}

/// The word of a hidden verb to the tapster that started it: on stderr, uncoloured.
pub(crate) fn tell_plainly((code, text): (u8, String)) -> u8 {
    let _ = std::io::stderr().write_all(text.as_bytes());
    code
}

/// So many of a program's last lines are shown; the log has them all.
const LAST_LINES: usize = 5;

/// `error[E0505]: …`, with the pipeline where several talk at once, the causes, the tap's last lines, the hint. Further lines of a text are set in under its first.
pub(crate) fn render(failure: &Failure, subject: Option<&str>) -> String {
    let Failure { code, message, causes, hint, tap_said, target_said, .. } = failure;
    let mut text = format!("{BAD}error[{code}]{BAD:#}{BOLD}:{BOLD:#} ");
    if let Some(subject) = subject {
        text.push_str(&format!("{BOLD}{subject}:{BOLD:#} "));
    }
    let mut lines = message.trim_end().lines();
    text.push_str(&format!("{BOLD}{}{BOLD:#}\n", lines.next().unwrap_or_default()));
    lines.for_each(|line| text.extend([line, "\n"]));
    for cause in causes {
        text.push_str(&format!("  {DIM}because:{DIM:#} {}\n", set_in(cause, 11)));
    }
    for (side, said) in [("tap", tap_said), ("target", target_said)] {
        for line in said.iter().skip(said.len().saturating_sub(LAST_LINES)) {
            text.push_str(&format!("  {DIM}{side} said:{DIM:#} {line}\n"));
        }
    }
    if let Some(hint) = hint {
        text.push_str(&format!("  {HINT}hint:{HINT:#} {}\n", set_in(hint, 8)));
    }
    text
}

fn set_in(text: &str, columns: usize) -> String {
    text.trim_end().replace('\n', &format!("\n{}", " ".repeat(columns)))
}

#[cfg(test)]
mod tests {
    use super::render;
    use crate::failure::Failure;

    #[test]
    fn an_error_names_its_code_causes_and_hint() {
        let failure = Failure {
            code: "E0503".into(),
            message: "cannot create .tapster".into(),
            causes: vec!["the folder is in the way".into(), "two\nlines".into()],
            hint: Some("look\nhere".into()),
            exit_code: 69,
            target_said: Vec::new(),
            tap_said: vec!["CRITICAL no".into()],
        };
        let plain = anstream::adapter::strip_str(&render(&failure, None)).to_string();
        insta::assert_snapshot!(plain, @r"
        error[E0503]: cannot create .tapster
          because: the folder is in the way
          because: two
                   lines
          tap said: CRITICAL no
          hint: look
                here
        ");
        let named = anstream::adapter::strip_str(&render(&failure, Some("shop"))).to_string();
        assert!(named.starts_with("error[E0503]: shop: cannot create"), "{named}");
    }
}
