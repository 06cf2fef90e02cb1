//! Taps that write into their config: a token that is good for one use must outlive the run.

use std::fs;
use std::path::Path;

use crate::harness::{document, tapster, told};
use crate::scripted::{GREETINGS, Hanging, pipeline, project};

/// Notes the token that it was given, and writes the next one.
const ROTATING: &str = r#"
file=$(while [ "$1" != --config ]; do shift; done; echo "$2")
token=$(sed 's/.*"token": *"\([^"]*\)".*/\1/' "$file")
echo "$token" >>given
sed "s/\"$token\"/\"${token}x\"/" "$file" >"$file.new" && mv "$file.new" "$file"
"#;

fn rotating(script: &str) -> tempfile::TempDir {
    let folder = project(&[("a", script)]);
    set(folder.path(), "token-one");
    folder
}

fn set(folder: &Path, token: &str) {
    pipeline(folder, "a", "");
    let file = folder.join("pipelines/a.yml");
    let config = format!("catalog: false, config: {{ token: {token}, other: 1.5 }}");
    fs::write(&file, fs::read_to_string(&file).unwrap().replace("catalog: false", &config)).unwrap();
}

fn given(folder: &Path) -> Vec<String> {
    fs::read_to_string(folder.join("given")).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn what_a_tap_wrote_wins_until_the_file_says_something_else() {
    let folder = rotating(&format!("{ROTATING}{GREETINGS}"));
    for _ in 0..2 {
        document(folder.path(), &["run", "a", "--json"]);
    }
    set(folder.path(), "token-two");
    for _ in 0..2 {
        document(folder.path(), &["run", "a", "--json"]);
    }
    assert_eq!(given(folder.path()), ["token-one", "token-onex", "token-two", "token-twox"]);
}

#[test]
fn a_token_outlives_a_run_that_fails_and_is_never_shown() {
    let folder = rotating(&format!("{ROTATING}cat \"$file\" >&2\nexit 1\n"));
    let said = told(folder.path(), &["run", "a", "-v"]);
    assert!(said.contains("error[E0401]") && !said.contains("token-one"), "{said}");
    assert!(tapster(folder.path(), &["run", "a"]).status.code() == Some(76));
    assert_eq!(given(folder.path()), ["token-one", "token-onex"]);
}

/// Some log in for discovery, too: the run after it must not use that token again.
#[test]
fn what_a_tap_wrote_in_its_discovery_is_kept_and_given_to_the_run() {
    const HELP: &str = "case \"$*\" in *--help*) echo '--config --catalog --state'; exit;; esac\n";
    const DISCOVER: &str = r#"case "$*" in *--discover*) echo '{"streams":[{"tap_stream_id":"greetings","stream":"greetings","schema":{},"metadata":[{"breadcrumb":[],"metadata":{"selected":true}}]}]}'; exit;; esac"#;
    let folder = rotating(&format!("{HELP}{ROTATING}{DISCOVER}\n{GREETINGS}"));
    let file = folder.path().join("pipelines/a.yml");
    fs::write(&file, fs::read_to_string(&file).unwrap().replace("catalog: false, ", "")).unwrap();
    for _ in 0..2 {
        document(folder.path(), &["run", "a", "--json"]);
    }
    document(folder.path(), &["discover", "a", "--json"]);
    assert_eq!(given(folder.path()), ["", "x", "xx", "xxx", "xxxx"].map(|more| format!("token-one{more}")));
}

#[test]
fn a_token_outlives_a_run_that_is_killed() {
    let folder = rotating(&format!("{ROTATING}exec sleep 1000"));
    let held = Hanging::start(folder.path(), "a");
    // Another process asks, as soon as it is there.
    let kept = || {
        let store = store::Store::open(folder.path()).unwrap();
        store.kept(&store::PipelineName::new("", "a"), store::Kept::TapConfig).unwrap()
    };
    while kept().is_none() {
        std::thread::yield_now();
    }
    drop(held);
    let script = folder.path().join("a.sh");
    fs::write(script, format!("{ROTATING}{GREETINGS}")).unwrap();
    document(folder.path(), &["run", "a", "--json"]);
    assert_eq!(given(folder.path()), ["token-one", "token-onex"]);
}
