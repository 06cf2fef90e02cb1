//! The program by itself.

use std::fs;
use std::process::Command;

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
    let run = |config: &str| {
        fs::write(path("config.json"), config).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_target-jsonl"));
        command.args(["--config", "config.json", "--input", "messages"]).current_dir(folder.path());
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = run(r#"{"path":"out"}"#);
    assert!(code == Some(65) && said.contains("E0240"), "{code:?}: {said}");
    let (code, said) = run(r#"{"path":"out","batch_roots":["spool"]}"#);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(fs::read_to_string(path("out/items.jsonl")).unwrap().lines().count(), 2);
    assert!(path("spool/a.jsonl").exists());
}
