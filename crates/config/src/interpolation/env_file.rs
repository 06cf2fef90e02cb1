use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use super::InterpolationFault;
use crate::place::{Place, SourceFile};
use crate::problem::{ConfigError, Problem};

/// The names and values of `env_file`. The process's own environment is stronger.
#[derive(Clone, Default)]
pub(crate) struct EnvFile {
    /// As people are told; empty without one.
    pub(crate) name: String,
    /// Whether it is there: one that is not is no error, for a server has its variables from elsewhere.
    pub(crate) exists: bool,
    values: HashMap<String, String>,
}

impl fmt::Debug for EnvFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "EnvFile({}, {} values)", self.name, self.values.len())
    }
}

impl EnvFile {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Reads `NAME=value` lines: `#` comments, `export` in front, quotes around; no interpolation.
    pub(crate) fn read(root: &Path, name: &str) -> Result<Self, ConfigError> {
        let text = match fs::read_to_string(root.join(name)) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Self { name: name.to_owned(), exists: false, values: HashMap::new() });
            }
            Err(error) => {
                let (path, reason) = (name.to_owned(), error.to_string());
                return Err(Problem::nowhere(InterpolationFault::EnvFileUnreadable { path, reason }).into());
            }
        };
        let mut values = HashMap::new();
        let mut problems = Vec::new();
        // Its lines hold secrets: the errors show the place, never the line.
        let file = Arc::new(SourceFile { name: name.to_owned(), text: String::new() });
        for (at, line) in text.lines().enumerate() {
            let line = line.trim_start_matches('\u{feff}').trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let Some((name, value)) = assignment(line) else {
                let place = Place { file: Arc::clone(&file), line: at + 1, column: 1, width: 1 };
                problems.push(Problem::new(InterpolationFault::EnvFileLine, &place));
                continue;
            };
            values.insert(name, value);
        }
        ConfigError::unless_none(problems)?;
        Ok(Self { name: name.to_owned(), exists: true, values })
    }
}

fn assignment(line: &str) -> Option<(String, String)> {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=')?;
    let name = name.trim();
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let value = is_name.then(|| unquote(value.trim()))??;
    Some((name.to_owned(), value))
}

/// Single quotes keep everything, double quotes know `\n`, `\"` and `\\`; without quotes ` #` begins a comment.
fn unquote(value: &str) -> Option<String> {
    let after_quote = |rest: &str| rest.trim_start().is_empty() || rest.trim_start().starts_with('#');
    if let Some(inside) = value.strip_prefix('\'') {
        let (inside, rest) = inside.split_once('\'')?;
        return after_quote(rest).then(|| inside.to_owned());
    }
    let Some(inside) = value.strip_prefix('"') else {
        return Some(value.split(" #").next().unwrap_or_default().trim_end().to_owned());
    };
    let mut text = String::new();
    let mut characters = inside.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return after_quote(characters.as_str()).then_some(text),
            '\\' => match characters.next()? {
                'n' => text.push('\n'),
                escaped @ ('"' | '\\' | '$') => text.push(escaped),
                other => text.extend(['\\', other]),
            },
            character => text.push(character),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_an_env_file_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let text = "# c\nA=1 # one\nexport B='x # \"y'\nC=\"l1\\nl2 \\\"q\\\"\" # c\n\nD=a=b#c\nE=\n";
        fs::write(folder.path().join(".env"), text).unwrap();
        let file = EnvFile::read(folder.path(), ".env").unwrap();
        let values = ["A", "B", "C", "D", "E"].map(|name| file.get(name).unwrap());
        assert_eq!(values, ["1", "x # \"y", "l1\nl2 \"q\"", "a=b#c", ""]);
    }

    #[test]
    fn a_bad_line_is_named_by_place_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(".env"), "A=1\nhunter2\nB=\"open\n").unwrap();
        let error = EnvFile::read(folder.path(), ".env").unwrap_err();
        assert_eq!(
            error.problems().map(|problem| problem.place().unwrap().line()).collect::<Vec<_>>(),
            [2, 3]
        );
        assert!(!error.to_string().contains("hunter2") && !error.to_string().contains("open"), "{error}");
    }

    #[test]
    fn a_missing_file_is_remembered_as_such() {
        let folder = tempfile::tempdir().unwrap();
        let file = EnvFile::read(folder.path(), ".env").unwrap();
        assert!(!file.exists && file.get("A").is_none());
    }
}
