use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;

use super::Project;
use crate::pipeline::Program;

/// A project of these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    folder
}

fn project(folder: &TempDir, environment: Option<&str>) -> Project {
    Project::discover(folder.path(), environment).unwrap_or_else(|error| panic!("{error}"))
}

const PIPELINE: &str = "tap: { name: tap-csv }\ntarget: { name: target-duckdb }\n";

#[test]
fn the_nearest_folder_upwards_is_the_project() {
    let folder = folder(&[
        ("pipelines/a.yml", PIPELINE),
        ("deep/down/x.txt", ""),
        ("deep/inner/tapster.yml", "# nothing yet\n"),
    ]);
    let root = folder.path().canonicalize().unwrap();
    let found = |start: &str| Project::discover(&folder.path().join(start), None).unwrap().root().to_owned();
    assert_eq!(found("deep/down"), root);
    assert_eq!(found("pipelines/a.yml"), root);
    assert_eq!(found("deep/inner"), root.join("deep/inner"));
}

#[test]
fn pipelines_are_named_by_their_path_and_found_by_name_pattern_or_path() {
    let folder = folder(&[
        ("pipelines/app.yml", PIPELINE),
        ("pipelines/finance/orders.yaml", PIPELINE),
        ("pipelines/finance/eu/orders.yml", PIPELINE),
        ("pipelines/data/a.csv", ""),
        ("pipelines/.hidden/b.yml", ""),
        ("other/c.yml", PIPELINE),
    ]);
    let project = project(&folder, None);
    assert_eq!(project.pipeline_names().collect::<Vec<_>>(), ["app", "finance/eu/orders", "finance/orders"]);
    assert_eq!(project.matching("finance/*").unwrap(), ["finance/eu/orders", "finance/orders"]);
    assert_eq!(project.matching("app").unwrap(), ["app"]);
    let path = |name: &str| folder.path().join(name).display().to_string();
    assert_eq!(project.matching(&path("pipelines/finance/orders.yaml")).unwrap(), ["finance/orders"]);
    for argument in ["ap", "x*", &path("other/c.yml"), &path("pipelines/gone.yml"), "{a"] {
        assert!(project.matching(argument).is_err(), "{argument}");
    }
}

#[test]
fn a_name_with_two_files_is_refused() {
    let folder = folder(&[("pipelines/a.yml", PIPELINE), ("pipelines/a.yaml", PIPELINE)]);
    assert_eq!(Project::discover(folder.path(), None).unwrap_err().code(), "E0111");
}

