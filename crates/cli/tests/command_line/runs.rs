//! Runs of the program itself, with taps of a few lines of shell into files.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::{fs, iter};

use crate::harness::{document, tapster, told};
use crate::scripted::{GREETINGS, Hanging, pipeline, project};

#[test]
fn a_tap_without_discovery_is_not_asked_for_a_catalog() {
    let asked = "[ \"$*\" = \"${*#*--discover}\" ] && [ \"$*\" = \"${*#*--catalog}\" ] || exit 9\n";
    let folder = project(&[("a", &format!("{asked}{GREETINGS}"))]);
    let run = document(folder.path(), &["run", "a", "--json"]);
    assert_eq!(run["streams"][0]["records_written"], 2, "{run}");
}

/// A tap that has discovery and takes every other question for an order to extract.
const HEEDLESS: &str = r#"
echo "$1" >>asked
case "$*" in *--discover*) echo '{"streams":[{"tap_stream_id":"greetings","stream":"greetings","schema":{"type":"object","properties":{"text":{"type":"string"}}},"metadata":[{"breadcrumb":[],"metadata":{"selected":true}}]}]}'; exit;; esac
"#;

#[test]
fn a_tap_that_takes_a_question_for_an_order_gets_no_config_and_is_stopped_at_its_first_message() {
    let folder = project(&[("a", &format!("{HEEDLESS}{GREETINGS}[ \"$1\" = --config ] || exec sleep 1000"))]);
    let file = folder.path().join("pipelines/a.yml");
    let text = fs::read_to_string(&file).unwrap().replace(", catalog: false", "");
    fs::write(&file, text).unwrap();
    let run = document(folder.path(), &["run", "a", "--json"]);
    assert_eq!(run["streams"][0]["records_written"], 2, "{run}");
    let asked = fs::read_to_string(folder.path().join("asked")).unwrap();
    assert_eq!(asked.lines().collect::<Vec<_>>(), ["--config", "--help", "--config"]);
}

#[test]
fn a_limit_of_time_holds_for_discovery() {
    let folder = project(&[("a", "exec sleep 1000")]);
    let file = folder.path().join("pipelines/a.yml");
    let text = fs::read_to_string(&file).unwrap().replace(", catalog: false", "");
    fs::write(&file, &text).unwrap();
    let ended = |words: &[&str], code: &str| {
        let output = tapster(folder.path(), words);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(124) && said.contains(code), "{said}");
    };
    ended(&["run", "a", "--timeout", "300ms"], "E0408");
    fs::write(&file, format!("{text}limits: {{ idle_timeout: 300ms }}\n")).unwrap();
    ended(&["run", "a"], "E0403");
}

