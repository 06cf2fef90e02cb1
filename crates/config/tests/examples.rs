//! The three projects that must read well: they parse, and what is built of them resolves.

use std::path::{Path, PathBuf};

use config::{Package, Pipeline, Program, Project, Protocol, ReplicationMethod, Selected};

fn project(name: &str, environment: Option<&str>) -> Project {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/examples").join(name);
    Project::discover(&folder, environment).unwrap_or_else(|error| panic!("{error}"))
}

fn pipeline(project: &Project, name: &str) -> Pipeline {
    project.pipeline_as_written(name).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_names_its_tap_and_target_in_the_project_file() {
    let pipeline = pipeline(&project("a", None), "app");
    assert_eq!(pipeline.tap.program, Program::Named("tap-postgres".to_owned()));
    assert_eq!(pipeline.target.program, Program::Named("target-postgres".to_owned()));
    insta::assert_snapshot!(pipeline.listing());
}

#[test]
fn a_selects_by_the_last_rule_and_merges_settings_in_file_order() {
    let rules = pipeline(&project("a", None), "app").rules;
    let cases = [
        (
            "shop-order_items",
            Selected::Yes,
            Some(ReplicationMethod::LogBased),
            None,
            "ods_shop",
            "order_items",
        ),
        ("shop-customers", Selected::No, None, None, "ods_shop", "customers"),
        (
            "billing-invoices",
            Selected::Yes,
            Some(ReplicationMethod::Incremental),
            Some("updated_at"),
            "ods_billing",
            "invoices",
        ),
        (
            "billing-vat_rates",
            Selected::Yes,
            Some(ReplicationMethod::FullTable),
            None,
            "ods_billing",
            "vat_rates",
        ),
        ("crm-contacts", Selected::Yes, Some(ReplicationMethod::FullTable), None, "pii_crm", "contacts"),
        ("crm-tmp_1", Selected::No, Some(ReplicationMethod::FullTable), None, "pii_crm", "tmp_1"),
    ];
    for (stream, selected, method, key, schema, table) in cases {
        let decision = rules.stream(stream);
        assert_eq!(decision.selected, selected, "{stream}");
        assert_eq!(decision.settings.replication_method, method, "{stream}");
        assert_eq!(decision.settings.replication_key.as_deref(), key, "{stream}");
        assert_eq!(decision.settings.target_schema.as_deref(), Some(schema), "{stream}");
        assert_eq!(decision.settings.target_table.as_deref(), Some(table), "{stream}");
    }
    assert!(
        !rules.columns("crm-contacts").loads(&["notes"]) && rules.columns("crm-contacts").loads(&["email"])
    );
    assert_eq!(rules.stream("crm-contacts").rule.unwrap().file_and_line(), "pipelines/app.yml:9");
}

#[test]
fn b_has_another_target_in_each_environment() {
    let dev = pipeline(&project("b", None), "github");
    assert_eq!(
        (dev.environment.as_str(), &dev.target.program),
        ("dev", &Program::Named("target-duckdb".to_owned()))
    );
    assert_eq!(dev.target.config().unwrap().as_str(), r#"{"path":"dev.duckdb"}"#);
    let prod = pipeline(&project("b", Some("prod")), "github");
    assert_eq!(prod.target.program, Program::Named("target-postgres".to_owned()));
    insta::assert_snapshot!(prod.listing());
    for (column, expected) in [("sha", true), ("commit_timestamp", true), ("author", false)] {
        assert_eq!(prod.rules.columns("commits").loads(&[column]), expected, "{column}");
    }
    assert_eq!(prod.rules.stream("releases").settings.target_schema.as_deref(), Some("raw_github"));
    assert_eq!(prod.rules.stream("stargazers").selected, Selected::No);
}

#[test]
fn c_needs_no_project_file() {
    let pipeline = pipeline(&project("c", None), "faker");
    assert_eq!(pipeline.tap.config().unwrap().as_str(), r#"{"count":10000}"#);
    assert_eq!(pipeline.rules.stream("users").settings.replication_key, None);
}

#[test]
fn what_nothing_acts_on_yet_is_told_with_its_place() {
    let told = |name: &str, pipeline_name: &str| {
        let idle = pipeline(&project(name, None), pipeline_name).idle;
        idle.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let schedule = "`schedule` is not built yet: nothing starts this pipeline by itself";
    assert_eq!(told("a", "app"), [format!("pipelines/app.yml:11:1: {schedule}")]);
    let server = "`serve` is not built yet: there is no server yet";
    assert_eq!(
        told("b", "github"),
        [format!("pipelines/github.yml:7:1: {schedule}"), format!("tapster.yml:6:10: {server}")]
    );
    assert!(told("c", "faker").is_empty());
}

#[test]
fn b_names_its_tap_by_a_package() {
    let pipeline = project("b", None).pipeline("github").unwrap();
    let requirements = vec!["meltanolabs-tap-github==1.30.1".to_owned()];
    let package = Package { requirements, executable: None, python: None };
    assert_eq!(pipeline.tap.program, Program::Package(package));
    assert_eq!(pipeline.tap.protocol, Protocol::Singer);
}

#[test]
fn c_reads_an_airbyte_source() {
    let tap = project("c", None).pipeline("faker").unwrap().tap;
    let requirements = vec!["airbyte-source-faker==7.2.1".to_owned()];
    let package = Package { requirements, executable: None, python: Some("3.11".to_owned()) };
    assert_eq!(tap.program, Program::Package(package));
    assert_eq!(tap.protocol, Protocol::Airbyte { manifest: None });
}

#[test]
fn what_is_not_built_is_refused_at_its_place_when_it_is_to_run() {
    let refused = |name: &str, pipeline: &str| {
        let error = project(name, None).pipeline(pipeline).unwrap_err();
        assert!(error.problems().all(|problem| problem.code() == "E0107"), "{error}");
        let places = error.problems().map(|problem| {
            let text = problem.to_string();
            text.lines().next().unwrap().to_owned()
        });
        places.collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(refused("a", "app"));
}
