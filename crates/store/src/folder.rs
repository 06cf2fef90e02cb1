use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::{PipelineName, Result, RunId, Store, StoreError};

/// The longest part of a file's name that is made from a pipeline's name; file systems stop at 255 bytes.
const LONGEST_NAME: usize = 180;

/// The folder of one run: `.tapster/runs/<id>/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder {
    /// The folder itself.
    pub path: PathBuf,
    /// What the tap wrote to stderr, byte for byte.
    pub tap_log: PathBuf,
    /// What the target wrote to stderr, where it is a program of its own.
    pub target_log: PathBuf,
    /// What tapster logged of this run.
    pub run_log: PathBuf,
}

impl RunFolder {
    fn at(path: PathBuf) -> Self {
        let log = |name: &str| path.join(name);
        Self { tap_log: log("tap.log"), target_log: log("target.log"), run_log: log("run.log"), path }
    }
}

impl Store {
    /// Makes the run's folder for its logs (0700), if it is not there.
    pub fn make_run_folder(&self, run: &RunId) -> Result<RunFolder> {
        let folder = self.run_folder(run);
        make_private_folder(&folder.path)?;
        Ok(folder)
    }

    /// Where the run's logs are, whether or not they exist.
    pub fn run_folder(&self, run: &RunId) -> RunFolder {
        RunFolder::at(self.folder().join("runs").join(run.to_string()))
    }
}

/// Makes a folder and its parents that only its owner may enter; one that exists is left as it is.
pub(crate) fn make_private_folder(path: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(file_error("create", path))
}

/// Keeps the whole folder out of git without a line in the project's own `.gitignore`.
pub(crate) fn write_gitignore(folder: &Path) -> Result<()> {
    let path = folder.join(".gitignore");
    match OpenOptions::new().write(true).create_new(true).open(&path) {
        Ok(mut file) => file.write_all(b"*\n").map_err(file_error("write", &path)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(file_error("create", &path)(error)),
    }
}

pub(crate) fn file_error(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::File { what, path, source }
}

/// A file name for a pipeline's lock: injective, without a separator, never `.` or `..`, of bounded length.
pub(crate) fn lock_file_name(name: &PipelineName) -> String {
    let mut encoded = encode(&name.environment);
    encoded.push('@');
    encoded.push_str(&encode(&name.pipeline));
    if encoded.len() > LONGEST_NAME {
        // Encoded text is ASCII, so any place is a character's end.
        let digest = Sha256::digest(encoded.as_bytes());
        encoded.truncate(LONGEST_NAME - 33);
        encoded.push('#');
        for byte in digest.iter().take(16) {
            push_hex(&mut encoded, *byte);
        }
    }
    encoded.push_str(".lock");
    encoded
}

/// Percent-encodes everything but lower-case letters, digits, `-` and `_`. Capitals are encoded, too:
/// some file systems do not tell `A` from `a`.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_' {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            push_hex(&mut encoded, byte);
        }
    }
    encoded
}

fn push_hex(text: &mut String, byte: u8) {
    for digit in [byte >> 4, byte & 15] {
        text.extend(char::from_digit(digit.into(), 16));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::lock_file_name;
    use crate::PipelineName;

    #[test]
    fn no_name_leaves_the_locks_folder() {
        for pipeline in ["../../etc/passwd", "/etc/passwd", "..", ".", "", "a\0b", "a\nb"] {
            let file = lock_file_name(&PipelineName::new("prod", pipeline));
            assert!(!file.contains(['/', '\0', '\n']), "{file}");
            assert!(file.starts_with("prod@"), "{file}");
        }
    }

    #[test]
    fn long_names_stay_short_and_apart() {
        let one = lock_file_name(&PipelineName::new("", format!("{}1", "é".repeat(400))));
        let two = lock_file_name(&PipelineName::new("", format!("{}2", "é".repeat(400))));
        assert!(one.len() < 255);
        assert_ne!(one, two);
    }

    proptest! {
        #[test]
        fn two_names_never_share_a_file(a in ".{0,9}", b in ".{0,9}", c in ".{0,9}", d in ".{0,9}") {
            let one = PipelineName::new(a, b);
            let two = PipelineName::new(c, d);
            let same_file = lock_file_name(&one).eq_ignore_ascii_case(&lock_file_name(&two));
            prop_assert_eq!(one == two, same_file);
        }
    }
}
