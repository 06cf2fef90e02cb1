//! The state verbs and partial runs where the target is a program of its own and the STATE is in the store.

use std::fs;

use serde_json::{Value, json};
use tests::programs;
use tests::project::{Outcome, Project};

/// Two streams that count, `keyed` and `bare`, into a target that writes down what it reads.
struct Letters(Project);

impl Letters {
    fn new() -> Self {
        let letters = Self(Project::new());
        letters.up_to(3);
        letters
    }

    fn up_to(&self, number: u64) {
        self.pipeline("letters", number, &json!({}), &json!({}));
    }

    /// `tap` and `target` are config besides the usual one.
    fn pipeline(&self, name: &str, up_to: u64, tap: &Value, target: &Value) {
        let with = |mut config: Value, more: &Value| {
            config.as_object_mut().expect("a map").extend(more.as_object().expect("a map").clone());
            config
        };
        let command = |file: &str| json!(["python3", programs::file(file)]);
        let read = self.0.path().join("read.singer");
        self.0.pipeline(
            name,
            &json!({
                "tap": { "command": command("taps/letters.py"), "config": with(json!({ "up_to": up_to }), tap) },
                "target": {
                    "command": command("targets/hostile_target.py"),
                    "config": with(json!({ "path": read }), target),
                },
            }),
        );
    }

    fn tapster(&self, words: &str) -> Outcome {
        self.0.run(words.split(' '))
    }

    fn document(&self, words: &str) -> Value {
        let outcome = self.0.run(words.split(' ').chain(["--json"])).expect_code(0);
        serde_json::from_str(&outcome.stdout).expect("JSON")
    }

    /// Runs, and gives what the target has read of it: `keyed 1`.
    fn reads(&self, words: &str) -> Vec<String> {
        let path = self.0.path().join("read.singer");
        let _ = fs::remove_file(&path);
        let _ = self.tapster(words).expect_code(0);
        let text = fs::read_to_string(path).expect("what it read");
        let messages = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let records = messages.filter(|message| message["type"] == "RECORD");
        let short = |message: Value| {
            format!("{} {}", message["stream"].as_str().unwrap_or_default(), message["record"]["n"])
        };
        records.map(short).collect()
    }

    /// The bookmarks of both streams.
    fn bookmarks(&self, pipeline: &str) -> Value {
        let state = self.document(&format!("state get {pipeline}"));
        state.get("bookmarks").cloned().unwrap_or_default()
    }
}

#[test]
fn a_partial_run_reads_what_was_asked_for_and_keeps_the_other_bookmarks() {
    let letters = Letters::new();
    assert_eq!(letters.reads("run letters").len(), 6);
    letters.up_to(5);
    assert_eq!(letters.reads("run letters --select keyed"), ["keyed 4", "keyed 5"]);
    assert_eq!(letters.bookmarks("letters"), json!({ "keyed": 5, "bare": 3 }));
    assert_eq!(letters.reads("run letters --exclude k*"), ["bare 4", "bare 5"]);
    assert_eq!(letters.bookmarks("letters"), json!({ "keyed": 5, "bare": 5 }));
    letters.up_to(6);
    let intended = letters.document("run letters --dry-run --full-refresh --select keyed");
    assert_eq!((&intended[0]["stream"], &intended[0]["bookmark"]), (&json!("keyed"), &Value::Null));
    assert_eq!(intended.as_array().map(Vec::len), Some(1));
    let again = letters.reads("run letters --full-refresh --select keyed");
    assert_eq!(again, (1..=6).map(|n| format!("keyed {n}")).collect::<Vec<_>>());
    assert_eq!(letters.bookmarks("letters"), json!({ "keyed": 6, "bare": 5 }));
    assert_eq!(letters.reads("run letters"), ["bare 6"]);
    let nothing = letters.tapster("run letters --select nothing").expect_code(78);
    assert!(nothing.stderr.contains("nothing"), "{nothing}");
    assert_eq!(letters.bookmarks("letters"), json!({ "keyed": 6, "bare": 6 }));
}

#[test]
fn a_full_refresh_that_fails_before_a_state_leaves_the_one_that_was_kept() {
    let letters = Letters::new();
    assert_eq!(letters.reads("run letters").len(), 6);
    letters.pipeline("letters", 5, &json!({}), &json!({ "acts": [[1, "exit 3"]] }));
    let _ = letters.tapster("run letters --full-refresh").expect_code(69);
    assert_eq!(letters.bookmarks("letters"), json!({ "keyed": 3, "bare": 3 }));
    letters.up_to(3);
    assert_eq!(letters.reads("run letters --full-refresh").len(), 6);
}

#[test]
fn a_full_refresh_makes_the_state_that_of_the_tap_that_ran_even_if_it_reads_the_same() {
    let letters = Letters::new();
    assert_eq!(letters.reads("run letters").len(), 6);
    let file = letters.0.path().join("pipelines/letters.yml");
    let text = fs::read_to_string(&file).expect("the pipeline");
    let copy = letters.0.write("others.py", fs::read(programs::file("taps/letters.py")).expect("the tap"));
    let tap = programs::file("taps/letters.py");
    let other = text.replace(&tap.display().to_string(), &copy.display().to_string());
    fs::write(&file, other).expect("the pipeline");
    let refused = letters.tapster("run letters").expect_code(78);
    assert!(refused.stderr.contains("error[E0322]"), "{refused}");
    assert_eq!(letters.reads("run letters --full-refresh").len(), 6);
    assert_eq!(letters.reads("run letters"), Vec::<String>::new());
}