#[test]
fn a_relative_path_of_a_target_starts_at_the_project_from_wherever_it_is_run() {
    let folder = tempfile::tempdir().unwrap();
    let project = project(&[("a", GREETINGS)]);
    let path = project.path().to_str().unwrap();
    let text = told(folder.path(), &["-C", path, "run", "a"]);
    assert!(text.contains("The data is in out/a_greetings.jsonl."), "{text}");
    assert_eq!(document(&project.path().join("pipelines"), &["check", "--json"])[0]["ok"], true);
    let state = tapster(folder.path(), &["state", "get", "a", "-C", path]);
    assert!(String::from_utf8(state.stdout).unwrap().contains(r#"{"n":2}"#));
    let loaded = fs::read_to_string(project.path().join("out/a_greetings.jsonl")).unwrap();
    assert_eq!(loaded.lines().count(), 2);
    for elsewhere in [folder.path().to_owned(), project.path().join("pipelines")] {
        assert!(!elsewhere.join("out").exists(), "{elsewhere:?}");
    }
}

#[test]
fn a_signal_stops_all_of_several_runs_and_starts_no_more() {
    let hanging = format!("{GREETINGS}exec sleep 1000");
    let folder = project(&[("a", &hanging), ("b", &hanging), ("c", GREETINGS)]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_tapster"))
        .args(["run", "a", "b", "c", "--json", "--log-format", "json"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let open = lines.by_ref().filter(|line| line.contains("table_opened")).take(2).count();
    assert_eq!(open, 2);
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    lines.for_each(drop);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let codes: Vec<_> = told.as_array().unwrap().iter().map(|one| one["exit_code"].clone()).collect();
    assert_eq!(codes, [143.into(), 143.into(), serde_json::Value::Null]);
    let runs = document(folder.path(), &["runs", "list", "--json"]);
    let ended: Vec<_> = runs.as_array().unwrap().iter().map(|run| run["status"].clone()).collect();
    assert_eq!(ended, iter::repeat_n("cancelled", 2).collect::<Vec<_>>());
}

/// Every commit is in the ledger at once: while the run is on, and when it never said another word.
#[test]
fn a_run_that_is_on_or_was_killed_is_told_by_its_last_commit() {
    let folder = project(&[("a", &format!("{GREETINGS}exec sleep 1000"))]);
    pipeline(folder.path(), "a", "limits: { checkpoint_every: 100ms }\n");
    let mut child = Command::new(env!("CARGO_BIN_EXE_tapster"))
        .args(["run", "a", "--log-format", "json"])
        .current_dir(folder.path())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("\"checkpointed\"")));
    let on = told(folder.path(), &["runs", "show", "a"]);
    assert!(on.contains("so far    2 records committed"), "{on}");
    child.kill().unwrap();
    child.wait().unwrap();
    let lost = document(folder.path(), &["runs", "show", "a", "--json"]);
    assert_eq!((&lost["status"], &lost["streams"][0]["records_written"]), (&"lost".into(), &2.into()));
    assert_eq!(lost["streams"][0]["bookmark_after"]["n"], 2, "{lost}");
    assert_eq!(lost["state_after"]["bookmarks"]["greetings"]["n"], 2, "{lost}");
    let night = told(folder.path(), &["runs", "show", "a"]);
    assert!(night.contains("safe      2 records committed"), "{night}");
}

/// Warnings that are logged read like those that are printed, and `-v` tells the steps.
#[test]
fn the_log_on_stderr_reads_like_the_other_words() {
    let more = GREETINGS.replace("\"text\":\"good night\"", "\"text\":\"good night\",\"extra\":1");
    let folder = project(&[("a", &more)]);
    let warning =
        "\nwarning: dropped a property that the SCHEMA does not have (stream greetings, property extra)\n";
    let plain = told(folder.path(), &["run", "a"]);
    assert!(plain.contains(warning) && !plain.contains("debug: "), "{plain}");
    let verbose = told(folder.path(), &["run", "a", "-v"]);
    assert!(verbose.contains("debug: committed as sequence 2, with a STATE of 35 B\n"), "{verbose}");
    assert!(verbose.contains("debug: greetings: a batch of 2 records"), "{verbose}");
}

#[test]
fn with_a_json_log_all_of_stderr_is_json_lines() {
    let folder = project(&[("a", GREETINGS), ("b", "echo no; exit 3")]);
    for args in
        [&["run", "a"][..], &["run", "b"], &["run", "a", "b"], &["run", "c"], &["run", "a", "--nonsense"]]
    {
        let output = tapster(folder.path(), &[args, &["--log-format", "json"]].concat());
        let lines = String::from_utf8(output.stderr).unwrap();
        let objects: Vec<serde_json::Value> =
            lines.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
        assert!(objects.iter().all(|object| object["timestamp"].is_string()), "{lines}");
        let errors = objects.iter().filter(|object| object["level"] == "ERROR");
        let errors: Vec<_> = errors.map(|line| line["error"]["code"].is_string()).collect();
        assert_eq!(errors, if args == ["run", "a"] { vec![] } else { vec![true] }, "{lines}");
    }
}

#[test]
fn of_several_runs_each_error_and_warning_names_its_pipeline() {
    let folder = project(&[("a", GREETINGS), ("b", "exit 3")]);
    let both = told(folder.path(), &["run", "a", "b"]);
    assert!(both.contains("\nwarning: a: no key in greetings"), "{both}");
    assert!(both.contains("\nerror[E0401]: b: the tap exited 3"), "{both}");
}

#[test]
fn several_runs_end_in_order_when_the_process_that_began_them_is_killed() {
    let hanging = format!("{GREETINGS}exec sleep 1000");
    let folder = project(&[("a", &hanging), ("b", &hanging)]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_tapster"))
        .args(["run", "a", "b", "--log-format", "json"])
        .current_dir(folder.path())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.by_ref().filter(|line| line.contains("table_opened")).take(2).count(), 2);
    child.kill().unwrap();
    child.wait().unwrap();
    // The end of their stderr is the end of both runs.
    lines.for_each(drop);
    let runs = document(folder.path(), &["runs", "list", "--json"]);
    let ended: Vec<_> = runs.as_array().unwrap().iter().map(|run| run["exit_code"].clone()).collect();
    assert_eq!(ended, [143, 143], "{runs}");
}

/// On a terminal, which `script` is.
#[test]
fn several_runs_have_a_line_each_and_their_errors_stay_whole() {
    let folder = project(&[
        ("a", GREETINGS),
        ("b", "echo FATAL no such door >&2; sleep 0.4; exit 3"),
        ("c", GREETINGS),
    ]);
    let command = format!("stty cols 80 rows 24; {} run --all --color never", env!("CARGO_BIN_EXE_tapster"));
    let output = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("b                    reading"), "{text}");
    for block in [
        "error[E0401]: b: the tap exited 3",
        "warning: a: no key in greetings",
        "a: 2 records, in ",
        "b: 0 records are committed",
    ] {
        assert_eq!(text.matches(block).count(), 1, "{block}: {text}");
    }
}

#[test]
fn several_runs_are_one_document_with_that_of_each() {
    let folder = project(&[("a", GREETINGS), ("b", "exit 3")]);
    let output = tapster(folder.path(), &["run", "--all", "--json"]);
    assert_eq!(output.status.code(), Some(76));
    let both: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(both[0]["result"]["streams"][0]["records_written"], 2);
    assert_eq!(both[1]["result"]["error"]["code"], "E0401");
}

#[test]
fn the_first_load_of_a_stream_without_a_key_warns_of_what_the_tap_may_say_again() {
    // No catalog: the SCHEMA says that there is no key.
    let folder = project(&[("a", GREETINGS)]);
    let run = document(folder.path(), &["run", "a", "--json"]);
    assert!(run["warnings"][0].as_str().unwrap().starts_with("no key in greetings"), "{run}");
    let again = document(folder.path(), &["run", "a", "--json"]);
    assert_eq!(again["warnings"].as_array().unwrap().len(), 0, "once is enough: {again}");
}

/// A tap that prints its config on stdout and stderr: the error's excerpt, the logs and the ledger must not have it.
#[test]
fn a_secret_that_the_tap_prints_is_seen_nowhere() {
    let folder = project(&[("a", "cat \"$2\" >&2; cat \"$2\" | tr -d '{}'; echo")]);
    let file = folder.path().join("pipelines/a.yml");
    let config = "catalog: false, config: { password: \"${file:secret}\" }";
    let text = fs::read_to_string(&file).unwrap().replace("catalog: false", config);
    fs::write(&file, text).unwrap();
    let secret = folder.path().join("secret");
    fs::write(&secret, "hunter2-hunter2").unwrap();
    fs::set_permissions(secret, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    for flags in [&["-vv"][..], &["--json"], &["--log-format", "json"]] {
        let told = told(folder.path(), &[&["run", "a"], flags].concat());
        assert!(told.contains("E0203") && told.contains("********"), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
    for verb in [["runs", "show", "a"], ["runs", "logs", "a"], ["config", "a", "--json"]] {
        assert!(!told(folder.path(), &verb).contains("hunter2"), "{verb:?}");
    }
    let mut folders = vec![folder.path().join(".tapster")];
    while let Some(inside) = folders.pop() {
        for entry in fs::read_dir(inside).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                let bytes = fs::read(entry.path()).unwrap();
                assert!(!bytes.windows(7).any(|part| part == b"hunter2"), "{}", entry.path().display());
            }
        }
    }
}

#[test]
fn a_tap_that_fails_at_discovery_is_quoted_now_and_at_night() {
    let folder = project(&[("a", "echo CRITICAL no such file >&2; exit 3")]);
    let file = folder.path().join("pipelines/a.yml");
    let text = fs::read_to_string(&file).unwrap().replace(", catalog: false", "");
    fs::write(&file, text).unwrap();
    let failed = document(folder.path(), &["run", "a", "--json"]);
    assert_eq!(failed["error"]["tap_said"][0], "CRITICAL no such file", "{failed}");
    let night = told(folder.path(), &["runs", "show", "a"]);
    assert!(night.contains("tap said  CRITICAL no such file"), "{night}");
}

#[test]
fn check_offline_knows_the_names_of_the_project_and_needs_no_variable() {
    let folder = project(&[("a", GREETINGS)]);
    let write = |text: &str| fs::write(folder.path().join("pipelines/a.yml"), text).unwrap();
    write(
        "tap: { command: [sh], config: { password: \"${env:NOT_SET}\" } }\ntarget: { name: target-jsonl, config: { path: out } }\n",
    );
    assert_eq!(document(folder.path(), &["check", "--offline", "--json"])[0]["ok"], true);
    write("tap: { command: [sh] }\ntarget: warehous\n");
    let told = document(folder.path(), &["check", "--offline", "--json"]);
    assert_eq!(told[0]["error"]["code"], "E0113", "{told}");
}

/// What the files alone tell is refused before a run, offline too, and with one and the same error.
#[test]
fn check_offline_refuses_what_a_run_refuses() {
    let folder = project(&[("a", GREETINGS)]);
    let target = "target: { name: target-jsonl, config: { path: out } }";
    let tap = "tap: { command: [sh, a.sh], catalog: false }";
    for (code, text) in [
        (
            "E0107",
            format!("{tap}\n{target}\nstreams: {{ x: {{ columns: {{ email: {{ hash: sha256 }} }} }} }}"),
        ),
        ("E0107", format!("{tap}\n{target}\nstreams: {{ x: {{ filter: a, load_method: history }} }}")),
        ("E0107", format!("{tap}\n{target}\nhooks: {{ before: [] }}")),
        ("E0104", format!("tap: {{ command: [cat], manifest: x.yaml }}\n{target}")),
        ("E0104", format!("tap: {{ name: tap-csv, protocol: airbyte }}\n{target}")),
        (
            "E0123",
            format!(
                "tap: {{ airbyte: source-x==1 }}\n{target}\ndefaults: {{ replication_method: LOG_BASED }}"
            ),
        ),
        ("E0185", format!("tap: {{ name: tap-foo }}\n{target}")),
        ("E0185", format!("{tap}\ntarget: {{ name: target-jsnol, config: {{ path: out }} }}")),
        ("E0191", format!("{tap}\ntarget: {{ name: target-jsonl, config: {{ pth: out }} }}")),
        ("E0191", format!("{tap}\ntarget: {{ name: target-jsonl }}")),
        ("E0123", format!("{tap}\n{target}\ndefaults: {{ load_method: upsert }}")),
        ("E0127", format!("{tap}\n{target}\nstreams: {{ \"{{a,b}}\": {{ target_table: x }} }}")),
    ] {
        fs::write(folder.path().join("pipelines/a.yml"), &text).unwrap();
        let checked = &document(folder.path(), &["check", "a", "--offline", "--json"])[0]["error"];
        let run = &document(folder.path(), &["run", "a", "--json"])["error"];
        assert_eq!((&checked["code"], checked), (&code.into(), run), "{text}");
    }
}

#[test]
fn check_offline_reads_on_where_a_variable_or_the_environment_is_missing() {
    let folder = project(&[("a", GREETINGS)]);
    let code = |text: &str| {
        fs::write(folder.path().join("pipelines/a.yml"), text).unwrap();
        document(folder.path(), &["check", "a", "--offline", "--json"])[0]["error"]["code"].clone()
    };
    let target = "target: { name: target-jsonl, config: { path: \"${cmd:touch asked}\" } }";
    let tap = "tap: { command: [sh, a.sh], catalog: false }";
    assert_eq!(
        code(&format!(
            "{tap}\n{target}\nstreams: {{ x: {{ metadata: {{ y: \"${{env:NO}}\" }}, filter: a }} }}"
        )),
        "E0107"
    );
    assert_eq!(code(&format!("{tap}\n{target}\nhooks: {{}}\nenvironments: {{ dev: {{}} }}")), "E0107");
    assert_eq!(code(&format!("{tap}\n{target}\nenvironments: {{ dev: {{}} }}")), serde_json::Value::Null);
    assert!(!folder.path().join("asked").exists());
}

#[test]
fn a_program_that_is_none_is_told_where_it_is_named_with_the_one_that_is_meant() {
    let folder = project(&[("a", GREETINGS)]);
    let write = |text: &str| fs::write(folder.path().join("pipelines/a.yml"), text).unwrap();
    write("tap: { command: [sh, a.sh], catalog: false }\ntarget: { name: target-postgress }\n");
    insta::assert_snapshot!(told(folder.path(), &["run", "a"]));
    write("tap: { name: tap-cvs }\ntarget: { name: target-jsonl, config: { path: out } }\n");
    let text = told(folder.path(), &["run", "a"]);
    assert!(text.contains("error[E0185]: pipelines/a.yml:1:14: no tap `tap-cvs`"), "{text}");
}

#[test]
fn a_schedule_that_nothing_acts_on_is_said_by_check_and_run() {
    let folder = project(&[("a", GREETINGS)]);
    pipeline(folder.path(), "a", "freshness: 1h\nschedule: { every: 1h }\n");
    fs::write(folder.path().join("tapster.yml"), "schedule: { timezone: UTC }\nalerts: []\n").unwrap();
    for args in [&["check", "a"][..], &["check", "a", "--offline"], &["run", "a"]] {
        let text = told(folder.path(), args);
        for line in [
            "warning: pipelines/a.yml:4:1: `freshness` is not built yet: nothing watches how old the data is\n",
            "warning: pipelines/a.yml:5:1: `schedule` is not built yet: nothing starts this pipeline by itself\n",
            "warning: tapster.yml:2:1: `alerts` is not built yet: nobody is told of a failure\n",
        ] {
            assert_eq!(text.matches(line).count(), 1, "{args:?}: {text}");
        }
        assert!(!text.contains("tapster.yml:1"), "{text}");
    }
}

#[test]
fn a_default_environment_may_be_one_of_any_pipeline() {
    let folder = project(&[("a", GREETINGS), ("b", GREETINGS)]);
    fs::write(folder.path().join("tapster.yml"), "default_environment: dev\n").unwrap();
    let code = || document(folder.path(), &["check", "a", "--offline", "--json"])[0]["error"]["code"].clone();
    assert_eq!(code(), "E0112");
    let run = told(folder.path(), &["run", "a"]);
    assert!(
        run.contains("error[E0112]: tapster.yml:1:22: no file of this project has an environment `dev`"),
        "{run}"
    );
    pipeline(folder.path(), "b", "environments: { dev: {} }\n");
    assert!(told(folder.path(), &["run", "a"]).starts_with("exit code 0"));
}

/// A tap that offers its greetings under `--discover` and sends them else.
fn discoverable() -> String {
    format!(
        "case \"$*\" in *--discover*) echo '{}'; exit;; esac\n{GREETINGS}",
        r#"{"streams":[{"tap_stream_id":"greetings","stream":"greetings","schema":{"properties":{"text":{"type":"string"}}},"metadata":[{"breadcrumb":[],"metadata":{"selected":true}}]}]}"#
    )
}

#[test]
fn a_dry_run_of_a_full_refresh_says_what_it_replaces_and_how_to_do_it() {
    let folder = project(&[("a", &discoverable()), ("b", GREETINGS)]);
    let text = fs::read_to_string(folder.path().join("pipelines/a.yml")).unwrap();
    fs::write(folder.path().join("pipelines/a.yml"), text.replace(", catalog: false", "")).unwrap();
    let dry = |more: &[&str]| told(folder.path(), &[&["run", "a", "--dry-run"], more].concat());
    let first = dry(&["--full-refresh"]);
    assert!(first.starts_with("exit code 0") && !first.contains("replace"), "{first}");
    tapster(folder.path(), &["run", "a"]);
    let again = dry(&["--full-refresh", "--select", "gree*", "--exclude", "x"]);
    assert!(again.contains("It would replace all records of out/a_greetings.jsonl."), "{again}");
    assert!(!again.contains("No table would change"), "{again}");
    let next = "next: tapster run a --full-refresh --select 'gree*' --exclude 'x'\n";
    assert!(again.contains(next), "{again}");
    assert!(dry(&[]).contains("No table would change.") && dry(&[]).ends_with("next: tapster run a\n"));
    let unknown = told(folder.path(), &["run", "b", "--dry-run"]);
    assert!(unknown.contains("no discovery: what it will send is not known"), "{unknown}");
    assert!(!unknown.contains("No table"), "{unknown}");
}

#[test]
fn config_warns_of_what_a_run_refuses() {
    let folder = project(&[("a", GREETINGS)]);
    pipeline(folder.path(), "a", "hooks: { before: [] }\n");
    let text = told(folder.path(), &["config", "a"]);
    assert!(
        text.contains("warning: pipelines/a.yml:4:1: `hooks` is not built yet; a run refuses it\n"),
        "{text}"
    );
    assert_eq!(document(folder.path(), &["config", "a", "--json"])["warnings"].as_array().unwrap().len(), 1);
}

#[test]
fn who_is_waited_for_is_told_when_the_wait_begins_and_when_it_is_stopped() {
    let folder = project(&[("a", "exec sleep 1000")]);
    let held = Hanging::start(folder.path(), "a");
    let holder = format!("pid {} on ", held.0.id());
    let busy = told(folder.path(), &["run", "a"]);
    assert!(busy.contains("hint: `tapster run a --wait 10m` waits for it"), "{busy}");
    let mut waiting = Command::new(env!("CARGO_BIN_EXE_tapster"))
        .args(["run", "a", "--wait", "10m"])
        .current_dir(folder.path())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(waiting.stderr.take().unwrap()).lines().map(Result::unwrap);
    let first = lines.next().unwrap();
    assert!(
        first.starts_with("waiting up to 10 m 00 s for a: it is held by run ") && first.contains(&holder),
        "{first}"
    );
    Command::new("kill").args(["-INT", &waiting.id().to_string()]).status().unwrap();
    let rest = lines.collect::<Vec<_>>().join("\n");
    assert!(rest.starts_with("error[E0505]: ") && rest.contains(&holder), "{rest}");
    assert_eq!(waiting.wait().unwrap().code(), Some(130));
}
