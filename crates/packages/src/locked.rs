//! One entry of the lock: what exactly one environment holds.

use std::fmt::Write;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Wanted;
use crate::requirement::{address, name, normal};

/// What the requirements came to, for one version of Python.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LockedEnvironment {
    pub(crate) requirements: Vec<String>,
    /// `3.11`.
    pub(crate) python: String,
    /// `linux-x86_64` where only that was asked for; otherwise it holds everywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) platform: Option<String>,
    /// By name.
    pub(crate) packages: Vec<LockedPackage>,
}

/// One package, exactly: a version with the hashes of its files, or an address with hash or commit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LockedPackage {
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    /// `git+https://host/x@commit` or `https://host/x.whl`, where it is not from an index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<String>,
    /// Where it is installed: `sys_platform == 'win32'`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) marker: Option<String>,
    /// Of every file that may be installed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) sha256: Vec<String>,
}

/// This machine, as the lock names it: built files differ with it.
pub(crate) fn platform() -> String {
    format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH)
}

impl LockedEnvironment {
    /// Whether it is of the same key as another: the one takes the other's place.
    pub(crate) fn is_for(&self, requirements: &[String], python: &str) -> bool {
        self.requirements == requirements && self.python == python
    }

    /// Whether this machine can use it for what is wanted.
    pub(crate) fn serves(&self, wanted: &Wanted) -> bool {
        self.requirements == wanted.requirements
            && wanted.python.as_ref().is_none_or(|python| *python == self.python)
            && self.platform.as_ref().is_none_or(|platform| *platform == self::platform())
    }

    /// Names its folder: another content is another environment, so that one in use is never changed.
    pub(crate) fn short_hash(&self) -> String {
        // A tree of texts is always JSON.
        let text = serde_json::to_vec(self).unwrap_or_default();
        let mut hash = String::new();
        for byte in Sha256::digest(text).iter().take(6) {
            // Writing to a string cannot fail.
            let _ = write!(hash, "{byte:02x}");
        }
        hash
    }

    /// The requirements file of those that have hashes, and that of those a commit stands for.
    pub(crate) fn requirement_files(&self) -> [String; 2] {
        let lines = |is_commit: bool| {
            let packages = self.packages.iter().filter(move |package| package.is_commit() == is_commit);
            packages.map(LockedPackage::requirement_line).collect()
        };
        [lines(false), lines(true)]
    }

    /// `name==version` of all that have one, for a resolution that is to stay close.
    pub(crate) fn constraints(&self) -> String {
        let with_version = self.packages.iter().filter(|package| package.from.is_none());
        with_version
            .filter_map(|package| Some(format!("{}=={}\n", package.name, package.version.as_ref()?)))
            .collect()
    }

    /// The names of the packages that were asked for, in that order.
    pub(crate) fn requested(&self) -> Vec<&str> {
        let find = |requirement: &String| {
            let is_it = |package: &&LockedPackage| match (name(requirement), &package.from) {
                (Some(name), _) => name == package.name,
                (None, Some(from)) => address(from) == address(requirement),
                (None, None) => false,
            };
            self.packages.iter().find(is_it).map(|package| package.name.as_str())
        };
        self.requirements.iter().filter_map(find).collect()
    }
}

impl LockedPackage {
    /// A package of an index; the rest is filled in.
    pub(crate) fn named(text: &str) -> Self {
        Self { name: normal(text), version: None, from: None, marker: None, sha256: Vec::new() }
    }

    fn is_commit(&self) -> bool {
        self.from.as_ref().is_some_and(|from| from.starts_with("git+"))
    }

    fn requirement_line(&self) -> String {
        let mut line = match (&self.from, &self.version) {
            // Without its name: pip takes a repository of this machine so, and not with one.
            (Some(from), _) if self.is_commit() => from.clone(),
            (Some(from), _) => format!("{} @ {from}", self.name),
            (None, Some(version)) => format!("{}=={version}", self.name),
            (None, None) => self.name.clone(),
        };
        if let Some(marker) = &self.marker {
            line.extend([" ; ", marker]);
        }
        for hash in &self.sha256 {
            line.extend([" --hash=sha256:", hash]);
        }
        line + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_hashes_and_what_has_a_commit_are_installed_apart() {
        let six = LockedPackage {
            version: Some("1.17".into()),
            sha256: vec!["ab".into()],
            ..LockedPackage::named("six")
        };
        let tap =
            LockedPackage { from: Some("git+https://host/x@12".into()), ..LockedPackage::named("Tap_x") };
        let windows = LockedPackage {
            marker: Some("sys_platform == 'win32'".into()),
            version: Some("1".into()),
            ..LockedPackage::named("colorama")
        };
        let entry = LockedEnvironment {
            requirements: vec!["git+https://host/x@main".into()],
            python: "3.11".into(),
            platform: None,
            packages: vec![six, tap, windows],
        };
        let [hashed, commits] = entry.requirement_files();
        assert_eq!(hashed, "six==1.17 --hash=sha256:ab\ncolorama==1 ; sys_platform == 'win32'\n");
        assert_eq!(commits, "git+https://host/x@12\n");
        assert_eq!(entry.requested(), ["tap-x"]);
    }

    #[test]
    fn another_content_is_another_folder() {
        let entry = |python: &str| LockedEnvironment {
            requirements: vec!["tap-x".into()],
            python: python.into(),
            platform: None,
            packages: Vec::new(),
        };
        assert_ne!(entry("3.11").short_hash(), entry("3.12").short_hash());
        assert_eq!(entry("3.11").short_hash().len(), 12);
    }
}
