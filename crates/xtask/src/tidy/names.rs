//! Words that say nothing, or that mean something else in this field.

use super::tree::Tree;

/// Never a module, a folder or a crate.
const MODULES: [&str; 9] =
    ["utils", "util", "common", "helpers", "helper", "manager", "imp", "types", "misc"];

/// Never a part of a public type's name, and what to say instead.
const TYPE_WORDS: [(&str, &str); 8] = [
    ("Utils", "what it does"),
    ("Helper", "what it does"),
    ("Manager", "what it does"),
    ("Sink", "Target"),
    ("Destination", "Target"),
    ("Loader", "Target"),
    ("Extractor", "Tap"),
    ("Watermark", "Bookmark"),
];

/// Files, folders and public types with such a name.
pub(crate) fn names(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in tree.rust() {
        if let Some(word) = path.trim_end_matches(".rs").split('/').find(|part| MODULES.contains(part)) {
            findings.push(format!("{path}: `{word}` says nothing: name what the module holds"));
        }
        for (at, line) in text.lines().enumerate() {
            let Some(name) = public_type(line) else { continue };
            if let Some((word, instead)) = TYPE_WORDS.iter().find(|(word, _)| has_word(name, word)) {
                findings.push(format!("{path}:{}: `{name}`: we say {instead}, not {word}", at + 1));
            }
        }
    }
    findings
}

fn public_type(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("pub ")?;
    let (kind, rest) = rest.split_once(' ')?;
    let name = rest.split(|character: char| !character.is_alphanumeric() && character != '_').next()?;
    ["struct", "enum", "trait", "type"].contains(&kind).then_some(name)
}

/// `Sink` is a word of `FileSink` and of `SinkError`, not of `Sinking`.
fn has_word(name: &str, word: &str) -> bool {
    let after = name.find(word).map(|start| &name[start + word.len()..]);
    after.is_some_and(|rest| !rest.starts_with(|next: char| next.is_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_that_says_nothing_is_found() {
        let tree = Tree::of(&[
            ("crates/load/src/utils.rs", ""),
            ("crates/load/src/common/mod.rs", ""),
            ("crates/load/src/cut.rs", ""),
        ]);
        assert_eq!(names(&tree).len(), 2);
    }

    #[test]
    fn a_foreign_word_in_a_public_type_is_found() {
        let text = "pub struct FileSink;\npub trait Sinking {}\nstruct Sink;\npub enum LoaderError<T> {}\n";
        let findings = names(&Tree::of(&[("crates/load/src/cut.rs", text)]));
        assert_eq!(findings.len(), 2);
        assert_eq!(findings[0], "crates/load/src/cut.rs:1: `FileSink`: we say Target, not Sink");
    }
}
