//! `lib.rs` and `mod.rs` are tables of contents, and every library and program says at its door what it is.

use super::tree::Tree;

/// Code in a table of contents, and crates without a word at their door.
pub(crate) fn layout(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in tree.rust() {
        let name = path.rsplit('/').next().unwrap_or(path);
        if let Some((line, code)) = (name == "lib.rs" || name == "mod.rs").then(|| first_code(text)).flatten()
        {
            findings.push(format!("{path}:{line}: code in a table of contents: `{code}`"));
        }
        if is_door(path) && !text.starts_with("//!") {
            findings.push(format!("{path}: the file does not begin with `//!` and what it is for"));
        }
    }
    findings
}

/// `src/lib.rs`, `src/main.rs` and `src/bin/name.rs` of a member.
fn is_door(path: &str) -> bool {
    path.ends_with("/src/lib.rs") || path.ends_with("/src/main.rs") || path.contains("/src/bin/")
}

/// The first line that is neither comment, attribute, `mod name;` nor (a part of) a `use`.
fn first_code(text: &str) -> Option<(usize, &str)> {
    let mut inside: Option<char> = None;
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(end) = inside {
            inside = if line.ends_with(end) { None } else { inside };
            continue;
        }
        if line.is_empty() || line.starts_with("//") {
            continue;
        }
        let visible = line.strip_prefix("pub(crate) ").or_else(|| line.strip_prefix("pub ")).unwrap_or(line);
        let end = if line.starts_with('#') {
            ']'
        } else if visible.starts_with("use ") || (visible.starts_with("mod ") && line.ends_with(';')) {
            ';'
        } else {
            return Some((at + 1, line));
        };
        inside = (!line.ends_with(end)).then_some(end);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_contents_may_hold_modules_and_uses() {
        let text = "//! Why.\n\n#![cfg_attr(\n    test,\n    x\n)]\nmod cut;\npub mod step;\npub use cut::{\n    Cut,\n    fn_name,\n};\n#[cfg(test)]\nmod tests;\n";
        assert_eq!(layout(&Tree::of(&[("crates/load/src/lib.rs", text)])), Vec::<String>::new());
    }

    #[test]
    fn code_in_a_table_of_contents_is_found() {
        let text = "//! Why.\nmod cut;\n\npub fn helper() {}\n";
        let findings = layout(&Tree::of(&[("crates/load/src/decode/mod.rs", text)]));
        let expected = "crates/load/src/decode/mod.rs:4: code in a table of contents: `pub fn helper() {}`";
        assert_eq!(findings, [expected]);
        assert!(layout(&Tree::of(&[("crates/load/src/decode.rs", text)])).is_empty());
        assert_eq!(layout(&Tree::of(&[("a/src/lib.rs", "//! x\nmod tests {\n}\n")])).len(), 1);
    }

    #[test]
    fn a_program_without_a_word_at_its_door_is_found() {
        assert_eq!(layout(&Tree::of(&[("taps/tap-csv/src/main.rs", "fn main() {}\n")])).len(), 1);
        assert!(layout(&Tree::of(&[("taps/tap-csv/src/rows.rs", "fn main() {}\n")])).is_empty());
    }
}
