//! From a table to the file that holds it.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};
use target_api::TableName;

/// Longest name without its ending; file systems take 255 bytes, and what takes a file's place has a longer one.
const LONGEST: usize = 200;

/// Name of a table's file in the folder: `orders.jsonl`, with a schema `shop.orders.jsonl`.
///
/// Letters, digits, `-` and `_` stand for themselves; of all else each byte is written as `%2F`, so that no name
/// leaves the folder and two tables never share a file. A name of more than 200 bytes is cut and ends in `~` and a
/// hash of the whole.
#[must_use]
pub fn file_name(table: &TableName) -> String {
    let mut name = String::new();
    if let Some(schema) = &table.schema {
        encode(schema, &mut name);
        name.push('.');
    }
    encode(&table.table, &mut name);
    if name.len() > LONGEST {
        name = cut(&name);
    }
    name.push_str(".jsonl");
    name
}

fn encode(part: &str, name: &mut String) {
    if part.is_empty() {
        // Alone it is no byte's code, so no other part is written like it.
        name.push('%');
    }
    for letter in part.chars() {
        if letter.is_alphanumeric() || matches!(letter, '-' | '_') {
            name.push(letter);
            continue;
        }
        for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
            let _ = write!(name, "%{byte:02X}");
        }
    }
}

fn cut(name: &str) -> String {
    let mut hash = String::from("~");
    for byte in Sha256::digest(name.as_bytes()).iter().take(8) {
        let _ = write!(hash, "{byte:02x}");
    }
    let mut end = LONGEST - hash.len();
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    let (kept, _) = name.split_at(end);
    format!("{kept}{hash}")
}

#[cfg(test)]
mod tests {
    use super::file_name;
    use std::collections::HashSet;
    use std::path::Path;
    use target_api::TableName;

    fn name(schema: Option<&str>, table: &str) -> String {
        file_name(&TableName { schema: schema.map(str::to_owned), table: table.to_owned() })
    }

    #[test]
    fn plain_names_are_kept() {
        assert_eq!(name(None, "orders"), "orders.jsonl");
        assert_eq!(name(Some("shop"), "order_items-2"), "shop.order_items-2.jsonl");
        assert_eq!(name(None, "日本"), "日本.jsonl");
    }

    #[test]
    fn no_name_leaves_the_folder_and_no_two_meet() {
        let long = "é".repeat(300);
        let slashes = "/".repeat(300);
        let tables = [
            "a",
            "a.b",
            "a%2Eb",
            "a/b",
            "..",
            ".",
            "",
            "%",
            "../../etc/passwd",
            "a\\b",
            "C:",
            "nul\0l",
            "~",
            "a\nb",
            "_tapster_state",
            "e\u{301}",
            "\u{e9}",
            &long,
            &format!("{long}x"),
            &slashes,
            &format!("{slashes}/"),
        ];
        let mut seen = HashSet::new();
        for table in tables {
            for schema in [None, Some("a"), Some(""), Some("..")] {
                let name = name(schema, table);
                assert!(name.len() <= 206, "{name}");
                assert!(!name.contains(['/', '\\', '\0', ':']) && !name.starts_with('.'), "{name}");
                assert_eq!(Path::new(&name).file_name().unwrap(), name.as_str());
                assert!(seen.insert(name.clone()), "{name} twice");
            }
        }
    }
}
