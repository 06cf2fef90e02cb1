//! What went wrong, from what an installer printed.

use crate::{InstallerSaid, PackagesError};

/// So many of its last lines are kept.
const LINES: usize = 12;
/// So much of each.
const LETTERS: usize = 240;

/// What an installer printed.
pub(crate) struct Printed {
    pub(crate) stdout: String,
    stderr: String,
}

impl Printed {
    pub(crate) fn new(stdout: &[u8], stderr: &[u8]) -> Self {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Self { stdout: text(stdout), stderr: text(stderr) }
    }

    fn has(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.stderr.contains(word) || self.stdout.contains(word))
    }

    fn last_lines(&self) -> InstallerSaid {
        let text = if self.stderr.trim().is_empty() { &self.stdout } else { &self.stderr };
        let lines: Vec<String> = text.lines().filter(|line| says_something(line)).map(shortened).collect();
        InstallerSaid(lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default().to_vec())
    }

    /// What stands between the two, the first time.
    fn between(&self, before: &str, after: &str) -> Option<String> {
        let at = self.stderr.find(before)? + before.len();
        let rest = self.stderr.get(at..)?;
        Some(rest.get(..rest.find(after)?)?.trim().to_owned())
    }
}

fn says_something(line: &str) -> bool {
    !line.trim().is_empty() && !line.contains("[notice]") && !line.contains("Retrying (")
}

/// Without what steers a terminal, without passwords in addresses, and not endless.
fn shortened(line: &str) -> String {
    let text: String = without_password(line).chars().filter(|letter| !letter.is_control()).collect();
    match text.char_indices().nth(LETTERS) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

/// `https://me:secret@host` → `https://****@host`.
fn without_password(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        text.push_str(before);
        let end = after.find(['/', ' ', '\'', '"', '`', '>']).unwrap_or(after.len());
        let (host, tail) = after.split_at(end);
        match host.rsplit_once('@') {
            Some((_, host)) => text.extend(["****@", host]),
            None => text.push_str(host),
        }
        rest = tail;
    }
    text + rest
}

const HASHES: [&str; 2] = ["DO NOT MATCH THE HASHES", "Hash mismatch for"];
const UNREACHABLE: [&str; 11] = [
    "Retrying (Retry(",
    "Failed to establish a new connection",
    "Name or service not known",
    "Temporary failure in name resolution",
    "Could not resolve host",
    "Failed to connect to",
    "Network is unreachable",
    "error sending request",
    "tcp connect error",
    "Network connectivity is disabled",
    "network was disabled",
];
const CONFLICT: [&str; 2] = ["ResolutionImpossible", "requirements are unsatisfiable"];
const BUILD: [&str; 5] = [
    "subprocess-exited-with-error",
    "metadata-generation-failed",
    "Failed to build",
    "Failed building wheel",
    "build backend",
];

/// The error that it is.
pub(crate) fn diagnose(installer: &'static str, about: &str, printed: &Printed) -> PackagesError {
    let (requirements, said) = (about.to_owned(), printed.last_lines());
    if printed.has(&HASHES) {
        return PackagesError::HashMismatch { requirements, said };
    }
    if let Some(error) = no_version(about, printed) {
        return error;
    }
    let forbidden = std::env::var_os("PIP_NO_INDEX").is_some_and(|value| !value.is_empty() && value != "0");
    let nothing_found = printed.has(&["(from versions: none)"]);
    if printed.has(&UNREACHABLE) || (nothing_found && forbidden) {
        return PackagesError::Offline { requirements, said };
    }
    let missing = printed.between("No matching distribution found for ", "\n");
    let missing = missing.or_else(|| printed.between("Because ", " was not found in the package registry"));
    if let Some(requirement) = missing {
        return PackagesError::NoPackage { requirement, said };
    }
    if printed.has(&CONFLICT) {
        return PackagesError::Conflict { requirements, said };
    }
    if printed.has(&BUILD) {
        return PackagesError::Build { requirements, said };
    }
    PackagesError::Installer { installer, requirements, said }
}

