//! What a person sees when a file is wrong: code, place, line, caret, hint.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::Path;

use config::{ConfigError, Project};

/// A project of one pipeline, and its `tapster.yml` when it is not empty.
fn refused_in(environment: Option<&str>, project: &str, pipeline: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("pipelines")).unwrap();
    fs::write(folder.path().join("pipelines/app.yml"), pipeline).unwrap();
    if !project.is_empty() {
        fs::write(folder.path().join("tapster.yml"), project).unwrap();
    }
    shown(&refusal(folder.path(), environment), folder.path())
}

fn refusal(folder: &Path, environment: Option<&str>) -> ConfigError {
    let resolved = Project::discover(folder, environment).and_then(|project| {
        let pipeline = project.pipeline("app")?;
        Ok((pipeline.tap.config()?, pipeline.target.config()?, pipeline.tap.env()?))
    });
    resolved.unwrap_err()
}

/// As the command line shows it.
fn shown(error: &ConfigError, folder: &Path) -> String {
    let hint = error.hint().map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
    let folder = folder.canonicalize().unwrap();
    format!("error[{}]: {error}{hint}", error.code()).replace(&folder.display().to_string(), "FOLDER")
}

fn refused(pipeline: &str) -> String {
    refused_in(None, "", pipeline)
}

/// A whole pipeline with something more in it.
fn with(more: &str) -> String {
    format!("tap: {{ name: tap-csv }}\ntarget: {{ name: target-duckdb }}\n{more}\n")
}

macro_rules! shows {
    ($($name:ident: $text:expr;)*) => { $(
        #[test]
        fn $name() {
            let text = $text;
            assert!(text.starts_with("error[E01"), "{text}");
            insta::assert_snapshot!(text);
        }
    )* };
}

