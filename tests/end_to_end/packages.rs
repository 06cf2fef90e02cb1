//! Taps that are named by their Python package: installed, locked, and run without a network.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tests::project::{Outcome, Project};
use tests::warehouse::Warehouse;
use tests::wheel::tap_tiny;

/// A project whose packages come from a folder, and nothing from a network.
struct Shelf {
    project: Project,
    warehouse: Warehouse,
}

impl Shelf {
    fn new(requirement: &str) -> Self {
        let project = Project::new();
        let warehouse = Warehouse::duckdb(project.path());
        let shelf = Self { project, warehouse };
        shelf.pipeline(&json!({ "pip": requirement, "config": { "password": "s3cret" } }));
        shelf.put("1.0", &["tap-tiny"]);
        shelf
    }

    fn pipeline(&self, tap: &Value) {
        self.project.pipeline("tiny", &json!({ "tap": tap, "target": self.warehouse.block() }));
    }

    fn put(&self, version: &str, programs: &[&str]) {
        tap_tiny(&self.project.path().join("wheels"), version, programs);
    }

    /// tapster with pip's own settings: this folder alone.
    fn tapster(&self, words: &[&str]) -> Command {
        let mut command = self.project.tapster(words);
        command.env("PIP_NO_INDEX", "1").env("PIP_FIND_LINKS", self.project.path().join("wheels"));
        command
    }

    fn run(&self, words: &[&str]) -> Outcome {
        self.project.outcome(&mut self.tapster(words))
    }

    fn lock(&self) -> String {
        fs::read_to_string(self.project.path().join("tapster.lock")).unwrap_or_default()
    }

    /// The environments that are there, whole or not.
    fn environments(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.project.path().join(".tapster/environments"));
        let entries = entries.into_iter().flatten().flatten().map(|entry| entry.path());
        let is_pip =
            |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("pip-"));
        entries.filter(|path| path.is_dir() && !is_pip(path)).collect()
    }

    /// As on another machine, which has the project's files alone.
    fn on_another_machine(&self) {
        fs::remove_dir_all(self.project.path().join(".tapster")).expect(".tapster");
    }

    fn version(&self) -> Option<String> {
        self.warehouse.value("SELECT version FROM tiny")
    }
}

#[test]
fn a_package_is_installed_by_a_run_and_found_again_without_any_program() {
    let shelf = Shelf::new("tap-tiny");
    let first = shelf.run(&["run", "tiny"]).expect_code(0);
    assert!(first.stderr.contains("installing tap-tiny"), "{first}");
    assert_eq!(shelf.version().as_deref(), Some("1.0"));
    let (lock, environments) = (shelf.lock(), shelf.environments());
    assert!(lock.contains("\"version\": \"1.0\"") && lock.contains("sha256"), "{lock}");
    // Neither python3 nor uv nor pip is on this PATH, and a newer version does not matter.
    shelf.put("2.0", &["tap-tiny"]);
    let again = shelf.project.outcome(shelf.tapster(&["run", "tiny"]).env("PATH", "/nowhere")).expect_code(0);
    assert!(!again.stderr.contains("install") && !again.stderr.contains("looking up"), "{again}");
    assert_eq!((shelf.lock(), shelf.environments()), (lock.clone(), environments));
    shelf.on_another_machine();
    let there = shelf.run(&["install", "--locked"]).expect_code(0);
    assert!(there.stdout.contains("tap-tiny of tap-tiny installed"), "{there}");
    let _ = shelf.run(&["run", "tiny"]).expect_code(0);
    assert_eq!((shelf.version().as_deref(), shelf.lock()), (Some("1.0"), lock));
}

#[test]
fn an_update_takes_what_is_newer_and_removes_what_it_replaces() {
    let shelf = Shelf::new("tap-tiny>=1");
    let _ = shelf.run(&["install"]).expect_code(0);
    let before = shelf.environments();
    shelf.put("2.0", &["tap-tiny"]);
    let _ = shelf.run(&["install", "tiny"]).expect_code(0);
    assert_eq!(shelf.environments(), before);
    let _ = shelf.run(&["install", "--update"]).expect_code(0);
    assert!(shelf.lock().contains("\"version\": \"2.0\"") && !shelf.lock().contains("\"1.0\""));
    let after = shelf.environments();
    assert!(after.len() == 1 && after != before, "{after:?}");
    let _ = shelf.run(&["run", "tiny"]).expect_code(0);
    assert_eq!(shelf.version().as_deref(), Some("2.0"));
}

