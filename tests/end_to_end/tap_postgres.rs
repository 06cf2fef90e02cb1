//! tap-postgres into warehouses. PostgreSQL is the judge: source and copy lie in one database, in two schemas.

use std::fmt::Write as _;

use serde_json::{Value, json};
use target_testkit::postgres::Database;
use tests::programs::workspace;
use tests::project::Project;
use tests::warehouse::{Warehouse, block_on};

/// A database that is source and warehouse.
struct Both {
    project: Project,
    warehouse: Warehouse,
    database: Database,
}

impl Both {
    fn new(sql: &str) -> Self {
        let (project, warehouse) = (Project::new(), Warehouse::postgres());
        let Warehouse::Postgres(database) = &warehouse else { unreachable!("it was asked for") };
        let database = database.clone();
        block_on(database.execute(sql));
        Self { project, warehouse, database }
    }

    fn sql(&self, sql: &str) {
        block_on(self.database.execute(sql));
    }

    fn tap(&self) -> Value {
        let mut config = self.database.settings();
        config["filter_schemas"] = json!(["shop"]);
        json!({ "name": "tap-postgres", "config": config })
    }

    /// Writes the pipeline that copies schema `shop` to schema `copy`.
    fn pipeline(&self, streams: &Value) {
        let mut pipeline = json!({
            "tap": self.tap(),
            "target": self.warehouse.block(),
            "defaults": { "target_schema": "copy", "target_table": "{table}", "metadata_columns": false },
            "limits": { "checkpoint_bytes": "1KiB" },
        });
        if !streams.is_null() {
            pipeline["streams"] = streams.clone();
        }
        self.project.pipeline("shop", &pipeline);
    }

    fn run(&self) -> tests::project::Outcome {
        self.project.run(["run", "shop"]).expect_code(0)
    }

    /// Panics unless both tables have the same rows in PostgreSQL's own words: every digit, every blank.
    #[track_caller]
    fn assert_same(&self, table: &str) {
        let columns = format!(
            "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute
             WHERE attrelid = 'shop.{table}'::regclass AND attnum > 0 ORDER BY attnum"
        );
        let (mut source, mut copy) = (String::new(), String::new());
        for column in self.warehouse.rows(&columns) {
            let quoted = format!("\"{}\"", column[0].as_deref().unwrap_or_default().replace('"', "\"\""));
            let sql_type = column[1].as_deref().unwrap_or_default();
            // An array as a whole has other words than its items: `t` for true, no mask behind an address.
            let array = if sql_type.ends_with("[]") { "::text[]" } else { "" };
            let words = match sql_type {
                "real" => format!("{quoted}::float8::text"),
                "json" => format!("{quoted}::jsonb::text"),
                // The cast of char(n) to text drops the blanks behind it, which the value has.
                "character" => format!("CASE WHEN {quoted} IS NOT NULL THEN format('%s', {quoted}) END"),
                _ => format!("{quoted}{array}::text"),
            };
            let comma = if source.is_empty() { "" } else { ", " };
            let _ = write!(source, "{comma}{words} AS {quoted}");
            let _ = write!(copy, "{comma}{quoted}{array}::text AS {quoted}");
        }
        let (source, copy) =
            (format!("SELECT {source} FROM shop.{table}"), format!("SELECT {copy} FROM copy.{table}"));
        for (one, other, which) in [(&source, &copy, "not copied"), (&copy, &source, "not in the source")] {
            let difference =
                format!("SELECT json_strip_nulls(row_to_json(d)) FROM ({one} EXCEPT ALL {other}) d LIMIT 3");
            assert_eq!(self.warehouse.rows(&difference), Vec::<Vec<Option<String>>>::new(), "{which}");
        }
    }
}

fn every_type() -> String {
    let path = workspace().join("taps/tap-postgres/tests/tap/every_type.sql");
    std::fs::read_to_string(path).expect("the statements")
}

