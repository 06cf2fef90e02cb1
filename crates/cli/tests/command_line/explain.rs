use crate::harness::{document, told_anywhere};

#[test]
fn a_page_says_what_to_do() {
    insta::assert_snapshot!(told_anywhere(&["explain", "e0505"]));
}

/// Whichever codes there are: beyond the last one the last one is the nearest, and so is the first one at the other end.
#[test]
fn an_unknown_code_names_the_nearest() {
    let folder = tempfile::tempdir().unwrap();
    let list = document(folder.path(), &["explain", "--json"]);
    for (asked, place) in [("E9999", list.as_array().unwrap().len() - 1), ("E0000", 0)] {
        let nearest = list[place]["code"].as_str().unwrap();
        assert_eq!(
            told_anywhere(&["explain", asked]).trim_end(),
            format!(
                "exit code 2\n----- stderr\nerror[E0182]: no error has the code `{asked}`\n  hint: did you mean {nearest}? `tapster explain` lists all codes"
            )
        );
    }
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
