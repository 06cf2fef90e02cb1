//! The state verbs, in the warehouses.

use serde_json::{Value, json};
use tests::project::Project;
use tests::script::Script;

use crate::support::{Gate, assert_exact, scripted, warehouses};

/// While a run holds the pipeline, its STATE is not touched.
#[test]
fn verbs_that_change_a_state_are_refused_while_the_pipeline_runs() {
    for at in 0..2 {
        let project = Project::new();
        let (gate, script) = (Gate::new(&project), Script::plain(7, 2_000));
        let (of, warehouse) = warehouses(&project).into_iter().nth(at).expect("two");
        project.pipeline("orders", &scripted(&script.clone().act(1_011, gate.act()), &warehouse));
        project.write("s.json", r#"{"bookmarks":{"all":{"at":3}}}"#);
        let mut run = project.start("orders", None);
        run.wait_for(|line| line.is_checkpoint_at(1_000));
        for words in [
            &["set", "orders", "s.json"][..],
            &["clear", "orders"],
            &["clear", "orders", "--select", "all"],
            &["import", "orders", "s.json"],
            &["rollback", "orders", "1"],
        ] {
            let refused = project.run([&["state"], words, &["--yes"]].concat()).expect_code(75);
            assert!(refused.stderr.contains(&format!("pid {} on", run.pid())), "{of}: {refused}");
        }
        gate.open();
        let (code, log) = run.finish();
        assert_eq!(code, Some(0), "{of}: {log}");
        assert_exact(&warehouse, &script, 2_000);
        let history = project.run(["state", "history", "orders", "--json"]).expect_code(0);
        let history: Value = serde_json::from_str(&history.stdout).expect("a document");
        let causes = history.as_array().expect("a list").iter().map(|entry| entry["how"].clone());
        assert!(causes.into_iter().all(|how| how == "run"), "{of}: {history}");
    }
}

/// Whoever runs the new name before the move is told the way on, and it is one.
#[test]
fn a_name_that_has_run_already_gives_way_when_its_state_is_cleared() {
    let project = Project::new();
    for (of, warehouse) in warehouses(&project) {
        let (old, new) = (format!("{of}-old"), format!("{of}-new"));
        let stream = |number: u32| {
            format!(
                "{{\"type\":\"SCHEMA\",\"stream\":\"visits\",\"key_properties\":[\"id\"],\"schema\":{{\"properties\":{{\"id\":{{\"type\":\"integer\"}}}}}}}}\n\
                 {{\"type\":\"RECORD\",\"stream\":\"visits\",\"record\":{{\"id\":{number}}}}}\n\
                 {{\"type\":\"STATE\",\"value\":{{\"at\":{number}}}}}\n"
            )
        };
        let write = |name: &str, table: &str, number: u32| {
            let file = project.write("visits.singer", stream(number));
            let table = json!({ "target_table": table });
            let tap = Project::replay(&file);
            project.pipeline(name, &json!({ "tap": tap, "target": warehouse.block(), "defaults": table }));
        };
        write(&old, "visits", 1);
        let _ = project.run(["run", &old]).expect_code(0);
        // It has the new name, and a table of its own, since the other one is taken.
        write(&new, "early", 2);
        let _ = project.run(["run", &new]).expect_code(0);
        std::fs::remove_file(project.path().join(format!("pipelines/{old}.yml"))).expect("a file");
        let taken = project.run(["state", "move", &old, &new]).expect_code(78);
        assert!(taken.stderr.contains(&format!("tapster state clear {new}")), "{of}: {taken}");
        let _ = project.run(["state", "clear", &new, "--yes"]).expect_code(0);
        let _ = project.run(["state", "move", &old, &new]).expect_code(0);
        write(&new, "visits", 3);
        let _ = project.run(["run", &new]).expect_code(0);
        let found = |table: &str| {
            warehouse.value(&format!("SELECT string_agg(id::text, ' ' ORDER BY id) FROM {table}"))
        };
        assert_eq!((found("visits").as_deref(), found("early").as_deref()), (Some("1 3"), Some("2")), "{of}");
        // Nobody's: another pipeline may take it.
        write("other", "early", 4);
        let _ = project.run(["run", "other"]).expect_code(0);
        assert_eq!(found("early").as_deref(), Some("2 4"), "{of}");
    }
}
