//! How long files and functions may be.

use super::{rust::functions, tree::Tree};

/// Lines of a file: think above the first, refuse above the second.
const FILE: (usize, usize) = (400, 600);
/// Lines of a function.
const FUNCTION: usize = 80;
/// Tables and generated code, by name.
const EXCEPTED: [&str; 0] = [];

/// Files and functions over the limit.
pub(crate) fn sizes(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in tree.rust().filter(|(path, _)| !EXCEPTED.contains(path)) {
        let lines = text.lines().count();
        if lines > FILE.1 {
            findings.push(format!(
                "{path}: {lines} lines, at most {} are allowed: split it by what it does",
                FILE.1
            ));
        }
        for function in functions(text).iter().filter(|function| function.length > FUNCTION) {
            findings.push(format!(
                "{path}:{}: fn {} has {} lines, at most {FUNCTION} are allowed",
                function.line, function.name, function.length
            ));
        }
    }
    findings
}

/// Files that are on their way to the limit.
pub(crate) fn too_long_soon(tree: &Tree) -> Vec<String> {
    let long = tree.rust().map(|(path, text)| (path, text.lines().count()));
    let long = long.filter(|(path, lines)| (FILE.0 + 1..=FILE.1).contains(lines) && !EXCEPTED.contains(path));
    long.map(|(path, lines)| format!("{path}: {lines} lines: is it one room?")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_is_found_and_a_longish_one_warned_of() {
        let text = |lines: usize| "//! x\n".repeat(lines);
        let tree = |lines| Tree::of(&[("crates/load/src/cut.rs", text(lines).as_str())]);
        assert!(sizes(&tree(600)).is_empty() && too_long_soon(&tree(400)).is_empty());
        assert_eq!(sizes(&tree(601)).len(), 1);
        assert_eq!(too_long_soon(&tree(401)).len(), 1);
    }

    #[test]
    fn a_long_function_is_found_with_its_place() {
        let text = |lines: usize| format!("\nfn long() {{\n{}}}\n", "    step();\n".repeat(lines - 2));
        let tree = |lines| Tree::of(&[("crates/load/src/cut.rs", text(lines).as_str())]);
        assert!(sizes(&tree(80)).is_empty());
        let findings = sizes(&tree(81));
        assert_eq!(findings, ["crates/load/src/cut.rs:2: fn long has 81 lines, at most 80 are allowed"]);
    }
}