#[test]
fn what_the_lock_does_not_say_is_refused_where_only_the_lock_counts() {
    let shelf = Shelf::new("tap-tiny==1.0");
    let without = shelf.run(&["install", "--locked"]).expect_code(78);
    assert!(without.stderr.contains("E0612"), "{without}");
    let offline = shelf.run(&["check", "--offline"]).expect_code(0);
    assert!(offline.stdout.contains("no tapster.lock yet"), "{offline}");
    let _ = shelf.run(&["install"]).expect_code(0);
    let _ = shelf.run(&["check", "--offline"]).expect_code(0);
    let _ = shelf.run(&["check"]).expect_code(0);
    for tap in [json!({ "pip": "tap-tiny==2.0" }), json!({ "pip": "tap-tiny==1.0", "python": "3.99" })] {
        shelf.pipeline(&tap);
        for words in [&["install", "--locked"][..], &["check", "--offline"]] {
            let refused = shelf.run(words).expect_code(78);
            assert!(refused.stderr.contains("E0612"), "{refused}");
        }
    }
}

/// The Pythons of this machine that can make environments, by version, as `python:` has it.
fn pythons() -> Vec<String> {
    let home = std::env::home_dir().unwrap_or_default();
    let of_pyenv = fs::read_dir(home.join(".pyenv/versions")).into_iter().flatten().flatten();
    let of_pyenv = of_pyenv.map(|entry| entry.path().join("bin/python3"));
    let named = (9..20).map(|minor| PathBuf::from(format!("python3.{minor}")));
    let version = |program: PathBuf| {
        let ask = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])";
        let output =
            Command::new(program).args(["-c", ask]).output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
    };
    let versions: BTreeSet<String> = named.chain(of_pyenv).filter_map(version).collect();
    let is_new = |version: &String| version.len() == "3.10".len() || version == "3.9";
    versions.into_iter().filter(is_new).collect()
}

/// On a machine with one Python alone this shows that it is the one that is asked for.
#[test]
fn a_package_has_an_environment_for_each_python() {
    let shelf = Shelf::new("tap-tiny");
    let pythons: Vec<String> = pythons().into_iter().rev().take(2).collect();
    assert!(
        !pythons.is_empty(),
        "python3 with its venv module: install it (Debian: apt-get install python3-venv)"
    );
    let pyenv = std::env::home_dir().unwrap_or_default().join(".pyenv");
    for python in &pythons {
        let tap = json!({ "pip": "tap-tiny", "python": python });
        shelf
            .project
            .pipeline(&format!("tiny-{python}"), &json!({ "tap": tap, "target": shelf.warehouse.block() }));
    }
    fs::remove_file(shelf.project.path().join("pipelines/tiny.yml")).expect("a file");
    let tapster = |words: &[&str]| shelf.project.outcome(shelf.tapster(words).env("PYENV_ROOT", &pyenv));
    let _ = tapster(&["install"]).expect_code(0);
    let made = shelf.environments().into_iter().map(|environment| {
        let text = fs::read_to_string(environment.join("pyvenv.cfg")).expect("an environment");
        let version = text.lines().find_map(|line| line.strip_prefix("version = ")).expect("its version");
        version.rsplit_once('.').expect("three numbers").0.to_owned()
    });
    assert_eq!(made.collect::<BTreeSet<_>>(), pythons.iter().cloned().collect());
    let lock = shelf.lock();
    for python in &pythons {
        assert!(lock.contains(&format!("\"{python}\"")), "{lock}");
        let run = tapster(&["check", &format!("tiny-{python}")]).expect_code(0);
        assert!(!run.stderr.contains("installing"), "{run}");
    }
    let run = tapster(&["run", &format!("tiny-{}", pythons[0])]).expect_code(0);
    assert!(!run.stderr.contains("installing"), "{run}");
    assert_eq!(shelf.lock(), lock);
}

