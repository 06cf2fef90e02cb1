//! What is wrong, and what is said about it.

use serde_json::json;

use crate::fixture::Source;

#[test]
fn a_server_that_does_not_let_us_in_is_named() {
    let mut source = Source::new("");
    for (config, code, words) in [
        (json!({ "password": "wrong-secret" }), 78, "password authentication failed"),
        (json!({ "database": "nowhere" }), 78, "\"nowhere\" does not exist"),
        (json!({ "port": 1 }), 75, "cannot be reached"),
        (json!({ "sslmode": "require" }), 78, "the server does not speak TLS"),
        (json!({ "filter_schemas": ["shpo"] }), 78, "`filter_schemas` names `shpo`"),
        (json!({ "prot": 1 }), 78, "did you mean `port`?"),
        (json!({ "queries": { "q": "SELECT nothing" } }), 1, "preparing the query `q`"),
        (json!({ "queries": { "q": "SELECT 1 AS a, 2 AS a" } }), 78, "two columns named `a`"),
    ] {
        source.config = config;
        let said = source.discovery().expect_code(code);
        assert!(said.log.contains(words) && !said.log.contains("wrong-secret"), "{}", said.log);
    }
}

#[test]
fn what_the_catalog_selects_must_be_there_and_readable() {
    let mut source = Source::new(
        "CREATE ROLE sync_reader LOGIN PASSWORD 'not-a-secret'; CREATE TABLE t (x int, j json);
         CREATE SCHEMA locked; CREATE TABLE locked.t (x int); GRANT SELECT ON locked.t TO sync_reader",
    );
    let catalog = |id: &str, metadata| source.catalog(id, &metadata);
    let (one, other) = (catalog("public-t", json!({})), catalog("locked-t", json!({})));
    let keyless = catalog("public-t", json!({ "replication-method": "INCREMENTAL" }));
    let unordered =
        catalog("public-t", json!({ "replication-method": "INCREMENTAL", "replication-key": "j" }));
    let unknown = catalog("public-t", json!({ "replication-method": "SNAPSHOT" }));
    let absent_key = catalog("public-t", json!({ "table-key-properties": ["id"] }));
    let broken = catalog("public-t", json!({ "where": "y > 1" }));
    let refusal = |source: &Source, catalog, code| source.sync(catalog, None).expect_code(code).log;
    let log = refusal(&source, &keyless, 78);
    assert!(log.contains("has no replication key") && log.contains("may be it are x"), "{log}");
    assert!(refusal(&source, &unordered, 78).contains("which has no order to go by"));
    assert!(refusal(&source, &unknown, 78).contains("does not offer"));
    assert!(refusal(&source, &absent_key, 78).contains("no column `id`, which is to be a key"));
    assert!(refusal(&source, &broken, 1).contains("column \"y\" does not exist"));
    source.config = json!({ "user": "sync_reader" });
    assert!(refusal(&source, &one, 78).contains("public.t cannot be read"));
    assert!(refusal(&source, &other, 78).contains("USAGE on its schema is missing"));
    source.sql("DROP TABLE t");
    assert!(refusal(&source, &one, 78).contains("there is no table public.t"));
}

#[test]
fn a_statement_that_takes_too_long_is_ended() {
    let mut source = Source::new("");
    source.config =
        json!({ "statement_timeout": 0.05, "queries": { "q": "SELECT pg_sleep(60)::text AS s" } });
    let said = source.sync(&source.discover(), None).expect_code(1);
    assert!(said.log.contains("raise `statement_timeout`"), "{}", said.log);
}

#[test]
fn nothing_can_be_written() {
    let mut source = Source::new(
        "CREATE TABLE t (x int); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES (1) RETURNING x'",
    );
    source.config = json!({ "queries": { "q": "SELECT f() AS x" } });
    let said = source.sync(&source.catalog("q", &json!({})), None).expect_code(1);
    assert!(said.log.contains("read-only transaction"), "{}", said.log);
    assert_eq!(source.value("SELECT count(*) FROM t"), "0");
}

/// Bytes that we leave unread while the target is busy must not look like our end, whatever the role says.
#[test]
fn a_reader_that_is_held_up_is_not_given_up() {
    let mut source = Source::new(
        "CREATE ROLE hasty LOGIN PASSWORD 'not-a-secret'; ALTER ROLE hasty SET tcp_user_timeout = 60000",
    );
    source.config = json!({
        "user": "hasty",
        "queries": { "q": "SELECT current_setting('tcp_user_timeout') AS timeout" },
    });
    let said = source.sync(&source.discover(), None).expect_code(0);
    assert_eq!(said.column("timeout"), [&json!("0")]);
}

#[test]
fn a_parameter_that_means_nothing_is_said_once() {
    let mut source = Source::new(
        "CREATE TABLE paged (id int PRIMARY KEY, text text) WITH (fillfactor = 10);
         INSERT INTO paged SELECT i, repeat('x', 900) FROM generate_series(1, 600) i",
    );
    source.config = json!({ "sqlalchemy_url": "postgresql://?gssencmode=disable", "parallel": 2 });
    let said = source.sync(&source.discover(), None).expect_code(0);
    assert!(said.of("STATE").len() > 2, "it is read in parts");
    assert_eq!(
        said.log.matches("parameter `gssencmode` of `sqlalchemy_url` is passed over").count(),
        1,
        "{}",
        said.log
    );
}

/// What one run sets would be another program's.
#[test]
fn a_proxy_that_pools_transactions_is_refused_before_anything_is_set() {
    let mut source = Source::new("CREATE TABLE t (x int)");
    let catalog = source.discover();
    source.config = json!({ "port": source.pool_transactions() });
    for said in [source.discovery(), source.sync(&catalog, None)] {
        let log = said.expect_code(78).log;
        assert!(log.contains("a proxy that changes the session with each transaction"), "{log}");
    }
}
