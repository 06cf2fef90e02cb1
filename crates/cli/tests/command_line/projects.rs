use std::fs;

use crate::harness::{document, told};

#[test]
fn init_begins_a_project_and_says_what_to_type_next() {
    let folder = tempfile::tempdir().unwrap();
    insta::assert_snapshot!(told(folder.path(), &["init"]));
    let pipeline = fs::read_to_string(folder.path().join("pipelines/hello.yml")).unwrap();
    assert!(pipeline.starts_with("# yaml-language-server: $schema=../.tapster/schemas/pipeline.json\n"));
}

#[test]
fn init_makes_the_folder_that_it_is_given() {
    let folder = tempfile::tempdir().unwrap();
    insta::assert_snapshot!(told(folder.path(), &["init", "warehouse"]));
    assert!(folder.path().join("warehouse/tapster.yml").is_file());
}

#[test]
fn init_overwrites_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    fs::write(folder.path().join("data/moons.csv"), "mine").unwrap();
    insta::assert_snapshot!(told(folder.path(), &["init"]));
    assert_eq!(fs::read_to_string(folder.path().join("data/moons.csv")).unwrap(), "mine");
    assert!(!folder.path().join("tapster.yml").exists());
}

#[test]
fn init_keeps_what_git_ignored_before() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".gitignore"), "*.duckdb\nnode_modules").unwrap();
    let document = document(folder.path(), &["init", "--json"]);
    assert_eq!(document["files"][1], "pipelines/hello.yml");
    let ignored = fs::read_to_string(folder.path().join(".gitignore")).unwrap();
    assert_eq!(ignored, "*.duckdb\nnode_modules\n.tapster/\n*.duckdb.wal\n.env\n");
}

#[test]
fn a_new_pipeline_needs_a_name_inside_the_folder_and_programs_that_exist() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("pipelines")).unwrap();
    let with = |name, tap| ["new", "pipeline", name, "--tap", tap, "--target", "target-duckdb"];
    insta::assert_snapshot!(told(folder.path(), &with("../x", "tap-csv")));
    let text = told(folder.path(), &with("x", "tap-nothing"));
    assert!(text.contains("error[E0185]: no tap `tap-nothing`"), "{text}");
}
