use crate::harness::{document, told_anywhere};

#[test]
fn a_page_says_what_to_do() {
    insta::assert_snapshot!(told_anywhere(&["explain", "e0505"]));
}

#[test]
fn an_unknown_code_names_the_nearest() {
    insta::assert_snapshot!(told_anywhere(&["explain", "E0199"]));
}

#[test]
fn all_codes_are_listed_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let list = document(folder.path(), &["explain", "--json"]);
    let codes: Vec<_> =
        list.as_array().unwrap().iter().map(|entry| entry["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"E0505"));
    assert!(codes.is_sorted());
    let text = told_anywhere(&["explain"]);
    assert!(codes.iter().all(|code| text.contains(code)));
}
