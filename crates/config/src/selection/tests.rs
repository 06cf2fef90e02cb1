use singer::{Catalog, CatalogStream, Json};

use super::{DecidedBy, SelectionReport};
use crate::interpolation::{EnvFile, Resolver};
use crate::pattern::Pattern;
use crate::problem::ConfigError;
use crate::streams::{LoadMethod, StreamRules};
use crate::yaml::read;

fn rules(text: &str) -> StreamRules {
    let node = read("pipelines/test.yml", text.to_owned()).unwrap();
    let resolver = Resolver::new(".".into(), EnvFile::default());
    StreamRules::extract(node.as_map().unwrap(), ("prod", "test"), &resolver).unwrap()
}

/// Three streams of a database and one without schema; `id` is the key of each.
fn catalog() -> Catalog {
    let mut catalog = Catalog::default();
    for id in ["shop-orders", "shop-audit_log", "crm-contacts", "plain"] {
        let schema = r#"{"properties": {"id": {}, "email": {}, "updated_at": {}, "address": {"properties": {"city": {}, "street": {}}}}}"#;
        let mut stream = CatalogStream::new(id, Json::parse(schema).unwrap());
        stream.key_properties = Some(vec!["id".to_owned()]);
        stream.set_metadata(&[], "inclusion", Json::String("available".to_owned()));
        catalog.streams.push(stream);
    }
    catalog
}

fn applied(text: &str) -> (Catalog, Result<SelectionReport, ConfigError>) {
    narrowed(text, &[], &[])
}

fn narrowed(
    text: &str,
    select: &[&str],
    exclude: &[&str],
) -> (Catalog, Result<SelectionReport, ConfigError>) {
    let patterns = |texts: &[&str]| texts.iter().map(|text| Pattern::new(text).unwrap()).collect::<Vec<_>>();
    let mut catalog = catalog();
    let report = rules(text).apply(&mut catalog, &patterns(select), &patterns(exclude));
    (catalog, report)
}

fn selected(report: &Result<SelectionReport, ConfigError>) -> Vec<&str> {
    let report = report.as_ref().unwrap_or_else(|error| panic!("{error}"));
    report.selected.iter().map(|stream| stream.tap_stream_id.as_str()).collect()
}

/// The codes and first lines of what is refused.
fn refused(text: &str) -> Vec<(&'static str, String)> {
    let error = applied(text).1.unwrap_err();
    let line = |text: String| text.lines().next().unwrap_or_default().to_owned();
    error.problems().map(|problem| (problem.code(), line(problem.to_string()))).collect()
}

#[test]
fn the_last_rule_that_matches_decides() {
    let (catalog, report) =
        applied("streams: { \"shop-*\": include, \"*-audit_log\": exclude, plain: { optional: true } }");
    assert_eq!(selected(&report), ["shop-orders", "plain"]);
    let loaded: Vec<_> = catalog.selected_streams().map(|stream| stream.tap_stream_id.as_str()).collect();
    assert_eq!(loaded, ["shop-orders", "plain"]);
    assert_eq!(report.unwrap().selected[0].rule.as_ref().unwrap().to_string(), "pipelines/test.yml:1:12");
}

#[test]
fn without_rules_the_catalogs_own_selection_holds() {
    let mut catalog = catalog();
    catalog.streams[2].set_selected(&[], true);
    let report = rules("defaults: { load_method: append-only }").apply(&mut catalog, &[], &[]);
    assert_eq!(selected(&report), ["crm-contacts"]);
    assert_eq!(report.unwrap().selected[0].settings.load_method, Some(LoadMethod::AppendOnly));
}

#[test]
fn settings_reach_the_catalog() {
    let (catalog, report) = applied(
        "defaults: { metadata: { x: 1.5 } }\nstreams:\n  \"*\": { replication_method: INCREMENTAL, replication_key: updated_at }\n  \
         plain: { replication_method: FULL_TABLE, key_properties: [email], metadata: { where: \"id > 0\" } }",
    );
    let orders = catalog.stream("shop-orders").unwrap();
    assert_eq!(orders.effective_replication_method(), Some("INCREMENTAL"));
    assert_eq!(orders.effective_replication_key(), Some("updated_at"));
    let plain = catalog.stream("plain").unwrap();
    assert_eq!(plain.effective_replication_method(), Some("FULL_TABLE"));
    assert_eq!((plain.effective_replication_key(), plain.key()), (None, vec!["email".to_owned()]));
    let metadata = plain.metadata(&[]).unwrap();
    assert_eq!((metadata["x"].as_number(), metadata["where"].as_str()), (Some("1.5"), Some("id > 0")));
    assert_eq!(report.unwrap().selected[3].key_properties, ["email"]);
}

