//! Every error code has its page, every page its code and its three parts.

use std::collections::BTreeMap;

use super::{
    rust::{is_test_file, product_code},
    tree::Tree,
};

const PARTS: [&str; 3] = ["## Meaning", "## Causes", "## What to do"];

/// Codes without a page, pages without a code, pages that miss a part.
pub(crate) fn error_pages(tree: &Tree) -> Vec<String> {
    let mut codes: BTreeMap<&str, &str> = BTreeMap::new();
    let places = ["crates/", "targets/", "taps/"];
    for (path, text) in tree.rust().filter(|(path, _)| places.iter().any(|place| path.starts_with(place))) {
        if !is_test_file(path) && !path.starts_with("crates/xtask/") {
            codes.extend(codes_in(product_code(text)).map(|code| (code, path)));
        }
    }
    let mut findings = Vec::new();
    for (code, path) in &codes {
        if !tree.files.contains_key(&format!("docs/errors/{code}.md")) {
            findings.push(format!("{path}: {code} has no page docs/errors/{code}.md"));
        }
    }
    for (path, text) in &tree.files {
        let Some(code) = path.strip_prefix("docs/errors/").and_then(|name| name.strip_suffix(".md")) else {
            continue;
        };
        if !is_code(code) {
            continue;
        }
        if !codes.contains_key(code) {
            findings.push(format!("{path}: nothing says {code}: remove the page"));
        }
        if !text.starts_with(&format!("# {code}: ")) {
            findings
                .push(format!("{path}: the first line must be `# {code}: ` and the error in a few words"));
        }
        for part in PARTS.iter().filter(|part| !text.lines().any(|line| line == **part)) {
            findings.push(format!("{path}: the part `{part}` is missing"));
        }
    }
    findings
}

/// Every `"E0203"` with its quotes.
fn codes_in(text: &str) -> impl Iterator<Item = &str> {
    text.split('"').filter(|piece| is_code(piece))
}

fn is_code(text: &str) -> bool {
    text.len() == 5 && text.starts_with('E') && text[1..].bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# E0203: no JSON\n\n## Meaning\n\n## Causes\n\n## What to do\n";
    const CODE: (&str, &str) =
        ("crates/load/src/error.rs", "fn code() { \"E0203\" }\n#[cfg(test)]\n\"E0999\"\n");

    #[test]
    fn a_code_and_its_page_are_fine() {
        let tree = Tree::of(&[CODE, ("docs/errors/E0203.md", PAGE), ("docs/errors/README.md", "")]);
        assert_eq!(error_pages(&tree), Vec::<String>::new());
    }

    #[test]
    fn a_code_without_a_page_and_a_page_without_a_code_are_found() {
        assert!(error_pages(&Tree::of(&[CODE]))[0].contains("has no page"));
        assert!(error_pages(&Tree::of(&[("docs/errors/E0203.md", PAGE)]))[0].contains("nothing says E0203"));
    }

    #[test]
    fn a_page_that_misses_a_part_is_found() {
        let page = PAGE.replace("## Causes\n", "").replace("# E0203: ", "# ");
        let findings = error_pages(&Tree::of(&[CODE, ("docs/errors/E0203.md", &page)]));
        assert_eq!(findings.len(), 2, "{findings:?}");
    }
}
