//! What the checks look at: the text files of the tree that git knows or would add, and the members.

use std::{collections::BTreeMap, fs};

use anyhow::Result;

use crate::{
    packages::{Package, members},
    shell::{output, program, root},
};

/// The project as the checks see it.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// Path from the root, with `/`, to text. Files that are not UTF-8 are not here.
    pub(crate) files: BTreeMap<String, String>,
    /// The workspace's members.
    pub(crate) members: Vec<Package>,
}

impl Tree {
    /// Reads the repository.
    pub(crate) fn read() -> Result<Self> {
        let words = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let listed = output(&mut program("git", &words))?;
        let read = |path: &str| Some((path.to_owned(), fs::read_to_string(root().join(path)).ok()?));
        let files = listed.split('\0').filter(|path| !path.is_empty()).filter_map(read).collect();
        Ok(Self { files, members: members()? })
    }

    /// The Rust files of crates, taps, targets and tests.
    pub(crate) fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .filter(|(path, _)| path.strip_suffix(".rs").is_some())
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }
}

#[cfg(test)]
impl Tree {
    /// A made-up tree.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        Self { files, members: Vec::new() }
    }
}
