use std::fs;
use std::time::Duration;

use super::{CatalogFrom, Limits, Pipeline};
use crate::project::Project;

fn pipeline(text: &str) -> Pipeline {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("pipelines")).unwrap();
    fs::write(folder.path().join("pipelines/app.yml"), text).unwrap();
    Project::discover(folder.path(), None)
        .and_then(|project| project.pipeline("app"))
        .unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn limits_are_read_over_the_built_in_ones() {
    let text = "tap: { name: a }\ntarget: { name: b }\nlimits: { timeout: 6h, grace: 0s, batch_bytes: 1KiB, checkpoint_every: 0s, checkpoint_bytes: 0B }";
    let limits = pipeline(text).limits;
    let expected = Limits {
        timeout: Some(Duration::from_hours(6)),
        grace: Duration::ZERO,
        batch_bytes: 1_024,
        checkpoint_every: Duration::ZERO,
        checkpoint_bytes: 0,
        ..Limits::default()
    };
    assert_eq!(limits, expected);
}

#[test]
fn a_catalog_is_asked_for_unless_it_is_a_file_or_none() {
    let from =
        |said: &str| pipeline(&format!("tap: {{ command: [t]{said} }}\ntarget: {{ name: b }}\n")).tap.catalog;
    assert_eq!(from(""), CatalogFrom::Discovery);
    assert_eq!(from(", catalog: false"), CatalogFrom::Nowhere);
    assert_eq!(from(", catalog: c.json"), CatalogFrom::File("c.json".into()));
}

#[test]
fn the_listing_stars_out_what_is_secret_by_name_or_in_a_url() {
    let listing = pipeline(
        "tap: { name: a, config: { password: hunter2, port: 5432, api_token: \"${env:T}\", url: \"postgres://u:hunter2@h/d\", keys: [{ secret: 123 }] } }\n\
         target: { name: b, env: { B_PASSWORD: hunter2 } }\n",
    )
    .listing();
    let (text, json) = (listing.to_string(), serde_json::to_string(&listing).unwrap());
    assert!(!text.contains("hunter2") && !json.contains("hunter2") && !text.contains("123"), "{text}");
    assert!(text.contains("tap.config.url: postgres://u:********@h/d"), "{text}");
    assert!(
        text.contains("tap.config.api_token: ${env:T}") && text.contains("tap.config.port: 5432"),
        "{text}"
    );
    assert!(text.contains("# pipelines/app.yml:1") && text.contains("limits.grace: 30s"), "{text}");
}

#[test]
fn a_password_in_the_file_is_hidden_from_logs_too() {
    let pipeline = pipeline("tap: { name: a, config: { db: { password: hunter2 } } }\ntarget: { name: b }\n");
    assert_eq!(pipeline.secrets.redact("login with hunter2"), "login with ********");
}

#[test]
fn files_of_batches_may_lie_where_the_file_says_and_in_the_folder_of_the_run() {
    let text = "tap: { command: [t], batch_roots: [a, /b], config: { root: \"file://${run:folder}/x\" } }\ntarget: { name: b }\n";
    let tap = pipeline(text).tap;
    assert_eq!(tap.batch_roots, [std::path::Path::new("a"), std::path::Path::new("/b")]);
    // Written out once the folder is there.
    assert_eq!(tap.config().unwrap().as_str(), r#"{"root":"file://${TAPSTER_RUN_FOLDER}/x"}"#);
}
