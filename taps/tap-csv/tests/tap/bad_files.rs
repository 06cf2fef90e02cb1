//! Files and configs that cannot be used: each says where and what to do.

use std::fmt::Write as _;

use crate::fixture::Folder;

/// What the tap says about a file, and that it does not say a value of it.
fn complaint(bytes: &[u8], entry: &str) -> String {
    let folder = Folder::new();
    folder.write("a.csv", bytes);
    let said = folder.sync(&format!(r#""path":"a.csv","stream":"a"{entry}"#), None);
    assert!(!said.log.contains("s3cret"), "{}", said.log);
    format!("exit {}\n{}", said.code.unwrap(), said.log)
}

#[test]
fn bad_files_are_named_with_line_and_fix() {
    let latin = b"id,name\n1,a\n2,J\xf6rg\n";
    let bad: [(&str, &[u8], &str); 16] = [
        ("ragged_long", b"id,name\n1,a\n2,b,s3cret\n", ""),
        ("ragged_short", b"id,name\n1,a\n2\n", ""),
        ("wrong_delimiter", b"id;name\n1;a,b\n", ""),
        ("quote_inside", b"id,name\n1,a\"s3cret\n", ""),
        ("after_quote", b"id,name\n1,\"a\" s3cret\n", ""),
        ("unclosed_quote", b"id,name\n1,a\n2,\"s3cret\n3,c\n", ""),
        ("bare_return", b"id,name\r1,a\r", ""),
        ("not_utf8", latin, ""),
        ("empty", b"", ""),
        ("nameless_column", b"id,,name\n1,2,3\n", ""),
        ("column_twice", b"id,name,id\n1,2,3\n", ""),
        ("key_missing", b"Id,name\n1,a\n", r#","key_properties":["id"]"#),
        ("null_key", b"id,name\n1,a\n,b\n", r#","key_properties":["id"]"#),
        ("declared_column_missing", b"id,name\n1,a\n", r#","columns":{"nam":"text"}"#),
        ("declared_type_wrong", b"id,name\n1,a\ns3cret,b\n", r#","columns":{"id":"integer"}"#),
        ("sampled_type_wrong", b"id,name\n1,a\ns3cret,b\n", r#","sample":1"#),
    ];
    for (name, bytes, entry) in bad {
        insta::assert_snapshot!(name, complaint(bytes, entry));
    }
}

#[test]
fn a_damaged_gzip_file_is_no_end_of_file() {
    let folder = Folder::new();
    folder.gzip("whole.gz", &format!("id\n{}", "1234567\n".repeat(1000)));
    let whole = std::fs::read(folder.path().join("whole.gz")).unwrap();
    folder.write("a.csv.gz", &whole[..whole.len() - 9]);
    let said = folder.sync(r#""path":"a.csv.gz","stream":"a""#, None);
    assert_eq!(said.code, Some(1));
    assert!(said.log.contains("CRITICAL tap-csv: a.csv.gz: is not whole"), "{}", said.log);
}

#[test]
fn missing_files_and_bad_configs_are_named() {
    let folder = Folder::new();
    let mut page = String::new();
    let entries = [
        r#""path":"no.csv","stream":"a""#,
        r#""path":"no-*.csv","stream":"a""#,
        r#""path":".","stream":"a""#,
        r#""path":"a.csv","stream":"a","delimeter":";""#,
        r#""path":"a.csv","stream":"a","columns":{"at":"timstamp"}"#,
    ];
    for entry in entries {
        let said = folder.sync(entry, None);
        writeln!(page, "{entry}\nexit {}\n{}", said.code.unwrap(), said.log).unwrap();
    }
    insta::assert_snapshot!("missing_files_and_bad_configs", page);
}
