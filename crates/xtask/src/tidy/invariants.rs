//! The invariants of ARCHITECTURE.md: each row of its table names tests that exist.

use std::collections::HashSet;

use super::{rust::functions, tree::Tree};

/// The page that states them.
const PAGE: &str = "ARCHITECTURE.md";
const COUNT: usize = 9;

/// Invariants without a row, rows without a test, tests that are not there.
pub(crate) fn invariants(tree: &Tree) -> Vec<String> {
    let Some(page) = tree.files.get(PAGE) else {
        return vec![format!("{PAGE} is missing")];
    };
    let tests: HashSet<&str> = tree
        .rust()
        .flat_map(|(_, text)| {
            let in_proptest = text.contains("proptest!");
            functions(text).into_iter().filter(move |function| function.is_test || in_proptest)
        })
        .map(|function| function.name)
        .collect();
    (1..=COUNT).filter_map(|number| judge(page, number, &tests)).collect()
}

fn judge(page: &str, number: usize, tests: &HashSet<&str>) -> Option<String> {
    let Some(row) = page.lines().find(|line| line.starts_with(&format!("| I{number} |"))) else {
        return Some(format!("{PAGE}: there is no row for I{number}"));
    };
    let last_cell = row.trim_end_matches(['|', ' ']).rsplit('|').next().unwrap_or_default();
    let named: Vec<&str> = last_cell.split('`').skip(1).step_by(2).collect();
    if named.is_empty() {
        return Some(format!("{PAGE}: I{number} names no test"));
    }
    let missing = named.iter().find(|name| !tests.contains(name.rsplit("::").next().unwrap_or(name)))?;
    Some(format!("{PAGE}: I{number} names the test {missing}, which does not exist"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(row: &str) -> Tree {
        let rows = (1..=8).map(|number| format!("| I{number} | said | `cut::order_is_kept` |"));
        let rows = rows.collect::<Vec<_>>().join("\n");
        let test = "#[test]\nfn order_is_kept() {\n}\nfn no_test() {\n}\n";
        Tree::of(&[(PAGE, &format!("{rows}\n{row}\n")), ("crates/load/src/cut.rs", test)])
    }

    #[test]
    fn rows_that_name_tests_are_fine() {
        assert_eq!(
            invariants(&tree("| I9 | said | `order_is_kept`, `order_is_kept` |")),
            Vec::<String>::new()
        );
    }

    #[test]
    fn an_invariant_without_a_row_or_a_test_is_found() {
        for (row, finding) in [
            ("", "no row for I9"),
            ("| I9 | said | |", "names no test"),
            ("| I9 | said | `gone` |", "gone, which does not exist"),
            ("| I9 | said | `no_test` |", "no_test, which does not exist"),
        ] {
            let findings = invariants(&tree(row));
            assert!(findings.len() == 1 && findings[0].contains(finding), "{findings:?}");
        }
    }
}
