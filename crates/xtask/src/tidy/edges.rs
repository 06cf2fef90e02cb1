//! The diagram of ARCHITECTURE.md as a test: which member may depend on which, and where the targets meet.

use super::{rust::is_test_file, tree::Tree};

/// A member and all that its product code may depend on. Dependencies for tests are free.
const ALLOWED: [(&str, &[&str]); 15] = [
    ("singer", &[]),
    ("store", &[]),
    ("columns", &["singer"]),
    ("config", &["singer"]),
    ("packages", &[]),
    ("postgres", &[]),
    ("conformance", &["singer", "columns"]),
    ("tap-sdk", &["singer", "columns"]),
    ("target-api", &["columns"]),
    ("target-testkit", &["columns", "target-api"]),
    ("load", &["singer", "columns", "target-api"]),
    ("runner", &["singer", "target-api", "load", "store"]),
    (
        "cli",
        &[
            "singer",
            "columns",
            "target-api",
            "load",
            "store",
            "config",
            "packages",
            "conformance",
            "runner",
            "targets/*",
        ],
    ),
    ("xtask", &[]),
    ("tests", &["*"]),
];

/// What every member of the folder may depend on.
const TAP: &[&str] = &["singer", "columns", "tap-sdk"];
const TARGET: &[&str] = &["columns", "target-api", "load"];

/// Forbidden edges, members that the diagram does not know, and target names in a second file of cli.
pub(crate) fn edges(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for member in &tree.members {
        let Some(allowed) = allowed(&member.name) else {
            findings
                .push(format!("{}: not in the diagram: add it to ARCHITECTURE.md and edges.rs", member.name));
            continue;
        };
        for dependency in &member.member_dependencies {
            let matches = |pattern: &&str| {
                *pattern == "*" || pattern == dependency || (*pattern == "targets/*" && is_target(dependency))
            };
            if !allowed.iter().any(matches) && !is_shared(&member.name, dependency) {
                findings
                    .push(format!("{} must not depend on {dependency}: see ARCHITECTURE.md", member.name));
            }
        }
    }
    findings.extend(second_places_of_targets(tree));
    findings
}

fn allowed(member: &str) -> Option<&'static [&'static str]> {
    if let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == member) {
        return Some(allowed);
    }
    match member.split_once('-') {
        Some(("tap", _)) => Some(TAP),
        Some(("target", _)) => Some(TARGET),
        _ => None,
    }
}

/// What the tap and the target of one system share lies in the crate with its name: tap-postgres and target-postgres
/// may depend on postgres.
fn is_shared(member: &str, dependency: &str) -> bool {
    matches!(member.split_once('-'), Some(("tap" | "target", system)) if system == dependency)
}

fn is_target(member: &str) -> bool {
    member.starts_with("target-") && ALLOWED.iter().all(|(name, _)| *name != member)
}

/// The command line knows concrete targets in one file only.
fn second_places_of_targets(tree: &Tree) -> Vec<String> {
    let targets: Vec<String> = tree
        .members
        .iter()
        .filter(|member| is_target(&member.name))
        .map(|member| format!("{}::", member.name.replace('-', "_")))
        .collect();
    let files: Vec<&str> = tree
        .rust()
        .filter(|(path, _)| path.starts_with("crates/cli/src/") && !is_test_file(path))
        .filter(|(_, text)| targets.iter().any(|target| text.contains(target.as_str())))
        .map(|(path, _)| path)
        .collect();
    if files.len() < 2 {
        return Vec::new();
    }
    vec![format!("concrete targets are named in more than one file of cli: {}", files.join(", "))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packages::Package;

    fn member(name: &str, dependencies: &[&str]) -> Package {
        Package {
            name: name.into(),
            member_dependencies: dependencies.iter().map(|name| (*name).to_owned()).collect(),
            ..Package::default()
        }
    }

    #[test]
    fn an_edge_against_the_diagram_is_found() {
        let fine = [
            member("load", &["singer"]),
            member("target-duckdb", &["load"]),
            member("cli", &["target-duckdb"]),
            member("tap-postgres", &["postgres"]),
        ];
        assert_eq!(edges(&Tree { members: fine.to_vec(), ..Tree::default() }), Vec::<String>::new());
        for (from, to) in [
            ("runner", "target-duckdb"),
            ("target-duckdb", "target-postgres"),
            ("target-api", "singer"),
            ("tap-csv", "load"),
            ("tap-csv", "postgres"),
            ("cli", "target-testkit"),
        ] {
            let tree = Tree { members: vec![member(from, &[to])], ..Tree::default() };
            assert_eq!(edges(&tree), [format!("{from} must not depend on {to}: see ARCHITECTURE.md")]);
        }
    }

    #[test]
    fn a_member_outside_the_diagram_is_found() {
        let tree = Tree { members: vec![member("plumbing", &[])], ..Tree::default() };
        assert!(edges(&tree)[0].contains("not in the diagram"));
    }

    #[test]
    fn targets_in_a_second_file_of_cli_are_found() {
        let text = "use target_jsonl::JsonlTarget;\n";
        let mut tree = Tree::of(&[("crates/cli/src/targets.rs", text)]);
        tree.members = vec![member("target-jsonl", &[])];
        assert!(edges(&tree).is_empty());
        tree.files.insert("crates/cli/src/commands/run.rs".into(), text.into());
        assert_eq!(edges(&tree).len(), 1);
    }
}
