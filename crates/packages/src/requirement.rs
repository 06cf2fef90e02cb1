//! What a project asks for.

use crate::{PackagesError, Result};

/// Packages that share an environment, and the Python under them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// As pip takes them: `tap-x==1.2`, `tap-x[extra]>=1`, `git+https://host/x@commit`. The first is what is run, the
    /// others are for it.
    pub requirements: Vec<String>,
    /// `3.11`; `None` leaves it to the lock, then to `python3`.
    pub python: Option<String>,
}

impl Wanted {
    /// Refuses what an installer would take for a flag or a file of this machine.
    pub(crate) fn check(&self) -> Result<()> {
        let empty = || PackagesError::BadRequirement { requirement: String::new(), reason: "it is empty" };
        if self.requirements.is_empty() {
            return Err(empty());
        }
        for text in &self.requirements {
            if let Some(reason) = fault(text) {
                return Err(PackagesError::BadRequirement { requirement: text.clone(), reason });
            }
        }
        match &self.python {
            Some(python) if !is_version(python) => Err(PackagesError::BadPython(python.clone())),
            _ => Ok(()),
        }
    }

    /// All of them in one line, for people.
    pub(crate) fn shown(&self) -> String {
        self.requirements.join(", ")
    }
}

fn fault(text: &str) -> Option<&'static str> {
    if text.trim().is_empty() {
        return Some("it is empty");
    }
    if text.starts_with('-') {
        return Some("it is a flag of the installer, and those come from its own settings and variables");
    }
    if text.contains(char::is_control) {
        return Some("it is more than one line");
    }
    if is_address(text) {
        return None;
    }
    if !text.starts_with(|letter: char| letter.is_ascii_alphanumeric()) || text.contains("file:") {
        return Some("a file or folder of one machine cannot be locked; run it with command:");
    }
    let rest = text.trim_start_matches(is_name_letter);
    let follows = rest.trim_start().chars().next();
    if follows.is_none_or(|letter| "[=<>!~@;(".contains(letter)) {
        None
    } else if text.contains(char::is_whitespace) {
        Some("several packages are a list: [one, another]")
    } else {
        Some("after the name comes a version, such as ==1.2.3")
    }
}

fn is_name_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "-_.".contains(letter)
}

/// Whether it says where the package lies, and not its name.
fn is_address(text: &str) -> bool {
    text.starts_with("git+") || text.starts_with("https://") || text.starts_with("http://")
}

fn is_version(text: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('.').is_some_and(|(major, minor)| is_number(major) && is_number(minor))
}

/// The name of the package in a requirement, as indexes compare names; `None` where only its address is given.
pub(crate) fn name(requirement: &str) -> Option<String> {
    if is_address(requirement) {
        return None;
    }
    let end = requirement.find(|letter| !is_name_letter(letter)).unwrap_or(requirement.len());
    Some(normal(requirement.get(..end)?))
}

/// What a package is called by its requirement, whatever the version: its name, or the end of its address.
pub fn known_as(requirement: &str) -> String {
    name(requirement).unwrap_or_else(|| {
        let last = address(requirement).trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        normal(last.trim_end_matches(".git"))
    })
}

/// `Tap_X.y` and `tap-x-y` are one name (PEP 503).
pub(crate) fn normal(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for letter in name.chars() {
        if "-_.".contains(letter) {
            if !normal.ends_with('-') {
                normal.push('-');
            }
        } else {
            normal.push(letter.to_ascii_lowercase());
        }
    }
    normal
}

/// The address in a requirement without what chooses a version in it: `https://host/x` of `git+https://host/x@main`.
pub(crate) fn address(requirement: &str) -> &str {
    let text = requirement.split('#').next().unwrap_or(requirement);
    let text = text.strip_prefix("git+").unwrap_or(text);
    let path = text.find("://").map_or(0, |at| at + 3);
    let path = text.get(path..).and_then(|rest| rest.find('/')).map_or(text.len(), |at| path + at);
    match text.get(path..).and_then(|rest| rest.rfind('@')) {
        Some(at) => text.get(..path + at).unwrap_or(text),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Option<&'static str> {
        fault(text)
    }

    #[test]
    fn what_pip_takes_as_a_package_is_taken() {
        for text in [
            "tap-x",
            "tap-x==1.2.3",
            "tap_x[s3, gz] >= 1, < 2",
            "tap-x ; python_version < '3.12'",
            "tap-x @ git+https://host/x@0123abc",
            "git+https://host/x.git@v1#subdirectory=taps/x",
            "https://host/tap_x-1.0-py3-none-any.whl",
        ] {
            assert_eq!(check(text), None, "{text}");
        }
    }

    #[test]
    fn flags_files_and_two_in_one_are_refused() {
        for (text, word) in [
            ("", "empty"),
            ("-e .", "flag"),
            ("--index-url=https://evil", "flag"),
            ("./taps/mine", "command:"),
            ("/srv/taps/mine", "command:"),
            ("tap-x @ file:///srv/x", "command:"),
            ("tap-x tap-y", "list"),
            ("tap-x==1\n--pre", "line"),
            ("tap-x/y", "version"),
        ] {
            assert!(check(text).is_some_and(|reason| reason.contains(word)), "{text}: {:?}", check(text));
        }
    }

    #[test]
    fn python_is_asked_for_by_two_numbers() {
        for (text, is) in [("3.11", true), ("3.9", true), ("3", false), ("3.11.7", false), ("3.x", false)] {
            assert_eq!(is_version(text), is, "{text}");
        }
    }

    #[test]
    fn names_and_addresses_are_found_in_requirements() {
        assert_eq!(name("Tap_X.y[z]==1").as_deref(), Some("tap-x-y"));
        assert_eq!(name("git+https://host/x@1"), None);
        assert_eq!(address("git+https://me@host/x.git@v1#egg=x"), "https://me@host/x.git");
        assert_eq!(address("git+https://host/x"), "https://host/x");
    }
}