#[test]
fn a_package_that_is_not_what_the_lock_says_is_refused_and_leaves_nothing() {
    let shelf = Shelf::new("tap-tiny");
    let _ = shelf.run(&["install"]).expect_code(0);
    let lock = shelf.lock();
    let hash = lock.lines().map(str::trim).find(|line| line.len() == 66).expect("a hash").to_owned();
    let other = format!("\"{}\"", "0".repeat(64));
    shelf.project.write("tapster.lock", lock.replace(&hash, &other));
    for words in [&["run", "tiny"][..], &["install", "--locked"], &["install"]] {
        let refused = shelf.run(words).expect_code(78);
        assert!(
            refused.stderr.contains("E0607") && refused.stderr.contains("Expected sha256 000"),
            "{refused}"
        );
    }
    let run = shelf.project.run(["runs", "show", "tiny"]).expect_code(0);
    assert!(run.stdout.contains("E0607") && run.stdout.contains("failing since"), "{run}");
    // Only the one that the right lock named.
    assert_eq!(shelf.environments().len(), 1);
    shelf.project.write("tapster.lock", lock);
    let _ = shelf.project.outcome(shelf.tapster(&["install"]).env("PATH", "/nowhere")).expect_code(0);
}

#[test]
fn what_cannot_be_installed_is_told_by_its_own_error() {
    let shelf = Shelf::new("tap-tiny");
    shelf.put("1.1", &["tap-tiny", "tap-other", "tool"]);
    for (code, exit_code, words, tap) in [
        ("E0601", 78, "flag", json!({ "pip": "--index-url=https://host tap-tiny" })),
        ("E0601", 78, "\"3.11\"", json!({ "pip": "tap-tiny", "python": "python3" })),
        ("E0603", 78, "there are 3.", json!({ "pip": "tap-tiny", "python": "3.99" })),
        ("E0605", 78, "1.0, 1.1", json!({ "pip": "tap-tiny==9" })),
        ("E0606", 78, "tap-tiny==1.0, tap-tiny==1.1", json!({ "pip": ["tap-tiny==1.0", "tap-tiny==1.1"] })),
        ("E0609", 69, "tap-missing", json!({ "pip": "tap-missing" })),
        ("E0611", 78, "tap-other, tap-tiny, tool", json!({ "pip": "tap-tiny==1.1" })),
        ("E0611", 78, "there are tap-tiny", json!({ "pip": "tap-tiny==1.0", "executable": "tap-x" })),
    ] {
        shelf.pipeline(&tap);
        let refused = shelf.run(&["install"]).expect_code(exit_code);
        assert!(refused.stderr.contains(code) && refused.stderr.contains(words), "{code}: {refused}");
    }
    shelf.pipeline(&json!({ "pip": "tap-tiny==1.1", "executable": "tap-other" }));
    let _ = shelf.run(&["run", "tiny"]).expect_code(0);
    let none = shelf
        .project
        .outcome(shelf.tapster(&["install"]).env("PATH", "/nowhere").env("PYENV_ROOT", "/nowhere"));
    assert_eq!(none.code, Some(0), "{none}");
    shelf.on_another_machine();
    let none = shelf
        .project
        .outcome(shelf.tapster(&["install"]).env("PATH", "/nowhere").env("PYENV_ROOT", "/nowhere"));
    assert!(none.code == Some(78) && none.stderr.contains("E060"), "{none}");
}

#[test]
fn two_at_once_install_it_once_and_a_half_made_one_is_made_again() {
    let shelf = Shelf::new("tap-tiny");
    let _ = shelf.run(&["install"]).expect_code(0);
    let environment = shelf.environments().pop().expect("one");
    fs::remove_file(environment.join("tapster.json")).expect("its mark");
    let start =
        || shelf.tapster(&["install"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let (one, other) = (start(), start());
    let outputs = [one, other].map(|child| child.wait_with_output().expect("ends"));
    let said = outputs.map(|output| {
        assert!(output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    });
    let makers = said.iter().filter(|text| text.contains("installing tap-tiny")).count();
    assert_eq!(makers, 1, "{said:?}");
}

#[test]
fn invoke_is_the_taps_own_command_line() {
    let shelf = Shelf::new("tap-tiny");
    let mut invoke = shelf.tapster(&["invoke", "tiny", "--", "--echo", "--json"]);
    let mut child = invoke
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("tapster starts");
    std::io::Write::write_all(&mut child.stdin.take().expect("piped"), b"from stdin").expect("written");
    let output = child.wait_with_output().expect("ends");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said, "{\"password\": \"s3cret\"} ['--echo', '--json'] from stdin\n");
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(shelf.project.private_folders(), Vec::<PathBuf>::new());
}
