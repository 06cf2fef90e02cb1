use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use super::{EnvFile, InterpolationFault, Resolver, parse};
use crate::place::{Place, SourceFile};
use crate::yaml::read;

fn write(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A resolver in a folder with an env file; the process's own environment is never written by a test.
fn resolved(config: &str) -> (Result<String, crate::ConfigError>, Resolver) {
    let folder = tempfile::tempdir().unwrap();
    let env = "DWH_PASSWORD='p@ss/word'\nPORT=5432\nEMPTY=\nMAP='{\"a\": 1.50}'\n";
    write(&folder.path().join(".env"), env, 0o600);
    write(&folder.path().join("token"), "t0ken-of-file\n", 0o600);
    let file = Arc::new(SourceFile { name: "tapster.yml".into(), text: "env_file: .env".into() });
    let named = Place { file, line: 1, column: 11, width: 4 };
    let env_file = EnvFile::read(folder.path(), ".env", &named).unwrap();
    let resolver = Resolver::new(folder.path().to_owned(), env_file);
    let node = read("test.yml", config.to_owned()).unwrap();
    (resolver.json(&node).map(|json| serde_json::to_string(&json).unwrap()), resolver)
}

#[test]
fn expressions_give_texts_and_json_gives_values() {
    let (json, _) = resolved(
        "p: \"${env:DWH_PASSWORD}\"\nn: \"${json:env:PORT}\"\nt: \"${env:PORT}\"\nd: \"${env:NOT_SET_HERE:-x y}\"\n\
         e: \"${env:EMPTY}\"\nf: \"a ${file:token} b\"\nc: [\"${cmd:printf %s c0mmand}\"]\nl: \"$${env:PORT}\"\n\
         m: \"${json:env:MAP}\"\nid: 12345678901234567890123\n",
    );
    assert_eq!(
        json.unwrap(),
        r#"{"p":"p@ss/word","n":5432,"t":"5432","d":"x y","e":"","f":"a t0ken-of-file b","c":["c0mmand"],"l":"${env:PORT}","m":{"a":1.50},"id":12345678901234567890123}"#
    );
}

#[test]
fn every_resolved_value_is_a_secret_and_a_default_of_the_file_is_none() {
    let (_, resolver) = resolved(
        "a: \"${env:DWH_PASSWORD}\"\nb: \"${file:token}\"\nc: \"${cmd:printf %s c0mmand}\"\nd: \"${env:NOT_SET_HERE:-postgres}\"",
    );
    let text = resolver.secrets.redact("p@ss/word t0ken-of-file c0mmand postgres").into_owned();
    assert_eq!(text, "******** ******** ******** postgres");
}

#[test]
fn a_file_of_the_project_is_private_and_a_mounted_one_is_as_it_is() {
    let (project, mounts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let root = project.path().canonicalize().unwrap();
    write(&root.join("shared"), "hunter2\n", 0o644);
    let mounted = mounts.path().join("mounted");
    write(&mounted, "s3cret\n", 0o444);
    std::os::unix::fs::symlink(&mounted, root.join("link")).unwrap();
    let resolve = |path: &str| {
        let node = read("test.yml", format!("- \"${{file:{path}}}\"\n")).unwrap();
        let resolver = Resolver::new(root.clone(), EnvFile::default());
        resolver.json(&node).map(|json| serde_json::to_string(&json).unwrap())
    };
    let around = format!("{}/../{}/shared", root.display(), root.file_name().unwrap().to_string_lossy());
    for inside in ["shared", &root.join("shared").display().to_string(), &around] {
        let error = resolve(inside).unwrap_err();
        assert_eq!(error.code(), "E0126", "{inside}: {error}");
        assert!(error.to_string().contains("0644") && !error.to_string().contains("hunter2"), "{error}");
    }
    for outside in ["link", &mounted.display().to_string()] {
        assert_eq!(resolve(outside).unwrap(), r#"["s3cret"]"#, "{outside}");
    }
}

#[test]
fn what_is_missing_is_an_error_each_and_never_empty() {
    let (json, _) = resolved(
        "a: \"${env:NOT_SET_HERE}\"\nb: \"${file:nowhere}\"\nc: \"${cmd:false}\"\nd: \"${json:env:DWH_PASSWORD}\"",
    );
    let error = json.unwrap_err();
    assert_eq!(error.problems().count(), 4);
    assert!(error.problems().all(|problem| problem.code() == "E0115"));
    assert!(
        error.to_string().contains("NOT_SET_HERE is not set")
            && error.to_string().contains("nor is it in .env")
    );
    assert!(!error.to_string().contains("p@ss"), "{error}");
}

#[test]
fn what_is_no_expression_is_refused_when_the_file_is_read() {
    let hint = |text| parse(text).unwrap_err().hint();
    assert_eq!(hint("${PASSWORD}"), "did you mean ${env:PASSWORD}?");
    assert_eq!(hint("${evn:PASSWORD}"), "did you mean ${env:PASSWORD}?");
    assert!(matches!(parse("${env:A"), Err(InterpolationFault::NotClosed)));
    assert!(matches!(parse("${env:}"), Err(InterpolationFault::Empty(_))));
    assert!(matches!(parse("${file: }"), Err(InterpolationFault::Empty(_))));
    assert!(matches!(parse("a ${json:env:A}"), Err(InterpolationFault::JsonInText(_))));
    assert!(matches!(parse("${matrix:tenant}"), Err(InterpolationFault::Matrix)));
    assert!(parse("a $ b {c} $x").is_ok());
}
