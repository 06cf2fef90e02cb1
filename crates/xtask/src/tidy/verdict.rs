//! Runs every check and says what they found.

use anyhow::{Result, bail};

use super::{
    edges::edges,
    error_pages::error_pages,
    invariants::invariants,
    layout::layout,
    manifests::manifests,
    names::names,
    paths::paths,
    sizes::{sizes, too_long_soon},
    tree::Tree,
};

const CHECKS: [fn(&Tree) -> Vec<String>; 8] =
    [edges, sizes, names, layout, error_pages, manifests, paths, invariants];

/// Fails when any check found something; warnings are printed and pass.
pub(crate) fn tidy() -> Result<()> {
    let tree = Tree::read()?;
    for warning in too_long_soon(&tree) {
        eprintln!("warning: {warning}");
    }
    let findings: Vec<String> = CHECKS.iter().flat_map(|check| check(&tree)).collect();
    for finding in &findings {
        eprintln!("  {finding}");
    }
    match findings.len() {
        0 => {
            eprintln!("tidy: {} files keep the house rules", tree.files.len());
            Ok(())
        }
        1 => bail!("tidy found 1 thing to mend"),
        count => bail!("tidy found {count} things to mend"),
    }
}
