use std::fs;

use crate::harness::{document, tapster, told};

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
    assert_eq!(ignored, "*.duckdb\nnode_modules\n.tapster/\n*.duckdb.wal\n*.duckdb.lock\n.env\n");
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

/// The first line of a file names a schema: it must be where that says, and of this version.
fn schema_of(file: &std::path::Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let named = text.lines().next().unwrap().split("$schema=").nth(1).unwrap().to_owned();
    fs::read_to_string(file.parent().unwrap().join(named)).unwrap()
}

#[test]
fn the_schemas_that_new_files_name_are_there_and_kept_fresh() {
    let folder = tempfile::tempdir().unwrap();
    tapster(folder.path(), &["init"]);
    let wanted = |kind| String::from_utf8(tapster(folder.path(), &["schema", kind]).stdout).unwrap();
    assert_eq!(schema_of(&folder.path().join("tapster.yml")), wanted("project"));
    assert_eq!(schema_of(&folder.path().join("pipelines/hello.yml")), wanted("pipeline"));
    let private = fs::metadata(folder.path().join(".tapster")).unwrap().permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&private) & 0o777, 0o700);
    fs::write(folder.path().join(".tapster/schemas/pipeline.json"), "of an older version").unwrap();
    tapster(folder.path(), &["run", "hello"]);
    assert_eq!(schema_of(&folder.path().join("pipelines/hello.yml")), wanted("pipeline"));
}

#[test]
fn a_pipeline_is_named_by_its_file_from_anywhere_and_by_a_pattern_that_fits_one() {
    let folder = tempfile::tempdir().unwrap();
    tapster(folder.path(), &["init", "project"]);
    let file = "project/pipelines/hello.yml";
    assert_eq!(document(folder.path(), &["config", file, "--json"])["pipeline"], "hello");
    let checked = document(folder.path(), &["check", file, "--offline", "--json"]);
    assert_eq!((&checked[0]["pipeline"], &checked[0]["ok"]), (&"hello".into(), &true.into()));
    let inside = folder.path().join("project");
    assert_eq!(document(&inside, &["config", "hel*", "--json"])["pipeline"], "hello");
    fs::copy(folder.path().join(file), inside.join("pipelines/help.yml")).unwrap();
    let text = told(&inside, &["config", "hel*"]);
    assert!(text.starts_with("exit code 2") && text.contains("error[E0197]"), "{text}");
    fs::write(inside.join("elsewhere.yml"), "").unwrap();
    for outside in ["elsewhere.yml", "../project/elsewhere.yml", "../elsewhere.yml", "/nowhere.yml"] {
        let text = told(&inside, &["run", outside]);
        assert!(text.starts_with("exit code 78") && text.contains("error[E011"), "{text}");
    }
}