#[test]
fn every_type_arrives_as_it_was() {
    let both = Both::new(&every_type());
    // JSON has one null, PostgreSQL two: the document `null` becomes NULL.
    both.sql("UPDATE shop.every_type SET jsonbs = jsonbs[1:1]");
    both.pipeline(&Value::Null);
    both.run();
    both.assert_same("every_type");
    let types = "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
                 WHERE attrelid = 'copy.every_type'::regclass AND attnum > 0 ORDER BY attnum";
    let types = both.warehouse.rows(types);
    let of =
        |name: &str| types.iter().find(|row| row[0].as_deref() == Some(name)).and_then(|row| row[1].clone());
    for (name, expected) in [
        ("numeric_14_2", "numeric(14,2)"),
        ("numeric", "numeric"),
        ("domain", "numeric(9,2)"),
        ("texts", "text[]"),
        ("matrix", "bigint[]"),
        ("timetz", "time with time zone"),
        ("interval", "interval"),
        ("timestamp", "timestamp without time zone"),
        ("enum", "text"),
        ("uuids", "uuid[]"),
    ] {
        assert_eq!(of(name).as_deref(), Some(expected), "{name}");
    }
}

/// Values from a seed, by PostgreSQL itself: of every size, in every year that it has, of every plane of Unicode.
const RANDOM: &str = "
CREATE SCHEMA shop;
SELECT setseed(0.5);
CREATE TABLE shop.random AS SELECT i AS id,
  CASE WHEN i % 7 > 0 THEN (random() * 2 - 1)::numeric * power(10::numeric, (random() * 120 - 60)::int) END AS numeric,
  ((random() * 2 - 1) * 1e11)::numeric(14,2) AS numeric_14_2,
  ((random() * 2 - 1)::numeric * 1e30)::numeric(38,8) AS numeric_38_8,
  (random() * 2 - 1) * power(10, random() * 600 - 300) AS float8,
  ((random() * 2 - 1) * power(10, random() * 70 - 35))::float4 AS float4,
  ((random() * 2 - 1) * 9.2e18)::int8 AS int8,
  (SELECT string_agg(chr(CASE WHEN c BETWEEN 55296 AND 57343 THEN 9 ELSE c END), '')
   FROM (SELECT 1 + (power(random(), 3) * (CASE WHEN i % 2 = 0 THEN 126 ELSE 1114109 END))::int AS c
         FROM generate_series(1, i % 40)) s) AS text,
  '4712-01-01 BC'::date + (random() * 109000000)::int AS date,
  '4712-01-01 BC'::timestamp + random() * interval '298000 years' AS timestamp,
  '4712-01-01 BC'::timestamptz + random() * interval '7000 years' AS timestamptz,
  time '00:00' + random() * interval '24 hours' AS time,
  (time '00:00' + random() * interval '24 hours') AT TIME ZONE ((random() * 20 - 10)::int || ' hours')::interval AS timetz,
  make_interval((random() * 20 - 10)::int, (random() * 20 - 10)::int, 0, (random() * 99 - 50)::int, 0, 0, random() * 1e6 - 5e5) AS interval,
  gen_random_uuid() AS uuid,
  substr(decode(md5(i::text), 'hex'), 1, i % 17) AS bytea,
  random() < 0.5 AS bool,
  jsonb_build_object('a', random(), md5(i::text), ARRAY[NULL, i::text], E'\\u00e9\"\\\\', jsonb_build_object('n', 1e20::numeric)) AS jsonb,
  CASE i % 4 WHEN 0 THEN '{}' WHEN 1 THEN ARRAY[i, NULL] WHEN 2 THEN ARRAY[-i] END AS int4s,
  CASE WHEN i % 3 > 0 THEN ARRAY[md5(i::text), NULL, '', 'a\"b\\c{,}', 'NULL'] END AS texts,
  ARRAY[(random() * 1e6)::numeric(20,3), NULL] AS numerics,
  ARRAY['2024-01-01'::timestamptz + random() * interval '90 years'] AS timestamptzs,
  int8range(i, i + (random() * 100)::int) AS range
FROM generate_series(1, 3000) AS i;
ALTER TABLE shop.random ADD PRIMARY KEY (id);
INSERT INTO shop.random (id, numeric, numeric_14_2, float8, float4, text, date, timestamp, timestamptz, time)
VALUES (-1, 'NaN', 'NaN', 'NaN', 'NaN', '', '0001-12-31 BC', '0001-12-31 23:59:59.999999 BC', '0001-01-01 00:00Z', '24:00'),
  (-2, 0.000, 0, 'Infinity', '-Infinity', 'null', '0001-01-01', '294246-12-31 23:59:59.999999', '9999-12-31 23:59:59.999999Z', '00:00'),
  (-3, '-0.00000000000000000000000000000000000000001', -0.01, '-0', 1e-45, E'\\r\\n', '10000-01-01', '2000-01-01', '1999-12-31 23:59:59.999999Z', '23:59:59.999999'),
  (-4, power(10::numeric, 1000) + 0.5, 999999999999.99, 5e-324, 3.4028235e38, repeat('x', 300000), '294276-01-01', '1970-01-01', '1970-01-01Z', NULL)";

