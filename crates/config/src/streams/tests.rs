use super::{Selected, StreamRules};
use crate::interpolation::{EnvFile, Resolver};
use crate::yaml::read;

fn rules(text: &str) -> StreamRules {
    let node = read("pipelines/test.yml", text.to_owned()).unwrap();
    let resolver = Resolver::new(".".into(), EnvFile::default());
    StreamRules::extract(node.as_map().unwrap(), ("prod", "test"), &resolver).unwrap()
}

#[test]
fn a_later_rule_keeps_what_it_does_not_say() {
    let rules = rules(
        "defaults: { metadata: { a: 1, b: 1 } }\nstreams:\n  \"*\": { target_schema: x, metadata: { b: 2 }, columns: { secret: exclude } }\n  orders: include\n",
    );
    let decision = rules.stream("orders");
    assert_eq!((decision.selected, decision.settings.target_schema.as_deref()), (Selected::Yes, Some("x")));
    let metadata: Vec<_> = decision
        .settings
        .metadata
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_number().unwrap()))
        .collect();
    assert_eq!(metadata, [("a", "1"), ("b", "2")]);
    assert!(!rules.columns("orders").loads(&["secret"]) && rules.columns("orders").loads(&["other"]));
}

#[test]
fn an_inherited_replication_key_does_nothing_under_another_method() {
    let rules = rules(
        "streams:\n  \"*\": { replication_method: INCREMENTAL, replication_key: at }\n  full: { replication_method: FULL_TABLE }\n  other: { replication_key: id }\n",
    );
    let key = |stream| rules.stream(stream).settings.replication_key;
    assert_eq!((key("full"), key("other"), key("x")), (None, Some("id".to_owned()), Some("at".to_owned())));
}

#[test]
fn the_last_rule_for_a_column_decides_and_what_is_inside_goes_with_it() {
    let rules = rules(
        "defaults: { columns: { a: exclude } }\nstreams:\n  s: { columns: { \"*\": exclude, \"{a,b}\": include, b.x: exclude, \"c\\\\.d\": include } }\n",
    );
    let loaded = |path: &[&str]| rules.columns("s").loads(path);
    assert!(loaded(&["a"]) && loaded(&["b"]) && loaded(&["b", "y"]) && loaded(&["c.d"]));
    assert!(!loaded(&["b", "x"]) && !loaded(&["c"]) && !loaded(&["c", "d"]) && !loaded(&["z", "q"]));
    assert!(!rules.columns("unmatched").loads(&["a"]) && rules.columns("unmatched").loads(&["b"]));
}

#[test]
fn without_rules_the_catalog_decides_and_an_empty_list_selects_nothing() {
    assert_eq!(rules("description: x").stream("a").selected, Selected::CatalogDecides);
    assert_eq!(rules("streams: {}").stream("a").selected, Selected::No);
}
