use crate::harness::{document, tapster, told_anywhere};

#[test]
fn help_teaches_the_first_steps() {
    insta::assert_snapshot!(told_anywhere(&["-h"]));
}

#[test]
fn long_help_names_the_exit_codes() {
    let text = told_anywhere(&["--help"]);
    assert!(text.contains("Exit codes:") && text.contains("75  busy"), "{text}");
}

#[test]
fn no_verb_is_a_mistake_that_is_answered_with_help() {
    let text = told_anywhere(&[]);
    assert!(text.starts_with("exit code 2\n----- stderr\n"), "{text}");
    assert!(text.contains("First steps:"), "{text}");
}

#[test]
fn run_explains_itself() {
    insta::assert_snapshot!(told_anywhere(&["run", "--help"]));
}

#[test]
fn every_verb_has_help_and_every_verb_with_arguments_an_example() {
    let verbs: &[&[&str]] = &[
        &["init"],
        &["new", "pipeline"],
        &["new", "tap"],
        &["install"],
        &["bench"],
        &["invoke"],
        &["check"],
        &["discover"],
        &["preview"],
        &["runs", "list"],
        &["runs", "show"],
        &["runs", "logs"],
        &["new"],
        &["runs"],
        &["state"],
        &["state", "list"],
        &["state", "get"],
        &["state", "history"],
        &["state", "set"],
        &["state", "clear"],
        &["state", "move"],
        &["state", "diff"],
        &["state", "rollback"],
        &["state", "export"],
        &["state", "import"],
        &["test"],
        &["test", "tap"],
        &["test", "target"],
        &["config"],
        &["schema"],
        &["explain"],
        &["completions"],
    ];
    for verb in verbs {
        let args: Vec<_> = verb.iter().copied().chain(["--help"]).collect();
        let text = told_anywhere(&args);
        assert!(text.starts_with("exit code 0\n----- stdout\n"), "{verb:?}: {text}");
        let examples = text.find("Examples:").unwrap_or_else(|| panic!("{verb:?} has no example"));
        assert!(text.find("--verbose").is_some_and(|flags| examples < flags), "{verb:?}: examples first");
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{verb:?} is too wide");
    }
}

#[test]
fn the_version_is_the_workspace_s() {
    let text = told_anywhere(&["--version"]);
    assert_eq!(text, format!("exit code 0\n----- stdout\ntapster {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn version_and_completions_are_one_document_with_json() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(document(folder.path(), &["--version", "--json"])["version"], env!("CARGO_PKG_VERSION"));
    let bash = document(folder.path(), &["completions", "bash", "--json"]);
    assert!(bash["script"].as_str().unwrap().contains("discover"));
}

#[test]
fn completions_name_the_verbs() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = String::from_utf8(tapster(folder.path(), &["completions", shell]).stdout).unwrap();
        assert!(script.contains("discover"), "{shell}");
    }
}

#[test]
fn colours_come_when_asked_for_and_never_otherwise() {
    let plain = told_anywhere(&["explain", "E0505"]);
    assert!(!plain.contains('\u{1b}'));
    let coloured = told_anywhere(&["explain", "E0505", "--color", "always"]);
    assert!(coloured.contains('\u{1b}'));
}