#[test]
fn any_value_arrives_as_it_was_and_twice_is_once() {
    let both = Both::new(RANDOM);
    both.pipeline(&Value::Null);
    both.run();
    both.assert_same("random");
    both.sql(
        "DELETE FROM shop.random WHERE id % 3 = 0; UPDATE shop.random SET text = 'changed' WHERE id % 5 = 0",
    );
    both.run();
    both.assert_same("random");
}

#[test]
fn a_run_that_is_killed_goes_on_and_ends_with_the_same_table() {
    let both = Both::new(
        "CREATE SCHEMA shop; CREATE TABLE shop.wide (id int PRIMARY KEY, text text);
         INSERT INTO shop.wide SELECT i, repeat('x', 900) || i FROM generate_series(1, 20000) i",
    );
    both.pipeline(&Value::Null);
    let mut running = both.project.start("shop", None);
    running.wait_for(|line| {
        line.is_event("checkpointed")
            && line.field("state").is_some_and(|state| state.to_string().contains("pages"))
    });
    running.kill();
    both.sql("UPDATE shop.wide SET text = 'changed' WHERE id IN (1, 2, 20000)");
    let outcome = both.run();
    assert!(!outcome.stderr.contains("starting over"), "{outcome}");
    both.assert_same("wide");
}

#[test]
fn a_pipeline_says_how_a_table_is_followed() {
    let both = Both::new(
        "CREATE SCHEMA shop; CREATE TABLE shop.events (id int PRIMARY KEY, at timestamptz NOT NULL, test bool);
         INSERT INTO shop.events SELECT i, '2024-01-01Z'::timestamptz + i * interval '1 minute', i = 3 FROM generate_series(1, 9) i;
         CREATE VIEW shop.big AS SELECT id FROM shop.events WHERE id > 5",
    );
    both.pipeline(&json!({
        "shop-events": {
            "replication_method": "INCREMENTAL", "replication_key": "at",
            "metadata": { "where": "NOT test", "replication_key_lag": "2m" },
        },
        "shop-big": { "key_properties": ["id"], "replication_method": "FULL_TABLE" },
    }));
    both.run();
    let found = |table: &str| {
        both.warehouse.value(&format!("SELECT string_agg(id::text, ' ' ORDER BY id) FROM copy.{table}"))
    };
    assert_eq!(found("events").as_deref(), Some("1 2 4 5 6 7 8 9"));
    assert_eq!(found("big").as_deref(), Some("6 7 8 9"));
    both.sql("INSERT INTO shop.events VALUES (10, '2024-01-01 00:07:30Z', false), (11, '2024-01-01 00:01Z', false)");
    both.run();
    assert_eq!(
        found("events").as_deref(),
        Some("1 2 4 5 6 7 8 9 10"),
        "the one is within the lag, the other is not"
    );
    assert_eq!(found("big").as_deref(), Some("6 7 8 9 10 11"));
}

#[test]
fn a_setting_that_the_tap_does_not_know_ends_the_run_before_it_starts() {
    let both = Both::new("CREATE SCHEMA shop; CREATE TABLE shop.t (x int)");
    both.pipeline(&json!({ "shop-t": { "replication_method": "INCREMENTAL" } }));
    let outcome = both.project.run(["run", "shop"]).expect_code(78);
    assert!(outcome.stderr.contains("replication key"), "{outcome}");
    both.pipeline(&json!({ "shop-absent": "include" }));
    let outcome = both.project.run(["run", "shop"]).expect_code(78);
    assert!(outcome.stderr.contains("shop-absent"), "{outcome}");
}

