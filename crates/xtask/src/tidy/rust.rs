//! Reading Rust text by its lines. rustfmt has been over it, which makes indentation as good as a parser here.

/// A function's name, the line it starts on (from 1), how many lines it has.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function<'a> {
    pub(crate) name: &'a str,
    pub(crate) line: usize,
    pub(crate) length: usize,
    /// Whether a line of attributes just above it ends in `test]` or it stands in `proptest!`.
    pub(crate) is_test: bool,
}

/// Every function with a body, nested ones included.
pub(crate) fn functions(text: &str) -> Vec<Function<'_>> {
    let lines: Vec<&str> = text.lines().collect();
    let starts = lines.iter().enumerate().filter_map(|(at, line)| Some((at, function_name(line)?)));
    starts
        .filter_map(|(at, name)| {
            let indentation = indentation(lines[at]);
            let end = lines[at..].iter().position(|line| closes(line, indentation))?;
            Some(Function { name, line: at + 1, length: end + 1, is_test: is_test(&lines[..at]) })
        })
        .collect()
}

/// The text before the first `#[cfg(test)]`, which is where our files end their product code.
pub(crate) fn product_code(text: &str) -> &str {
    text.find("#[cfg(test)]").map_or(text, |end| &text[..end])
}

/// Whether a file is tests through and through.
pub(crate) fn is_test_file(path: &str) -> bool {
    path.starts_with("tests/")
        || path.contains("/tests/")
        || path.ends_with("/tests.rs")
        || path.contains("/benches/")
}

/// `name` of a line like `    pub(crate) async fn name<T>(`.
fn function_name(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    let before = ["pub", "pub(crate)", "pub(super)", "const", "async", "unsafe", "default"];
    let first = words.find(|word| !before.contains(word))?;
    let name = words.next().filter(|_| first == "fn")?;
    Some(name.split(['(', '<']).next().unwrap_or(name))
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Whether a function that starts at this indentation ends here: with its brace, on its only line, or, without
/// a body, with `;`.
fn closes(line: &str, at: usize) -> bool {
    indentation(line) == at && (line.ends_with('}') || line.ends_with(';'))
}

fn is_test(above: &[&str]) -> bool {
    let attributes = above.iter().rev().take_while(|line| {
        let line = line.trim();
        line.starts_with("#[") || line.starts_with("///") || line.starts_with("//")
    });
    attributes.into_iter().any(|line| line.trim_end().ends_with("test]") || line.contains("test("))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_found_with_their_length() {
        let text = "pub(crate) async fn one<T>(\n    a: T,\n) {\n    if a {\n    }\n}\n\nmod tests {\n    #[tokio::test(flavor = \"x\")]\n    async fn two() {}\n    #[test]\n    /// Why.\n    fn three() {\n    }\n}\ntrait T {\n    fn four();\n}\n";
        let found = functions(text);
        let seen: Vec<_> = found.iter().map(|f| (f.name, f.line, f.length, f.is_test)).collect();
        assert_eq!(
            seen,
            [("one", 1, 6, false), ("two", 10, 1, true), ("three", 13, 2, true), ("four", 17, 1, false)]
        );
    }

    #[test]
    fn product_code_ends_where_the_tests_begin() {
        assert_eq!(product_code("a\n#[cfg(test)]\nmod tests;\n"), "a\n");
        assert!(is_test_file("crates/load/tests/cuts.rs") && is_test_file("crates/load/src/decode/tests.rs"));
        assert!(!is_test_file("crates/load/src/decode.rs"));
    }
}