shows! {
    unknown_key: refused("tap: { name: tap-csv }\ntarjet: { name: target-duckdb }\n");
    unknown_key_far_from_all: refused(&with("limits: { speed: 3 }"));
    unknown_word: refused(&with("streams:\n  orders: { replication_method: incremental }"));
    duplicate_key: refused(&with("streams:\n  orders: include\n  items: include\n  orders: exclude"));
    tab: refused("tap:\n\tname: tap-csv\n");
    bad_indentation: refused("tap:\n    name: tap-csv\n  config: {}\n");
    open_bracket: refused("tap: { name: tap-csv, config: { files: [ }\ntarget: x\n");
    yaml_bomb: refused("x-a: &a [1,1,1,1,1,1,1,1,1,1]\nx-b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nx-c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nx-d: [*c,*c]\n");
    too_deep: refused(&format!("x: {}{}", "[".repeat(40), "]".repeat(40)));
    unquoted_pattern: refused(&with("streams:\n  *-log: exclude"));
    unquoted_braces: refused(&with("streams:\n  {orders,items}: include"));
    unquoted_interpolation: refused("tap: { name: tap-x, config: { password: ${env:PG} } }\n");
    unquoted_number: refused("tap: { name: tap-x, config: { zip: 01234, version: 1.10, big: 1_000, flags: 0x1F } }\n");
    tag: refused("tap: { name: tap-x, config: { key: !secret abc } }\n");
    bad_size: refused(&with("limits: { batch_bytes: 64MBB }"));
    bad_duration: refused(&with("limits: { timeout: 6 }"));
    zero_timeout: refused(&with("limits: { idle_timeout: 0s }"));
    no_value: refused("tap:\ntarget: { name: target-duckdb }\n");
    number_for_a_text: refused("tap: { name: tap-x, python: 3.11 }\n");
    a_list_for_a_map: refused(&with("streams: [orders, items]"));
    several_at_once: refused("tap: { nme: tap-csv }\ntarget: { name: target-duckdb, confg: {} }\nlimits: { grace: soon }\n");
    no_target: refused("tap: { name: tap-csv }\n");
    no_program: refused("tap: { config: {} }\ntarget: { name: target-duckdb }\n");
    two_programs: refused("tap: { name: tap-csv, command: [cat] }\ntarget: { name: target-duckdb }\n");
    executable_of_no_package: refused("tap: { command: [cat], executable: cat }\ntarget: { name: target-duckdb }\n");
    not_built: refused(&with("streams:\n  orders: { load_method: history, filter: x }\nhooks: { before: [] }"));
    store_not_built: refused_in(None, "store: \"postgres://x\"\n", &with(""));
    unknown_reference: refused_in(None, "taps:\n  app-db: { name: tap-postgres }\n", "tap: ap-db\ntarget: { name: target-duckdb }\n");
    program_as_a_reference: refused("tap: tap-csv\ntarget: { name: target-duckdb }\n");
    circular_reference: refused_in(None, "taps:\n  a: { use: b }\n  b: { use: a }\n", "tap: a\ntarget: { name: target-duckdb }\n");
    environment_not_chosen: refused_in(None, "environments: { dev: {}, prod: {} }\n", &with(""));
    unknown_environment: refused_in(Some("prd"), "environments: { dev: {}, prod: {} }\n", &with(""));
    unknown_default_environment: refused_in(None, "default_environment: prd\nenvironments: { dev: {}, prod: {} }\n", &with(""));
    bad_cron: refused(&with("schedule: { cron: [\"0 6 * * mon-fri\", \"61 * * * *\"] }"));
    wrong_version: refused_in(None, "requires_tapster: \">=99\"\n", &with(""));
    bad_requirement: refused_in(None, "requires_tapster: latest\n", &with(""));
    bad_pattern: refused(&with("streams:\n  \"{orders,items\": include"));
    unknown_placeholder: refused(&with("defaults: { target_schema: \"ods_{shema}\" }"));
    method_against_key: refused(&with("streams:\n  orders:\n    replication_method: FULL_TABLE\n    replication_key: updated_at"));
    unknown_interpolation: refused("tap: { name: tap-x, config: { password: \"${PG_PASSWORD}\", user: \"${evn:PG_USER}\" } }\n");
    open_interpolation: refused("tap: { name: tap-x, config: { password: \"${env:PG\" } }\n");
    missing_variable: refused("tap: { name: tap-x, config: { password: \"${env:TAPSTER_TEST_NOT_SET}\" } }\ntarget: { name: target-duckdb }\n");
    missing_variable_with_env_file: refused_in(None, "env_file: .env\n", "tap: { name: tap-x, env: { A: \"${env:TAPSTER_TEST_NOT_SET}\" } }\ntarget: { name: target-duckdb }\n");
    missing_file: refused("tap: { name: tap-x, config: { password: \"${file:secrets/pg}\" } }\ntarget: { name: target-duckdb }\n");
    failed_command: refused("tap: { name: tap-x, config: { password: \"${cmd:sh -c 'exit 4'}\" } }\ntarget: { name: target-duckdb }\n");
    secret_in_a_command_line: refused("tap: { command: [mytap, --password, \"${env:HOME}\"] }\ntarget: { name: target-duckdb }\n");
    a_password_on_the_line_is_not_shown: refused("tap: { name: tap-x, config: { password: hunter2 }, bogus: 1 }\n");
    empty_file: refused("# nothing yet\n");
    second_document: refused("tap: x\n---\ntap: y\n");
}

#[test]
fn no_text_shows_a_password() {
    assert!(!refused("tap: { name: tap-x, config: { password: hunter2 }, bogus: 1 }\n").contains("hunter2"));
}

#[test]
fn a_file_that_is_no_text_or_too_long_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("pipelines")).unwrap();
    let file = folder.path().join("pipelines/app.yml");
    fs::write(&file, b"tap: \xff\n").unwrap();
    insta::assert_snapshot!(shown(&refusal(folder.path(), None), folder.path()));
    fs::write(&file, format!("x-a: \"{}\"\n", "a".repeat(1 << 20))).unwrap();
    insta::assert_snapshot!(shown(&refusal(folder.path(), None), folder.path()));
}

#[test]
fn a_folder_that_is_no_project_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = Project::discover(folder.path(), None).unwrap_err();
    insta::assert_snapshot!(shown(&error, folder.path()));
}

#[test]
fn a_pipeline_that_is_not_there_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("pipelines/finance")).unwrap();
    fs::write(folder.path().join("pipelines/finance/orders.yml"), "").unwrap();
    let project = Project::discover(folder.path(), None).unwrap();
    insta::assert_snapshot!(shown(&project.matching("finance/order").unwrap_err(), folder.path()));
    insta::assert_snapshot!(shown(&project.matching("sales/*").unwrap_err(), folder.path()));
}
