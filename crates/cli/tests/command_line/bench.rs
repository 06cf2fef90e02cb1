//! `bench`: a run with a report of where its time went.

use std::fs;

use crate::harness::{document, told};
use crate::scripted::{GREETINGS, project};

/// Hides what the clock says, and with it the widths and the sentence that follow from it.
fn timeless(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r" +[\d,]+ +[\d.]+ ([KMGT]i)?B/s", " [rates]");
    settings.add_filter(r" +\d+\.\d s", " [seconds]");
    settings.add_filter(r" +\d+ %", " [share]");
    settings.add_filter(r" +(time|share|records/s|size/s)\b", " $1");
    settings.add_filter(r"(?m)^.* (is|are) the (slowest|longest): .*$", "[what is the slowest]");
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn a_bench_is_a_run_that_tells_where_its_time_went() {
    let folder = project(&[("a", GREETINGS)]);
    timeless("bench", &told(folder.path(), &["bench", "a", "-q"]));
    let loaded = fs::read_to_string(folder.path().join("out/a_greetings.jsonl")).unwrap();
    assert_eq!(loaded.lines().count(), 2, "it loads as any run does");
    let runs = document(folder.path(), &["runs", "list", "--json"]);
    assert_eq!(runs[0]["status"], "succeeded");
}

#[test]
fn into_a_program_of_its_own_the_lines_are_passed_on() {
    let folder = project(&[("a", GREETINGS)]);
    let file = folder.path().join("pipelines/a.yml");
    let text = "tap: { command: [sh, a.sh], catalog: false }\n\
                target: { command: [sh, -c, \"cat >/dev/null\"] }\n";
    fs::write(file, text).unwrap();
    timeless("bench_relay", &told(folder.path(), &["bench", "a", "-q"]));
}

/// The parts that follow each other are the whole, in the document of a run and in that of a bench.
#[test]
fn the_parts_of_the_time_are_the_whole() {
    let folder = project(&[("a", GREETINGS)]);
    for verb in ["run", "bench"] {
        let run = document(folder.path(), &[verb, "a", "--json"]);
        let time = &run["time_spent"];
        let seconds = |part: &str| time[part].as_f64().unwrap_or_else(|| panic!("{part}: {run}"));
        let whole: f64 = [
            "discovering",
            "connecting",
            "starting",
            "waiting_for_tap",
            "decoding",
            "reading_files",
            "waiting_for_target",
            "pausing",
            "finishing",
        ]
        .map(seconds)
        .iter()
        .sum();
        let taken = run["seconds"].as_f64().unwrap() + seconds("discovering");
        assert!((whole - taken).abs() < 1e-6, "{whole} {run}");
        for part in ["starting", "decoding", "opening_tables", "writing_batches", "committing"] {
            assert!(seconds(part) > 0.0, "{part}: {run}");
        }
        assert!(run["bottleneck"].is_string(), "{run}");
    }
}

#[test]
fn a_failed_bench_tells_its_time_as_well() {
    let folder = project(&[("a", &format!("{GREETINGS}exit 3"))]);
    let told = told(folder.path(), &["bench", "a"]);
    assert!(told.starts_with("exit code 76\n"), "{told}");
    assert!(told.contains("error[E0401]") && told.contains("waiting for the tap"), "{told}");
}

#[test]
fn a_bench_takes_one_pipeline_and_the_streams_of_it() {
    let folder = project(&[("a", GREETINGS), ("b", GREETINGS)]);
    let told = |args: &[&str]| told(folder.path(), args);
    insta::assert_snapshot!("bench_of_nothing", told(&["bench"]));
    insta::assert_snapshot!("bench_of_no_such_pipeline", told(&["bench", "c"]));
    insta::assert_snapshot!("bench_of_several", told(&["bench", "*"]));
    for flag in ["--select", "--exclude"] {
        let narrowed = told(&["bench", "a", flag, "greetings"]);
        assert!(
            narrowed.starts_with("exit code 2\n") && narrowed.contains("E0195"),
            "as in a run: {narrowed}"
        );
    }
}
