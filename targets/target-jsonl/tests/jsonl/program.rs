//! The program by itself.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Its exit code and what it says, fed the file `messages` of the folder that it runs in.
fn run(folder: &Path, config: &str) -> (Option<i32>, String) {
    fs::write(folder.join("config.json"), config).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_target-jsonl"));
    command.args(["--config", "config.json", "--input", "messages"]).current_dir(folder);
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// What it may read of BATCH messages is named in its own config.
#[test]
fn files_of_batch_messages_are_read_from_the_folders_of_the_config() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("spool")).unwrap();
    fs::write(path("spool/a.jsonl"), "{\"id\":1}\n{\"id\":2}\n").unwrap();
    let schema = r#"{"type":"SCHEMA","stream":"items","key_properties":[],"schema":{"properties":{"id":{"type":"integer"}}}}"#;
    let batch = format!(
        r#"{{"type":"BATCH","stream":"items","encoding":{{"format":"jsonl"}},"manifest":["file://{}"]}}"#,
        path("spool/a.jsonl").display()
    );
    fs::write(path("messages"), format!("{schema}\n{batch}\n")).unwrap();
    let (code, said) = run(folder.path(), r#"{"path":"out"}"#);
    assert!(code == Some(65) && said.contains("E0240"), "{code:?}: {said}");
    let (code, said) = run(folder.path(), r#"{"path":"out","batch_roots":["spool"]}"#);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(fs::read_to_string(path("out/items.jsonl")).unwrap().lines().count(), 2);
    assert!(path("spool/a.jsonl").exists());
}

/// A pipeline's settings and verbs are of no use to who runs the target by itself.
#[test]
fn two_streams_of_one_file_are_refused_with_what_the_config_can_do() {
    let folder = tempfile::tempdir().unwrap();
    let schema = |stream: &str| {
        format!(
            r#"{{"type":"SCHEMA","stream":"{stream}","key_properties":[],"schema":{{"properties":{{"id":{{}}}}}}}}"#
        )
    };
    let record = |stream: &str| format!(r#"{{"type":"RECORD","stream":"{stream}","record":{{"id":1}}}}"#);
    let streams = ["shop-orders", "crm-orders"].map(|stream| schema(stream) + "\n" + &record(stream) + "\n");
    fs::write(folder.path().join("messages"), streams.concat()).unwrap();
    let (code, said) = run(folder.path(), r#"{"path":"one","default_target_schema":"raw"}"#);
    assert!(code == Some(78) && said.contains("E0323") && said.contains("`schema_mapping`"), "{said}");
    assert!(!said.contains("target_table"), "{said}");
    let (code, said) =
        run(folder.path(), r#"{"path":"two","default_target_schema":"raw","schema_mapping":{"crm":"crm"}}"#);
    assert_eq!(code, Some(0), "{said}");
}
