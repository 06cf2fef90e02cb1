use std::collections::HashMap;
use std::fmt;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use super::{InterpolationFault, private};
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

    /// Reads `NAME=value` lines: `#` comments, `export` in front, quotes around; no interpolation. A file
    /// that others may read or write is refused. `named` is where the project's file names it.
    pub(crate) fn read(root: &Path, name: &str, named: &Place) -> Result<Self, ConfigError> {
        let text = match private::read(&root.join(name), name) {
            Ok(text) => text.map_err(|fault| Problem::new(fault, named))?,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Self { name: name.to_owned(), exists: false, values: HashMap::new() });
            }
            Err(error) => {
                let (path, reason) = (name.to_owned(), error.to_string());
                return Err(
                    Problem::new(InterpolationFault::EnvFileUnreadable { path, reason }, named).into()
                );
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
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn read(folder: &Path) -> Result<EnvFile, ConfigError> {
        let file = Arc::new(SourceFile { name: "tapster.yml".into(), text: "env_file: .env\n".into() });
        EnvFile::read(folder, ".env", &Place { file, line: 1, column: 11, width: 4 })
    }

    fn with(text: &str, mode: u32) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        folder
    }

    #[test]
    fn a_file_that_others_have_rights_on_is_refused_with_its_mode_and_place() {
        for mode in [0o644, 0o640, 0o620, 0o604, 0o601, 0o777] {
            let folder = with("A=hunter2\n", mode);
            let error = read(folder.path()).unwrap_err();
            assert_eq!(
                (error.code(), error.problems().next().unwrap().place().unwrap().line()),
                ("E0126", 1)
            );
            let text = error.to_string();
            assert!(text.contains(&format!("{mode:04o}")) && !text.contains("hunter2"), "{text}");
            let path = folder.path().join(".env");
            assert_eq!(error.hint().unwrap(), format!("chmod 600 {}", path.display()));
        }
        for mode in [0o600, 0o400, 0o700] {
            assert_eq!(read(with("A=1\n", mode).path()).unwrap().get("A"), Some("1"), "{mode:o}");
        }
    }

    #[test]
    fn lines_of_an_env_file_are_read() {
        let text = "# c\nA=1 # one\nexport B='x # \"y'\nC=\"l1\\nl2 \\\"q\\\"\" # c\n\nD=a=b#c\nE=\n";
        let file = read(with(text, 0o600).path()).unwrap();
        let values = ["A", "B", "C", "D", "E"].map(|name| file.get(name).unwrap());
        assert_eq!(values, ["1", "x # \"y", "l1\nl2 \"q\"", "a=b#c", ""]);
    }

    #[test]
    fn a_bad_line_is_named_by_place_and_never_shown() {
        let error = read(with("A=1\nhunter2\nB=\"open\n", 0o600).path()).unwrap_err();
        assert_eq!(
            error.problems().map(|problem| problem.place().unwrap().line()).collect::<Vec<_>>(),
            [2, 3]
        );
        assert!(!error.to_string().contains("hunter2") && !error.to_string().contains("open"), "{error}");
    }

    #[test]
    fn a_missing_file_is_remembered_as_such() {
        let folder = tempfile::tempdir().unwrap();
        let file = read(folder.path()).unwrap();
        assert!(!file.exists && file.get("A").is_none());
    }
}
