//! The root manifest alone decides versions and lints.

use super::tree::Tree;

/// Members that give a version, or that do not take the workspace's lints.
pub(crate) fn manifests(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in tree.files.iter().filter(|(path, _)| path.ends_with("/Cargo.toml")) {
        if !text.contains("[lints]\nworkspace = true") {
            findings.push(format!("{path}: `[lints]` with `workspace = true` is missing"));
        }
        let mut section = "";
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.starts_with('[') {
                section = line;
            } else if section.ends_with("dependencies]") && line.contains('=') && !takes_workspace(line) {
                findings
                    .push(format!("{path}:{}: `{line}`: versions stand in the root manifest only", at + 1));
            }
        }
    }
    findings
}

fn takes_workspace(line: &str) -> bool {
    line.starts_with('#') || line.replace(' ', "").contains("workspace=true")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINE: &str = "[package]\nname = \"x\"\n\n[lints]\nworkspace = true\n\n[dependencies]\nserde.workspace = true\ncolumns = { workspace = true, features = [\"x\"] }\n";

    #[test]
    fn versions_from_the_workspace_are_fine() {
        assert_eq!(manifests(&Tree::of(&[("crates/x/Cargo.toml", FINE)])), Vec::<String>::new());
    }

    #[test]
    fn a_version_of_its_own_is_found() {
        let text = format!("{FINE}\n[dev-dependencies]\ntempfile = \"3\"\n");
        let findings = manifests(&Tree::of(&[("crates/x/Cargo.toml", &text)]));
        assert!(findings[0].contains("`tempfile = \"3\"`"), "{findings:?}");
    }

    #[test]
    fn lints_of_its_own_are_found() {
        assert_eq!(manifests(&Tree::of(&[("crates/x/Cargo.toml", &FINE.replace("[lints]\n", ""))])).len(), 1);
    }
}
