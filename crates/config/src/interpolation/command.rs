//! `${cmd:…}`: the first line of business of every secret store's own program.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// A secret store that does not answer in this time does not answer.
const PATIENCE: Duration = Duration::from_mins(1);
const MOST_BYTES: u64 = 1 << 20;

/// Runs a command line without a shell in the folder. Gives its output without the last newline, or what went wrong.
pub(super) fn run(line: &str, folder: &Path) -> Result<String, (String, String)> {
    let words = split(line).ok_or_else(|| (line.to_owned(), "has a quote that is not closed".to_owned()))?;
    let Some((program, arguments)) = words.split_first() else {
        return Err((line.to_owned(), "names no program".to_owned()));
    };
    let failed = |reason: String| (program.clone(), reason);
    let child = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // Straight to the terminal: a secret store may ask for a finger there.
        .stderr(Stdio::inherit())
        .spawn();
    let mut child = child.map_err(|error| failed(format!("cannot be started: {error}")))?;
    let (sender, receiver) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let result = stdout.take(MOST_BYTES).read_to_end(&mut bytes).map(|_| bytes);
            // The receiver is gone when patience ran out.
            drop(sender.send(result));
        });
    }
    let Ok(output) = receiver.recv_timeout(PATIENCE) else {
        // It may just have ended by itself: both are fine.
        drop(child.kill());
        drop(child.wait());
        return Err(failed(format!("did not end within {} s", PATIENCE.as_secs())));
    };
    let status = child.wait().map_err(|error| failed(error.to_string()))?;
    if !status.success() {
        return Err(failed(format!("failed ({status})")));
    }
    let output = output.map_err(|error| failed(format!("cannot be read: {error}")))?;
    let text = String::from_utf8(output).map_err(|_| failed("printed what is not UTF-8".to_owned()))?;
    match text.trim_end_matches(['\n', '\r']) {
        "" => Err(failed("printed nothing".to_owned())),
        text => Ok(text.to_owned()),
    }
}

/// Words as in a shell: quotes and `\`, and nothing else of a shell.
fn split(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            ' ' | '\t' | '\n' => words.extend(word.take()),
            '\'' => {
                let (inside, rest) = characters.as_str().split_once('\'')?;
                word.get_or_insert_default().push_str(inside);
                characters = rest.chars();
            }
            '"' => loop {
                match characters.next()? {
                    '"' => {
                        word.get_or_insert_default();
                        break;
                    }
                    '\\' => word.get_or_insert_default().push(characters.next()?),
                    inside => word.get_or_insert_default().push(inside),
                }
            },
            '\\' => word.get_or_insert_default().push(characters.next()?),
            character => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_like_a_shells_without_its_power() {
        let words = split(r#"op read "op://a b/c" 'x $Y' a\ b '' --k=v"#).unwrap();
        assert_eq!(words, ["op", "read", "op://a b/c", "x $Y", "a b", "", "--k=v"]);
        assert_eq!(split("a 'b"), None);
        assert_eq!(split("a; rm -rf | $(x)").unwrap(), ["a;", "rm", "-rf", "|", "$(x)"]);
    }

    #[test]
    fn the_output_is_the_value_and_failure_is_said() {
        let here = Path::new(".");
        assert_eq!(run("printf 's3cret\\n'", here).unwrap(), "s3cret");
        assert_eq!(run("sh -c 'echo x; exit 3'", here).unwrap_err().1, "failed (exit status: 3)");
        assert_eq!(run("true", here).unwrap_err().1, "printed nothing");
        assert!(run("no-such-program-here", here).unwrap_err().1.starts_with("cannot be started"));
    }
}
