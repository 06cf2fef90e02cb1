//! `cargo x generate` writes the files under docs/reference/ that the program itself knows; `cargo x check`
//! refuses them when they are stale.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail};

use crate::shell::{cargo, output, root};

/// A file under docs/reference/ and what tapster is asked to print into it.
const GENERATED: [(&str, &[&str]); 2] =
    [("pipeline.schema.json", &["schema", "pipeline"]), ("project.schema.json", &["schema", "project"])];

/// Writes them all.
pub(crate) fn generate() -> Result<()> {
    for (name, words) in GENERATED {
        let path = root().join("docs/reference").join(name);
        fs::write(&path, printed(words)?).with_context(|| format!("could not write {}", path.display()))?;
    }
    Ok(())
}

/// Fails, naming the first file that says something else than the program.
pub(crate) fn fresh() -> Result<()> {
    for (name, words) in GENERATED {
        same(&root().join("docs/reference").join(name), &printed(words)?)?;
    }
    Ok(())
}

fn printed(words: &[&str]) -> Result<String> {
    output(cargo(&["run", "--quiet", "--package", "cli", "--bin", "tapster", "--"]).args(words))
}

fn same(path: &Path, wanted: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    bail!("{} is stale: run `cargo x generate` and commit it", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_or_missing_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipeline.schema.json");
        assert!(same(&path, "{}\n").is_err());
        fs::write(&path, "{ }\n").unwrap();
        assert!(same(&path, "{}\n").unwrap_err().to_string().contains("cargo x generate"));
        fs::write(&path, "{}\n").unwrap();
        same(&path, "{}\n").unwrap();
    }
}
