//! Specification, catalog, and what is kept of both.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::scene::{BOTH, FULL, Scene, keyed, stream};

#[test]
fn the_specification_is_asked_for_once_and_kept_private() {
    let scene = Scene::new(&[keyed("users", BOTH)]);
    let cache = scene.path().join("cache");
    let words = ["--discover", "--cache", cache.to_str().unwrap()];
    let _ = scene.run(&words).expect(0);
    let scene = scene.set("more", json!(1));
    let _ = scene.run(&words).expect(0);
    assert_eq!(scene.asked(), ["spec", "discover", "discover"]);
    for file in fs::read_dir(&cache).unwrap() {
        assert_eq!(file.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    // A program that is edited is another one.
    let source = fs::read_to_string(scene.path().join("source.py")).unwrap();
    fs::write(scene.path().join("source.py"), source + "\n").unwrap();
    let _ = scene.run(&words).expect(0);
    assert_eq!(scene.asked()[3..], ["spec", "discover"]);
}

#[test]
fn a_config_that_breaks_the_specification_starts_nothing() {
    let scene = Scene::new(&[stream("users", FULL)]).set("token", json!("zz")).set("read", json!("hunter3"));
    for words in [&["--discover"][..], &[]] {
        let refused = scene.run(words).expect(78);
        assert!(refused.stderr.contains("`/token` breaks the rule `minLength`"), "{}", refused.stderr);
        assert!(refused.stderr.contains("`/read` breaks the rule `type`"), "{}", refused.stderr);
        assert!(!refused.stderr.contains("zz") && !refused.stderr.contains("hunter3"), "{}", refused.stderr);
        let last = refused.stderr.lines().last().unwrap();
        assert!(last.contains("hint: the specification says of it: What it says."), "{last}");
    }
    assert_eq!(scene.asked(), ["spec", "spec"]);
}

#[test]
fn a_discovery_that_fails_says_why() {
    let failing = |says: serde_json::Value| Scene::new(&[]).set("discover", says);
    let config = failing(json!([crate::scene::error("wrong token hunter2", "config_error")]))
        .run(&["--discover"])
        .expect(78);
    assert!(config.stderr.contains("the source's `discover` failed: wrong token ***"), "{}", config.stderr);
    assert!(!config.stderr.contains("x.py"), "the stack is for debugging");
    let _ = failing(json!([crate::scene::error("busy", "transient_error")])).run(&["--discover"]).expect(75);
    let none = failing(json!(["Starting"])).run(&["--discover"]).expect(1);
    assert!(none.stderr.contains("gave no catalog: it exited 0"), "{}", none.stderr);
}

#[test]
fn a_check_asks_the_source_and_goes_by_its_word_alone() {
    let scene = Scene::new(&[]);
    let _ = scene.run(&["--check"]).expect(0);
    assert_eq!(scene.asked(), ["spec", "check"]);
    let answering = |says: serde_json::Value| Scene::new(&[]).set("check", says);
    let status = json!({ "status": "FAILED", "message": "no luck with hunter2" });
    let failed = answering(json!([{ "type": "CONNECTION_STATUS", "connectionStatus": status }]));
    let failed = failed.run(&["--check"]).expect(78);
    assert!(failed.stderr.contains("the source's `check` failed: no luck with ***"), "{}", failed.stderr);
    let busy = answering(json!([crate::scene::error("busy", "transient_error")])).run(&["--check"]);
    let _ = busy.expect(75);
    let none = answering(json!([])).run(&["--check"]).expect(1);
    assert!(none.stderr.contains("gave no answer: it exited 0"), "{}", none.stderr);
}

#[test]
fn a_manifest_has_the_specification_and_goes_along() {
    let scene = Scene::new(&[stream("users", FULL)]);
    let manifest = scene.path().join("m.yaml");
    let text = "version: 6.0.0\nspec: { connection_specification: { required: [url], properties: { url: { description: Where. } } } }\n";
    fs::write(&manifest, text).unwrap();
    let components = scene.path().join("components.py");
    fs::write(&components, "# classes").unwrap();
    let (manifest, components) = (manifest.to_str().unwrap(), components.to_str().unwrap());
    let words = ["--discover", "--manifest", manifest, "--components", components];
    let refused = scene.run(&words).expect(78);
    assert!(
        refused.stderr.contains("it lacks `url`") && refused.stderr.ends_with("Where.\n"),
        "{}",
        refused.stderr
    );
    let scene = scene.set("url", json!("http://x"));
    // The source of these tests reads each file that it is given as text.
    let _ = scene.run(&words).expect(0);
    assert_eq!(scene.asked(), ["discover"], "the specification is the manifest's");
    let seen = fs::read_to_string(scene.path().join("discover.json")).unwrap();
    assert!(seen.contains("--manifest-path") && seen.contains("--components-path"), "{seen}");
    fs::write(manifest, "a: [").unwrap();
    let _ = scene.run(&words).expect(78);
}

#[test]
fn a_program_that_is_not_there_is_told() {
    let scene = Scene::new(&[]);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tap-airbyte"));
    fs::write(scene.path().join("config.json"), "{}").unwrap();
    command
        .args(["--command=source-nowhere", "--discover", "--config"])
        .arg(scene.path().join("config.json"));
    let missing = crate::scene::outcome(command.output().unwrap()).expect(78);
    assert!(missing.stderr.contains("`source-nowhere` does not start"), "{}", missing.stderr);
}