#[test]
fn columns_are_left_out_and_keys_stay_by_themselves() {
    let (catalog, report) = applied(
        "streams: { plain: { columns: { \"*\": exclude, \"{email,address}\": include, address.street: exclude } } }",
    );
    let plain = catalog.stream("plain").unwrap();
    let loaded = |path: &[&str]| plain.is_property_selected(path);
    assert!(loaded(&["id"]) && loaded(&["email"]) && loaded(&["address"]) && loaded(&["address", "city"]));
    assert!(!loaded(&["updated_at"]) && !loaded(&["address", "street"]));
    let left_out = report.unwrap().selected.remove(0).columns.into_iter().filter(|column| !column.is_loaded);
    assert_eq!(
        left_out.map(|column| column.path).collect::<Vec<_>>(),
        [vec!["updated_at"], vec!["address", "street"]]
    );
}

#[test]
fn what_decided_about_a_column_is_told() {
    let mut catalog = catalog();
    let said = [
        (vec!["properties", "email"], "inclusion", "unsupported"),
        (vec!["properties", "updated_at"], "inclusion", "automatic"),
        (vec!["properties", "address", "properties", "city"], "selected", "false"),
    ];
    for (at, key, value) in said {
        catalog.streams[0].set_metadata(&at, key, Json::String(value.to_owned()));
    }
    let decided = |catalog: &mut Catalog, columns: &str| {
        let rules = rules(&format!("streams: {{ shop-orders: {{ columns: {columns} }} }}"));
        let columns = rules.apply(catalog, &[], &[]).unwrap().selected.remove(0).columns;
        let told = columns.into_iter().map(|column| {
            let by = match column.by {
                DecidedBy::Rule(place) => format!("rule {}", place.column()),
                DecidedBy::Key(place) => format!("key {}", place.column()),
                DecidedBy::Holder(holder) => format!("holder {}", holder.join(".")),
                other => format!("{other:?}"),
            };
            format!("{} {} {by}", column.path.join("."), column.is_loaded)
        });
        told.collect::<Vec<_>>()
    };
    let own = ["email false Unsupported", "updated_at true Automatic", "address.city false Catalog"];
    assert_eq!(decided(&mut catalog.clone(), "{}"), own);
    assert_eq!(
        decided(&mut catalog.clone(), "{ \"*\": exclude }"),
        [
            "id true key 38",
            "email false Unsupported",
            "updated_at false rule 38",
            "address false rule 38",
            "address.city false holder address",
            "address.street false holder address",
        ]
    );
    let street = decided(&mut catalog, "{ address.city: include, address.street: exclude }");
    assert_eq!(street, [own[0], own[1], "address.street false rule 61"]);
}

#[test]
fn what_is_named_must_be_there() {
    let (code, text) = &refused("streams: { \"{shop-orders,shop-ordres}\": include }")[0];
    assert_eq!(
        (*code, text.as_str()),
        ("E0118", "pipelines/test.yml:1:12: the tap offers no stream `shop-ordres`")
    );
    assert_eq!(refused("streams: { \"*\": include, crm-old: exclude }")[0].0, "E0118");
    let columns =
        refused("streams: { plain: { columns: { \"{emial,id}\": include, address.town: exclude } } }");
    assert_eq!(columns.iter().map(|(code, _)| *code).collect::<Vec<_>>(), ["E0119", "E0119"]);
    assert_eq!(
        refused("streams: { plain: { replication_method: INCREMENTAL, replication_key: updatedat } }")[0].0,
        "E0119"
    );
    assert_eq!(refused("streams: { plain: { key_properties: [key] } }")[0].0, "E0119");
    assert_eq!(refused("streams: { plain: { key_properties: [address__city] } }")[0].0, "E0119");
    let flattened = applied("streams: { plain: { flatten: 1, key_properties: [id, address__city] } }");
    assert_eq!(flattened.1.unwrap().selected[0].key_properties, ["id", "address__city"]);
    let optional = "streams: { plain: include, gone: { optional: true, columns: { x: exclude } } }";
    assert_eq!(selected(&applied(optional).1), ["plain"]);
    let optional = "streams: { plain: { optional: true, columns: { gone: exclude } } }";
    assert_eq!(selected(&applied(optional).1), ["plain"]);
}