/// The package is there, but no version of it fits.
fn no_version(about: &str, printed: &Printed) -> Option<PackagesError> {
    if let Some(requirement) = printed.between("there is no version of ", " and ") {
        return Some(PackagesError::NoVersion { requirement, said: printed.last_lines() });
    }
    let other_python = printed.between("require a different python version: ", "\n");
    let versions = printed.between("(from versions: ", ")").filter(|versions| versions != "none");
    if versions.is_none() && other_python.is_none() {
        return None;
    }
    let requirement = printed.between("No matching distribution found for ", "\n");
    let mut lines = Vec::new();
    if let Some(versions) = versions {
        let all: Vec<_> = versions.split(", ").collect();
        let last = all.get(all.len().saturating_sub(10)..).unwrap_or_default();
        lines.push(format!("the last versions are {}", last.join(", ")));
    }
    if let Some(ignored) = other_python {
        let all: Vec<_> = ignored.split("; ").collect();
        let last = all.get(all.len().saturating_sub(3)..).unwrap_or_default();
        lines.push(format!("there are versions for other Pythons: {}", last.join("; ")));
    }
    let requirement = requirement.unwrap_or_else(|| about.to_owned());
    Some(PackagesError::NoVersion { requirement, said: InstallerSaid(lines) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(stderr: &str) -> (String, String, String) {
        let error = diagnose("pip", "tap-x==1", &Printed::new(b"Collecting", stderr.as_bytes()));
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        (error.code().to_owned(), error.to_string(), cause)
    }

    #[test]
    fn what_pip_says_is_understood() {
        for (code, stderr) in [
            (
                "E0604",
                "ERROR: Could not find a version that satisfies the requirement tap-x==1 (from versions: none)\nERROR: No matching distribution found for tap-x==1\n",
            ),
            (
                "E0605",
                "ERROR: Could not find a version that satisfies the requirement tap-x==1 (from versions: 2, 3)\nERROR: No matching distribution found for tap-x==1\n",
            ),
            (
                "E0605",
                "ERROR: Ignored the following versions that require a different python version: 1.0 Requires-Python >=3.12\nERROR: Could not find a version that satisfies the requirement tap-x==1 (from versions: none)\nERROR: No matching distribution found for tap-x==1\n",
            ),
            (
                "E0606",
                "ERROR: Cannot install a and b because these package versions have conflicting dependencies.\nERROR: ResolutionImpossible: for help visit\n",
            ),
            (
                "E0607",
                "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If\n    Expected sha256 00\n         Got        11\n",
            ),
            ("E0608", "  error: subprocess-exited-with-error\n  x pg_config not found\n"),
            (
                "E0609",
                "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError'\nERROR: Could not find a version that satisfies the requirement six (from versions: none)\nERROR: No matching distribution found for six\n",
            ),
            ("E0610", "ERROR: 403 Client Error: Forbidden for url: https://host/simple\n"),
        ] {
            assert_eq!(told(stderr).0, code, "{stderr}");
        }
    }

    #[test]
    fn what_uv_says_is_understood() {
        for (code, stderr) in [
            (
                "E0604",
                "error: No solution found when resolving dependencies\n  cause: Because tap-x was not found in the package registry and you require tap-x, we can conclude that your requirements are unsatisfiable.\n",
            ),
            (
                "E0605",
                "error: No solution found\n  cause: Because there is no version of tap-x==9 and you require tap-x==9, we can conclude that your requirements are unsatisfiable.\n",
            ),
            (
                "E0606",
                "error: No solution found\n  cause: Because you require six==1.16.0 and six==1.15.0, we can conclude that your requirements are unsatisfiable.\n",
            ),
            ("E0607", "error: Failed to download `six==1.16.0`\n  cause: Hash mismatch for `six==1.16.0`\n"),
            (
                "E0609",
                "error: Request failed after 3 retries\n  cause: Failed to fetch: http://127.0.0.1:9/simple/six/\n  cause: tcp connect error\n",
            ),
        ] {
            assert_eq!(told(stderr).0, code, "{stderr}");
        }
    }

    #[test]
    fn a_wrong_version_is_told_with_those_there_are() {
        let (_, message, cause) = told(
            "ERROR: Could not find a version that satisfies the requirement tap-x==1 (from versions: 2, 3)\nERROR: No matching distribution found for tap-x==1\n",
        );
        assert_eq!(message, "there is no version of it that fits `tap-x==1`");
        assert_eq!(cause, "the last versions are 2, 3");
    }

    #[test]
    fn passwords_of_an_index_are_not_told() {
        let (_, _, cause) = told("ERROR: 401 for url: https://me:s3cret@host/simple/tap-x\n\u{1b}[31mred\n");
        assert!(!cause.contains("s3cret") && cause.contains("https://****@host/simple"), "{cause}");
        assert!(!cause.contains('\u{1b}'));
    }
}