#[test]
fn every_type_arrives_in_duckdb() {
    let both = Both::new(&every_type());
    let warehouse = Warehouse::duckdb(both.project.path());
    both.project.pipeline("shop", &json!({ "tap": both.tap(), "target": warehouse.block() }));
    both.run();
    let columns =
        "numeric, numeric_14_2, \"timestamp\", timestamptz, \"time\", uuid, bytea, domain, enum, text";
    let copied = warehouse.rows(&format!("SELECT {columns} FROM shop.every_type ORDER BY id"));
    // DuckDB has no numeric of that length: its digits are kept as text, without the zeros behind them.
    let source = "SELECT trim_scale(numeric)::text, numeric_14_2::text, \"timestamp\"::text, timestamptz::text, \"time\"::text, uuid::text,
                  '\\x00\\xFF', domain::text, enum::text, text FROM shop.every_type ORDER BY id LIMIT 1";
    assert_eq!(copied.first(), both.warehouse.rows(source).first());
}

/// As the server keeps them: with line ends, and the document `null` in each of its forms.
const DOCUMENTS: &str = r#"
CREATE TABLE shop.documents (id int PRIMARY KEY, json json, jsonb jsonb, jsons json[]);
INSERT INTO shop.documents VALUES (1, E'{"a":\n [1,\r\n\t2]}', '{"a": 1}', ARRAY[E'[1,\n2]', ' null ']::json[]),
  (2, ' null ', 'null', ARRAY['null', NULL, '"null"']::json[]), (3, E'\n"null"', '"null"', '{}'), (4, NULL, NULL, NULL)"#;

/// As columns and as records the same rows make the same table.
#[test]
fn columns_and_records_are_the_same() {
    let random = RANDOM.replacen("CREATE SCHEMA shop;", "", 1);
    let both = Both::new(&format!("{}; {random}; {DOCUMENTS}", every_type()));
    let mut tables = Vec::new();
    for send in ["columns", "records"] {
        let mut tap = both.tap();
        tap["config"]["send"] = send.into();
        let defaults = json!({ "target_schema": send, "target_table": "{table}", "metadata_columns": false });
        both.project
            .pipeline(send, &json!({ "tap": tap, "target": both.warehouse.block(), "defaults": defaults }));
        let _ = both.project.run(["run", send]).expect_code(0);
        // It is the clock's.
        for table in ["every_type", "random", "documents"] {
            both.sql(&format!("ALTER TABLE {send}.{table} DROP COLUMN _sdc_table_version"));
        }
        let types = format!(
            "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull FROM pg_attribute a \
             JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = '{send}'::regnamespace AND c.relkind = 'r' \
             AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, a.attnum"
        );
        tables.push(both.warehouse.rows(&types));
    }
    assert_eq!(tables[0], tables[1]);
    assert!(tables[0].len() > 60, "all tables are there");
    for row in &tables[0] {
        let [Some(table), Some(column), ..] = &row[..] else { panic!("a column has a name") };
        let quoted = format!("\"{}\"", column.replace('"', "\"\""));
        let difference = format!(
            "SELECT id, c.{quoted}::text, r.{quoted}::text FROM columns.{table} c FULL JOIN records.{table} r USING (id) \
             WHERE c.{quoted}::text IS DISTINCT FROM r.{quoted}::text LIMIT 3"
        );
        assert_eq!(both.warehouse.rows(&difference), Vec::<Vec<Option<String>>>::new(), "{table}.{column}");
    }
}

#[test]
fn documents_are_the_same_as_columns_and_as_records_in_duckdb() {
    let both = Both::new(&format!("CREATE SCHEMA shop; {DOCUMENTS}"));
    let warehouse = Warehouse::duckdb(both.project.path());
    let loaded = ["columns", "records"].map(|send| {
        let mut tap = both.tap();
        tap["config"]["send"] = send.into();
        let defaults = json!({ "target_schema": send, "target_table": "{table}" });
        both.project
            .pipeline(send, &json!({ "tap": tap, "target": warehouse.block(), "defaults": defaults }));
        let _ = both.project.run(["run", send]).expect_code(0);
        warehouse.rows(&format!("SELECT id, json, jsonb, jsons FROM {send}.documents ORDER BY id"))
    });
    assert_eq!(loaded[0], loaded[1]);
    assert_eq!(loaded[0][1][1], None, "the document `null` is NULL");
    assert_eq!(loaded[0][2][2].as_deref(), Some("\"null\""));
}
