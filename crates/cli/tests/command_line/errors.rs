use crate::harness::{document, tapster, told_anywhere};

#[test]
fn an_unknown_verb_names_the_one_that_was_meant() {
    insta::assert_snapshot!(told_anywhere(&["rnu", "flights"]));
}

#[test]
fn an_unknown_flag_names_the_one_that_was_meant() {
    insta::assert_snapshot!(told_anywhere(&["run", "flights", "--full-refesh"]));
}

#[test]
fn a_flag_that_is_not_built_yet_is_named_alone_and_no_time_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("pipelines")).unwrap();
    let told = |args: &[&str]| crate::harness::told(folder.path(), args);
    let tag = told(&["run", "--tag", "x"]);
    assert!(tag.contains("error[E0181]: `tapster run --tag` is not built yet"), "{tag}");
    let no_time = told(&["run", "--all", "--timeout", "0s"]);
    assert!(no_time.starts_with("exit code 2") && no_time.contains("--timeout 0"), "{no_time}");
}

#[test]
fn run_without_a_pipeline_is_refused() {
    insta::assert_snapshot!(told_anywhere(&["run"]));
}

#[test]
fn reserved_verbs_are_not_built_yet_whatever_follows() {
    insta::assert_snapshot!(told_anywhere(&["serve", "--listen", "127.0.0.1:8787"]));
    for args in [
        &["status", "--fail-on", "late"][..],
        &["pause", "shop"],
        &["resume", "shop"],
        &["schedule", "next"],
        &["alerts", "test", "ops"],
        &["token", "new"],
        &["clean", "--runs"],
        &["backfill", "shop"],
        &["rejects", "list"],
        &["import", "meltano", "x"],
        &["export", "airflow"],
        &["generate", "lookml"],
        &["verify", "shop"],
        &["runs", "cancel", "x"],
    ] {
        let text = told_anywhere(args);
        assert!(text.starts_with("exit code 2\n----- stderr\nerror[E0181]: "), "{args:?}: {text}");
    }
}

#[test]
fn with_json_an_error_is_the_one_document_on_stdout() {
    insta::assert_snapshot!(told_anywhere(&["explain", "E0179", "--json"]));
}

#[test]
fn with_json_a_mistake_in_the_command_line_is_a_document_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let output = tapster(folder.path(), &["--json", "rnu"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stderr.is_empty());
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["error"]["code"], "E0180");
    assert_eq!(document["error"]["exit_code"], 2);
}

#[test]
fn a_project_folder_that_is_not_there_is_named() {
    insta::assert_snapshot!(told_anywhere(&["-C", "nowhere", "runs", "list"]));
}

#[test]
fn a_full_disk_behind_stdout_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_tapster"))
        .arg("explain")
        .current_dir(folder.path())
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(69));
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("error[E0188]: "));
}

#[test]
fn a_reader_that_went_away_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_tapster"))
        .args(["explain", "E0505"])
        .current_dir(folder.path())
        .stdout(writer)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn a_damaged_ledger_is_refused_with_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join(".tapster")).unwrap();
    std::fs::write(folder.path().join(".tapster/ledger.sqlite"), "no ledger").unwrap();
    insta::assert_snapshot!(crate::harness::told(folder.path(), &["runs", "list"]));
    assert_eq!(document(folder.path(), &["runs", "list", "--json"])["error"]["code"], "E0502");
}
