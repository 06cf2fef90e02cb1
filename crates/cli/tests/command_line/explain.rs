use crate::harness::{document, told_anywhere};

#[test]
fn a_page_says_what_to_do() {
    insta::assert_snapshot!(told_anywhere(&["explain", "e0505"]));
}

/// Whichever codes there are: after the last one the last one is the nearest, and far off none is.
#[test]
fn an_unknown_code_names_the_nearest() {
    let folder = tempfile::tempdir().unwrap();
    let list = document(folder.path(), &["explain", "--json"]);
    let newest = list.as_array().unwrap().last().unwrap()["code"].as_str().unwrap();
    let next = format!("E{:04}", newest.trim_start_matches('E').parse::<u32>().unwrap() + 1);
    let near = told_anywhere(&["explain", &next]);
    assert!(near.starts_with("exit code 2\n----- stderr\nerror[E0182]: ") && near.contains(newest), "{near}");
    for far in ["E9999", "E0000"] {
        let told = told_anywhere(&["explain", far]);
        assert!(told.contains("hint: `tapster explain` lists all codes"), "{told}");
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