#[test]
fn a_new_name_takes_the_state_and_its_history_along() {
    let letters = Letters::new();
    assert_eq!(letters.reads("run letters").len(), 6);
    let early = letters.tapster("state move letters mail").expect_code(78);
    assert!(early.stderr.contains("git mv pipelines/letters.yml pipelines/mail.yml"), "{early}");
    let file = |name: &str| letters.0.path().join(format!("pipelines/{name}.yml"));
    fs::rename(file("letters"), file("mail")).expect("the new name");
    let _ = letters.tapster("state move letters mail").expect_code(0);
    letters.pipeline("mail", 4, &json!({}), &json!({}));
    assert_eq!(letters.reads("run mail"), ["keyed 4", "bare 4"]);
    let history = letters.document("state history mail");
    let how: Vec<_> = history.as_array().expect("a list").iter().map(|entry| entry["how"].clone()).collect();
    assert_eq!(how, ["run", "move", "run"]);
    // A name with a STATE of its own is refused, and nothing is moved by halves.
    letters.up_to(2);
    assert_eq!(letters.reads("run letters").len(), 4);
    let taken = letters.tapster("state move letters mail").expect_code(78);
    assert!(taken.stderr.contains("error[E0508]") && taken.stderr.contains("state clear mail"), "{taken}");
    assert_eq!(letters.bookmarks("letters"), json!({ "keyed": 2, "bare": 2 }));
    assert_eq!(letters.bookmarks("mail"), json!({ "keyed": 4, "bare": 4 }));
    // As the hint says.
    let _ = letters.tapster("state clear mail --yes").expect_code(0);
    let _ = letters.tapster("state move letters mail").expect_code(0);
    assert_eq!(letters.bookmarks("mail"), json!({ "keyed": 2, "bare": 2 }));
    assert_eq!(letters.bookmarks("letters"), Value::Null);
    assert_eq!(letters.reads("run mail"), ["keyed 3", "keyed 4", "bare 3", "bare 4"]);
}

#[test]
fn a_diff_tells_what_moved_and_a_rollback_goes_back_to_it() {
    let letters = Letters::new();
    assert_eq!(letters.reads("run letters").len(), 6);
    letters.up_to(5);
    assert_eq!(letters.reads("run letters --select keyed"), ["keyed 4", "keyed 5"]);
    let diff = letters.document("state diff letters");
    let changes = json!([{ "path": ["bookmarks", "keyed"], "before": 3, "after": 5 }]);
    assert_eq!(diff["changes"], changes);
    // A target merges what has a key: nothing is doubled, so nothing is asked.
    let back = letters.document("state rollback letters 1");
    assert_eq!((&back["back_to"], &back["sequence"]), (&json!(1), &json!(3)));
    assert_eq!(letters.reads("run letters"), ["keyed 4", "keyed 5", "bare 4", "bare 5"]);
    let asked = letters.tapster("state rollback letters 1").expect_code(2);
    assert!(asked.stderr.contains("Records of bare are appended"), "{asked}");
    let _ = letters.tapster("state rollback letters 1 --yes").expect_code(0);
    assert_eq!(letters.bookmarks("letters"), json!({ "keyed": 3, "bare": 3 }));
}

#[test]
fn a_rollback_past_a_run_that_failed_asks_for_what_it_may_have_loaded() {
    let letters = Letters::new();
    assert_eq!(letters.reads("run letters").len(), 6);
    letters.pipeline("letters", 4, &json!({ "then": 9 }), &json!({}));
    let _ = letters.tapster("run letters").expect_code(76);
    assert_eq!(letters.bookmarks("letters"), json!({ "keyed": 4, "bare": 4 }));
    let asked = letters.tapster("state rollback letters 1").expect_code(2);
    assert!(asked.stderr.contains("Records of bare are appended"), "{asked}");
}

#[test]
fn a_state_goes_out_and_comes_in_again() {
    let letters = Letters::new();
    let nothing = letters.tapster("state export letters").expect_code(78);
    assert!(nothing.stderr.contains("error[E0189]"), "{nothing}");
    assert_eq!(letters.reads("run letters").len(), 6);
    let exported = letters.tapster("state export letters").expect_code(0).stdout;
    let document: Value = serde_json::from_str(&exported).expect("JSON");
    assert_eq!((&document["tap"], &document["sequence"]), (&json!("python3 letters.py"), &json!(1)));
    let other = Letters::new();
    other.0.write("letters.json", &exported);
    assert_eq!(other.document("state import letters letters.json")["bookmarks"], 2);
    other.up_to(4);
    assert_eq!(other.reads("run letters"), ["keyed 4", "bare 4"]);
    let asked = other.tapster("state import letters letters.json").expect_code(2);
    assert!(asked.stderr.contains("error[E0192]"), "{asked}");
    let _ = other.tapster("state import letters letters.json --yes").expect_code(0);
    assert_eq!(other.bookmarks("letters"), json!({ "keyed": 3, "bare": 3 }));
    let meltano = letters.document("state export letters --format meltano");
    other.0.write("meltano.json", meltano.to_string().replace('3', "1"));
    let _ = other.tapster("state import letters meltano.json --yes").expect_code(0);
    assert_eq!(other.reads("run letters").len(), 6);
}