#[test]
fn a_wildcard_that_matches_nothing_is_warned_of() {
    let (_, report) = applied(
        "defaults: { columns: { \"*_nothing\": exclude } }\nstreams: { plain: { columns: { \"x*\": exclude } }, \"erp-*\": include }",
    );
    let warnings: Vec<_> = report.unwrap().warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "pipelines/test.yml:2:32: `x*` matches no column of the streams that this is about",
            "pipelines/test.yml:2:51: `erp-*` matches no stream of the tap",
            "pipelines/test.yml:1:24: `*_nothing` matches no column of the streams that this is about",
        ]
    );
}

#[test]
fn a_rule_that_later_ones_wholly_hide_is_refused() {
    for text in [
        "streams: { crm-contacts: include, \"crm-*\": exclude, plain: include }",
        "streams: { \"*-audit_log\": exclude, \"*\": include }",
        "streams: { crm-contacts: { target_schema: a }, \"crm-*\": { target_schema: b } }",
    ] {
        let problems = refused(text);
        assert_eq!(problems.iter().map(|(code, _)| *code).collect::<Vec<_>>(), ["E0120"], "{text}");
    }
    for text in [
        "streams: { \"shop-*\": include, \"*-audit_log\": exclude }",
        "streams: { \"crm-*\": { target_schema: b }, crm-contacts: { load_method: upsert } }",
        "streams: { \"crm-*\": { target_schema: a, load_method: upsert }, \"*\": { target_schema: b } }",
        "streams: { plain: { columns: { email: exclude } }, \"*\": { columns: { \"address\": exclude } } }",
        "streams: { plain: include, \"*\": include }",
    ] {
        assert!(applied(text).1.is_ok(), "{text}");
    }
}

#[test]
fn a_key_that_is_named_cannot_be_excluded() {
    let problems = refused("streams: { plain: { columns: { \"{id,email}\": exclude } } }");
    assert_eq!(problems[0].0, "E0121");
    let replication_key = "streams: { plain: { replication_method: INCREMENTAL, replication_key: updated_at, columns: { updated_at: exclude } } }";
    assert_eq!(refused(replication_key)[0].0, "E0121");
}

#[test]
fn what_the_tap_cannot_honour_is_refused() {
    let mut catalog = catalog();
    catalog.streams[3].set_metadata(&[], "forced-replication-method", Json::String("FULL_TABLE".to_owned()));
    catalog.streams[3].set_metadata(&[], "valid-replication-keys", Json::parse("[\"id\"]").unwrap());
    let text = "streams: { plain: { replication_method: INCREMENTAL, replication_key: updated_at } }";
    let error = rules(text).apply(&mut catalog, &[], &[]).unwrap_err();
    assert_eq!(error.problems().map(crate::Problem::code).collect::<Vec<_>>(), ["E0123", "E0123"]);
    assert!(error.to_string().contains("the tap can go by `id`"), "{error}");
}

#[test]
fn to_upsert_needs_a_key() {
    let mut catalog = catalog();
    catalog.streams[3].key_properties = Some(Vec::new());
    let mut codes = |text: &str| match rules(text).apply(&mut catalog, &[], &[]) {
        Ok(_) => Vec::new(),
        Err(error) => error.problems().map(crate::Problem::code).collect(),
    };
    assert_eq!(codes("streams: { \"*\": { load_method: upsert } }"), ["E0123"]);
    assert!(
        codes("streams: { \"*\": include, plain: { load_method: upsert, key_properties: [id] } }").is_empty()
    );
    assert!(codes("streams: { \"*\": include, plain: { load_method: append-only } }").is_empty());
}