#[test]
fn stronger_layers_lie_over_weaker_ones() {
    let folder = folder(&[
        (
            "tapster.yml",
            "default_environment: dev\ntaps:\n  db: { name: tap-postgres, config: { host: a, port: 1 }, env: { A: x } }\n\
             limits: { grace: 1s, timeout: 1h }\ndefaults: { load_method: upsert, columns: { a: exclude } }\n\
             environments:\n  prod: { taps: { db: { config: { host: b } } }, limits: { grace: 2s } }\n  dev: {}\n",
        ),
        (
            "pipelines/p.yml",
            "tap: { use: db, config: { port: 2, schemas: [s] } }\ntarget: { name: target-duckdb, config: { path: x } }\n\
             defaults: { load_method: append-only }\nlimits: { timeout: 2h }\n\
             environments: { prod: { target: { name: target-jsonl, config: { folder: y } }, tap: { config: { port: 3 } } } }\n",
        ),
    ]);
    let json = |block: &crate::ProgramBlock| block.config().unwrap().as_str().to_owned();
    let dev = project(&folder, None).pipeline("p").unwrap();
    assert_eq!(
        (json(&dev.tap).as_str(), dev.limits.grace.as_secs()),
        (r#"{"host":"a","port":2,"schemas":["s"]}"#, 1)
    );
    assert_eq!(dev.tap.env().unwrap(), [("A".to_owned(), "x".to_owned())]);
    let prod = project(&folder, Some("prod")).pipeline("p").unwrap();
    assert_eq!(
        (json(&prod.tap).as_str(), prod.limits.grace.as_secs()),
        (r#"{"host":"b","port":3,"schemas":["s"]}"#, 2)
    );
    assert_eq!((prod.target.program.clone(), json(&prod.target).as_str()), {
        (Program::Named("target-jsonl".to_owned()), r#"{"folder":"y"}"#)
    });
    assert_eq!(prod.limits.timeout.unwrap().as_secs(), 7_200);
    let rules = &prod.rules;
    assert_eq!(rules.stream("s").settings.load_method, Some(crate::LoadMethod::AppendOnly));
    assert!(!rules.columns("s").loads(&["a"]));
}

#[test]
fn an_overlay_of_the_same_program_keeps_the_rest_of_the_block() {
    let folder = folder(&[
        (
            "tapster.yml",
            "environments: { a: {}, b: {}, c: {} }\ntaps: { db: { name: tap-x, config: { k: 0, l: 0 } } }\n",
        ),
        (
            "pipelines/p.yml",
            "tap: { name: tap-csv, config: { k: 1 } }\ntarget: { name: target-duckdb }\nenvironments:\n\
             \x20 a: { tap: { name: tap-csv, config: { l: 2 } } }\n  b: { tap: { command: [cat] } }\n  c: { tap: db }\n",
        ),
    ]);
    let config = |environment| {
        let pipeline = project(&folder, Some(environment)).pipeline("p").unwrap();
        (pipeline.tap.program.clone(), pipeline.tap.config().unwrap().as_str().to_owned())
    };
    assert_eq!(config("a"), (Program::Named("tap-csv".to_owned()), r#"{"k":1,"l":2}"#.to_owned()));
    assert_eq!(config("b"), (Program::Command(vec!["cat".to_owned()]), "{}".to_owned()));
    assert_eq!(config("c"), (Program::Named("tap-x".to_owned()), r#"{"k":0,"l":0}"#.to_owned()));
}

#[test]
fn an_environment_may_be_known_to_the_pipeline_alone() {
    let environments = format!("{PIPELINE}environments: {{ dev: {{}} }}\n");
    let folder = folder(&[("pipelines/p.yml", environments.as_str()), ("pipelines/q.yml", PIPELINE)]);
    assert_eq!(project(&folder, Some("dev")).pipeline("p").unwrap().environment, "dev");
    assert_eq!(project(&folder, None).pipeline("q").unwrap().environment, "");
    for (environment, pipeline) in [(None, "p"), (Some("dev"), "q"), (Some("prod"), "p")] {
        assert_eq!(project(&folder, environment).pipeline(pipeline).unwrap_err().code(), "E0112");
    }
}

#[test]
fn values_come_from_the_env_file_when_they_are_needed_and_not_before() {
    let folder = folder(&[
        (
            "tapster.yml",
            "env_file: .env\ntargets: { unused: { name: target-x, config: { p: \"${env:NOWHERE_AT_ALL}\" } } }\n",
        ),
        (".env", "SECRET_OF_TEST=s3cr3t-value\n"),
        (
            "pipelines/p.yml",
            "tap: { name: tap-x, config: { p: \"${env:SECRET_OF_TEST}\", id: 12345678901234567890123 } }\ntarget: { name: target-x, config: { q: \"${env:NOWHERE_AT_ALL}\" } }\n",
        ),
    ]);
    let pipeline = project(&folder, None).pipeline("p").unwrap();
    assert_eq!(pipeline.secrets.redact("s3cr3t-value"), "s3cr3t-value");
    assert_eq!(
        pipeline.tap.config().unwrap().as_str(),
        r#"{"p":"s3cr3t-value","id":12345678901234567890123}"#
    );
    assert_eq!(pipeline.secrets.redact("a s3cr3t-value"), "a ********");
    assert_eq!(pipeline.target.config().unwrap_err().code(), "E0115");
    assert!(!format!("{pipeline:?}").contains("s3cr3t-value"));
}

#[test]
fn the_projects_own_pipelines_are_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let project = Project::discover(&root, None).unwrap();
    let names: Vec<String> = project.pipeline_names().map(str::to_owned).collect();
    assert!(names.contains(&"flights".to_owned()));
    for name in names {
        project.pipeline(&name).unwrap_or_else(|error| panic!("{error}"));
    }
}
