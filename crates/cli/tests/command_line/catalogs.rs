//! What a run remembers of the tap's catalog: the answer that is still good, and what has changed since.

use std::fs;
use std::path::Path;

use crate::harness::{document, tapster, told};
use crate::scripted::{pipeline, project};

/// A tap that offers `offered.json` and counts how often it was asked; its one stream has a record.
const OFFERING: &str = r#"
case "$*" in *--help*) echo "--catalog"; exit;; *--discover*) echo asked >>asked; cat offered.json; exit;; esac
cat <<'END'
{"type":"SCHEMA","stream":"orders","schema":{"type":"object","properties":{"id":{"type":"integer"}}},"key_properties":["id"]}
{"type":"RECORD","stream":"orders","record":{"id":1}}
{"type":"STATE","value":{"bookmarks":{"orders":{"n":1}}}}
END
"#;

/// A project of that tap, with these settings of the tap block.
fn offering(more: &str) -> tempfile::TempDir {
    let folder = project(&[("a", OFFERING)]);
    pipeline(folder.path(), "a", "streams: { \"*\": include }\n");
    let file = folder.path().join("pipelines/a.yml");
    let text = fs::read_to_string(&file).unwrap().replace("catalog: false", more);
    fs::write(&file, text.replace(", }", " }")).unwrap();
    offer(folder.path(), &[("orders", r#""id":{"type":"integer"}"#)]);
    folder
}

fn offer(folder: &Path, streams: &[(&str, &str)]) {
    let stream = |(name, properties): &(&str, &str)| {
        format!(
            r#"{{"tap_stream_id":"{name}","stream":"{name}","schema":{{"type":"object","properties":{{{properties}}}}},"metadata":[]}}"#
        )
    };
    let streams: Vec<String> = streams.iter().map(stream).collect();
    fs::write(folder.join("offered.json"), format!(r#"{{"streams":[{}]}}"#, streams.join(","))).unwrap();
}

fn asked(folder: &Path) -> usize {
    fs::read_to_string(folder.join("asked")).unwrap_or_default().lines().count()
}

fn run(folder: &Path, flags: &[&str]) {
    let output = tapster(folder, &[&["run", "a"], flags].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_tap_is_asked_for_each_run_unless_its_answer_is_kept() {
    let each = offering("");
    run(each.path(), &[]);
    run(each.path(), &[]);
    assert_eq!(asked(each.path()), 2);
    let kept = offering("discovery_cache: 12h");
    for _ in 0..3 {
        run(kept.path(), &[]);
    }
    assert_eq!(asked(kept.path()), 1);
    run(kept.path(), &["--full-refresh"]);
    assert_eq!(asked(kept.path()), 2, "a full refresh asks anew");
    assert!(tapster(kept.path(), &["discover", "a"]).status.success());
    assert_eq!(asked(kept.path()), 3, "discover asks anew");
}

#[test]
fn a_kept_answer_is_good_for_its_time_and_its_question_only() {
    let folder = offering("discovery_cache: 1ms");
    run(folder.path(), &[]);
    run(folder.path(), &[]);
    assert_eq!(asked(folder.path()), 2, "it was too old");
    let file = folder.path().join("pipelines/a.yml");
    let text = fs::read_to_string(&file).unwrap().replace("1ms", "12h, config: { schema: one }");
    fs::write(&file, &text).unwrap();
    run(folder.path(), &[]);
    run(folder.path(), &[]);
    assert_eq!(asked(folder.path()), 3);
    fs::write(&file, text.replace("one", "two")).unwrap();
    run(folder.path(), &[]);
    assert_eq!(asked(folder.path()), 4, "another config may offer others");
    fs::write(folder.path().join("a.sh"), format!("{OFFERING}# edited")).unwrap();
    run(folder.path(), &[]);
    run(folder.path(), &[]);
    assert_eq!(asked(folder.path()), 5, "an edited program may offer others");
}

#[test]
fn a_named_stream_that_the_kept_answer_lacks_is_asked_for() {
    let folder = offering("discovery_cache: 12h");
    run(folder.path(), &[]);
    offer(folder.path(), &[("orders", r#""id":{"type":"integer"}"#), ("refunds", "")]);
    pipeline(folder.path(), "a", "streams: { orders: include, refunds: include }\n");
    let file = folder.path().join("pipelines/a.yml");
    let text = fs::read_to_string(&file).unwrap().replace("catalog: false", "discovery_cache: 12h");
    fs::write(&file, text).unwrap();
    run(folder.path(), &[]);
    assert_eq!(asked(folder.path()), 2);
}

#[test]
fn what_changed_at_the_source_is_told_until_a_run_has_succeeded() {
    let folder = offering("");
    let first = document(folder.path(), &["run", "a", "--json"]);
    assert_eq!(first["drift"], serde_json::json!([]), "the first run compares with nothing");
    offer(
        folder.path(),
        &[("orders", r#""id":{"type":"integer"},"note":{"type":"string"}"#), ("refunds", "")],
    );
    let partial = told(folder.path(), &["run", "a", "--select", "orders"]);
    assert!(!partial.contains("catalog has changed"), "a partial run neither tells nor forgets: {partial}");
    let script = folder.path().join("a.sh");
    let whole = fs::read_to_string(&script).unwrap();
    fs::write(&script, format!("{whole}exit 3")).unwrap();
    let failed = told(folder.path(), &["run", "a"]);
    assert!(failed.contains("  orders: new columns: note\n  new streams: refunds\n"), "{failed}");
    fs::write(&script, whole).unwrap();
    let told_again = document(folder.path(), &["run", "a", "--json"]);
    assert_eq!(told_again["drift"][0]["change"], "column_added");
    assert_eq!(
        told_again["drift"][1],
        serde_json::json!({"change":"stream_added","stream":"refunds","selected":true})
    );
    let same = document(folder.path(), &["run", "a", "--json"]);
    assert_eq!(same["drift"], serde_json::json!([]));
}

/// It would refuse the flag, or worse, take it for something else.
#[test]
fn a_tap_whose_help_names_no_state_is_given_none_and_that_is_told() {
    const WORDS: &str = "case \"$*\" in *--help*|*--discover*) ;; *) echo \"$*\" >>given;; esac\n";
    let folder = offering("");
    for (help, is_given) in [("--config F --catalog F", false), ("--config F --state F", true)] {
        let script = format!("{WORDS}{}", OFFERING.replace("--catalog", help));
        fs::write(folder.path().join("a.sh"), script).unwrap();
        run(folder.path(), &["--full-refresh"]);
        let document = document(folder.path(), &["run", "a", "--json"]);
        let given = fs::read_to_string(folder.path().join("given")).unwrap();
        assert_eq!(given.lines().last().unwrap().contains("--state"), is_given, "{given}");
        let planned = told(folder.path(), &["run", "a", "--dry-run"]);
        assert_eq!(planned.contains("the beginning"), !is_given, "{planned}");
        let warning = "the help of sh a.sh names no --state, so it is not given the STATE: every run starts from the \
                       beginning, and what streams without a key hold is then there once more";
        let wanted: &[&str] = if is_given { &[] } else { &[warning] };
        assert_eq!(document["warnings"], serde_json::json!(wanted));
    }
}

#[test]
fn discover_tells_what_decides_about_each_stream_and_column() {
    const PROPERTIES: &str = r#"{"id":{},"at":{},"blob":{},"phone":{},"note":{},"address":{"properties":{"city":{},"street":{}}},"more":{"properties":{"x":{}}}}"#;
    let said = |at: &str, said: &str| format!(r#"{{"breadcrumb":[{at}],"metadata":{{{said}}}}}"#);
    let metadata = [
        said(r#""properties","id""#, r#""inclusion":"automatic""#),
        said(r#""properties","at""#, r#""inclusion":"automatic""#),
        said(r#""properties","blob""#, r#""inclusion":"unsupported""#),
        said(r#""properties","note""#, r#""selected-by-default":false"#),
        said(r#""properties","address","properties","city""#, r#""selected":false"#),
    ]
    .join(",");
    let stream = |name: &str| {
        format!(
            r#"{{"tap_stream_id":"{name}","stream":"{name}","key_properties":["id"],"schema":{{"properties":{PROPERTIES}}},"metadata":[{metadata}]}}"#
        )
    };
    let folder = offering("");
    let streams = ["shop-orders", "shop-people", "audit"].map(stream).join(",");
    fs::write(folder.path().join("offered.json"), format!("{{\"streams\":[{streams}]}}")).unwrap();
    let rules = "streams:\n  \"shop-*\":\n    columns:\n      phone: exclude\n      more: exclude\n  \
                 shop-people: { columns: { \"*\": exclude, note: include } }\n";
    let file = folder.path().join("pipelines/a.yml");
    let text = fs::read_to_string(&file).unwrap().replace("streams: { \"*\": include }\n", rules);
    fs::write(&file, text).unwrap();
    insta::assert_snapshot!(told(folder.path(), &["discover", "a"]));
    let catalog = document(folder.path(), &["discover", "a", "--json"]);
    let streams = catalog["streams"].as_array().unwrap();
    assert_eq!(
        streams.iter().map(|stream| stream["selected"].clone()).collect::<Vec<_>>(),
        [true, true, false]
    );
}

#[test]
fn a_fixed_catalog_is_what_the_tap_gets_and_the_tap_is_not_asked() {
    let folder = offering("catalog: fixed.json");
    let stream = |name: &str, selected: bool| {
        format!(
            r#"{{"tap_stream_id":"{name}","stream":"{name}","schema":{{"properties":{{"id":{{"type":"integer"}}}}}},"metadata":[{{"breadcrumb":[],"metadata":{{"selected":{selected},"own-word":7}}}}]}}"#
        )
    };
    let streams = [stream("orders", true), stream("refunds", false)].join(",");
    fs::write(folder.path().join("fixed.json"), format!("{{\"streams\":[{streams}]}}")).unwrap();
    // Without rules its own selection holds.
    let file = folder.path().join("pipelines/a.yml");
    let text = fs::read_to_string(&file).unwrap().replace("streams: { \"*\": include }\n", "");
    fs::write(&file, text).unwrap();
    let keep = "case \"$*\" in *--help*) ;; *) while [ \"$1\" != --catalog ]; do shift; done; cp \"$2\" got.json;; esac\n";
    fs::write(
        folder.path().join("a.sh"),
        format!("set -e\n{}", OFFERING.replace("cat <<", &format!("{keep}cat <<"))),
    )
    .unwrap();
    let document = document(folder.path(), &["run", "a", "--json"]);
    assert_eq!(document["streams"][0]["records_written"], 1);
    assert_eq!(asked(folder.path()), 0);
    let got: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(folder.path().join("got.json")).unwrap()).unwrap();
    for (at, selected) in [true, false].into_iter().enumerate() {
        let root = &got["streams"][at]["metadata"][0]["metadata"];
        assert_eq!((&root["selected"], &root["own-word"]), (&selected.into(), &7.into()), "{got}");
    }
    fs::write(folder.path().join("fixed.json"), "{\"streams\":{}}").unwrap();
    let broken = told(folder.path(), &["run", "a"]);
    assert!(broken.starts_with("exit code 78") && broken.contains("fixed.json"), "{broken}");
}

#[test]
fn a_fixed_catalog_is_not_kept_for_a_time() {
    let folder = offering("catalog: offered.json, discovery_cache: 12h");
    let told = told(folder.path(), &["run", "a"]);
    assert!(told.starts_with("exit code 78") && told.contains("error[E0104]"), "{told}");
}