#[test]
fn two_streams_of_one_table_are_refused_with_both_places() {
    let text = "streams:\n  plain: { target_table: orders, target_schema: shop }\n  shop-orders: include\n";
    let error = applied(text).1.unwrap_err();
    assert_eq!((error.code(), error.problems().count()), ("E0127", 1));
    let told = error.to_string();
    assert!(
        told.contains("the streams `shop-orders` and `plain` would both load into the table shop.orders"),
        "{told}"
    );
    assert!(told.contains(":2:26:") && told.contains("3 |   shop-orders"), "{told}");
    assert_eq!(rules(text).check_tables().unwrap_err().code(), "E0127");
    for fine in [
        "streams: { \"shop-*\": { target_schema: \"x_{schema}\" }, plain: { target_table: orders } }",
        "streams: { a: { target_table: x, optional: true }, plain: { target_table: x } }",
    ] {
        assert!(rules(fine).check_tables().is_ok() && applied(fine).1.is_ok(), "{fine}");
    }
    assert_eq!(refused("streams: { \"shop-*\": { target_table: all } }")[0].0, "E0127");
}

#[test]
fn a_tap_or_target_is_not_asked_for_what_it_would_pass_over() {
    let understood = crate::Understood {
        replication_methods: vec!["INCREMENTAL".to_owned()],
        replication_key: false,
        metadata: vec!["where".to_owned()],
    };
    let codes = |text: &str| match rules(text).check_tap("tap-x", &understood) {
        Ok(()) => 0,
        Err(error) => error.problems().filter(|problem| problem.code() == "E0123").count(),
    };
    assert_eq!(codes("streams: { a: { replication_method: LOG_BASED } }"), 1);
    assert_eq!(codes("defaults: { replication_key: id, metadata: { wher: x } }"), 2);
    assert_eq!(codes("streams: { a: { replication_method: INCREMENTAL, metadata: { where: x } } }"), 0);
    let appends = crate::Abilities { upserts: false, shared_tables: false, grants: false };
    let all = crate::Abilities { upserts: true, shared_tables: true, grants: true };
    for (text, is_taken) in [
        ("load_method: upsert", false),
        ("load_method: append-only", true),
        ("deletes: hard", false),
        ("deletes: soft", false),
        ("deletes: ignore", true),
    ] {
        let rules = rules(&format!("defaults: {{ {text} }}"));
        let refused = rules.check_target("target-x", appends).map_err(|error| error.code());
        assert_eq!(refused, if is_taken { Ok(()) } else { Err("E0123") }, "{text}");
        assert!(rules.check_target("target-x", all).is_ok(), "{text}");
    }
}

#[test]
fn a_tap_that_forces_nothing_in_so_many_words_is_free() {
    let mut catalog = catalog();
    catalog.streams[3].set_metadata(&[], "forced-replication-method", Json::String(String::new()));
    let text = "streams: { plain: { replication_method: INCREMENTAL, replication_key: updated_at } }";
    assert!(rules(text).apply(&mut catalog, &[], &[]).is_ok());
}

#[test]
fn a_template_that_wants_a_schema_needs_one() {
    let text = "defaults: { target_schema: \"ods_{schema}\" }\nstreams: { \"*\": include }";
    assert_eq!(refused(text)[0].0, "E0125");
    let text = "defaults: { target_schema: \"ods_{schema}\" }\nstreams: { \"*-*\": include }";
    assert!(applied(text).1.is_ok());
}

#[test]
fn the_command_line_narrows_and_never_widens() {
    let text = "streams: { \"shop-*\": include, plain: include }";
    assert_eq!(selected(&narrowed(text, &["shop-*", "plain"], &["*log"]).1), ["shop-orders", "plain"]);
    assert_eq!(selected(&narrowed(text, &["plain"], &[]).1), ["plain"]);
    for (select, exclude) in [(&["crm-contacts"][..], &[][..]), (&["nothing-*"], &[]), (&["plain"], &["*"])] {
        let (_, report) = narrowed(text, select, exclude);
        assert_eq!(report.unwrap_err().code(), "E0122", "{select:?}");
    }
}

#[test]
fn nothing_selected_is_an_error() {
    let error = applied("description: x").1.unwrap_err();
    assert_eq!(error.to_string(), "0 streams selected; nothing would be loaded");
    assert!(error.hint().unwrap().contains("the tap offers 4"));
}

#[test]
fn an_exclude_that_leaves_nothing_says_so_and_not_that_the_file_selects_nothing() {
    let (_, report) = narrowed("streams: { plain: include }", &[], &["*"]);
    let error = report.unwrap_err();
    let problem = error.problems().next().unwrap();
    assert_eq!(problem.code(), "E0122");
    assert!(problem.to_string().contains("--exclude leaves out all"), "{problem}");
    assert!(error.hint().unwrap().contains("the pipeline loads 1 of"), "{error}");
}
