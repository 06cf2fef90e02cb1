//! Tables that are there already, whoever made them.

use target_api::{LoadMethod, RunIdentity, Target};
use target_testkit::postgres::{Cluster, Database};

use crate::support::{fresh_run, load, rows, run, start, state, table, write};

async fn database() -> Database {
    Cluster::shared().database().await
}

async fn refusal(database: &Database, wanted: &target_api::Table) -> String {
    let mut target = start(database, &run("refused")).await;
    let error = target.open(wanted).await.unwrap_err();
    format!("{} {error} ({})", error.code, error.hint.clone().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_that_others_made_keep_their_types() {
    let database = database().await;
    database
        .execute(
            "CREATE TABLE orders (id integer PRIMARY KEY, name varchar, amount numeric(20,4), doc json, extra text DEFAULT 'x')",
        )
        .await;
    database.execute("INSERT INTO orders VALUES (1, 'old', 1.5, '{}', 'kept')").await;
    let orders = table("orders: id int64, name text, amount numeric(10,2), doc json", &["id"]);
    load(&database, &run("one"), &orders, &["1|new|2.25|[1]", "2|two|3.10|null", "2|three|4.10|~"]).await;
    let found = rows(&database, "SELECT id, name, amount, doc, extra FROM orders ORDER BY id").await;
    assert_eq!(found, ["1|new|2.2500|[1]|kept", "2|three|4.1000|~|x"]);
    let types = "SELECT string_agg(format_type(atttypid, atttypmod), ',' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attnum > 0";
    assert_eq!(rows(&database, types).await, ["integer,character varying,numeric(20,4),json,text"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instants_go_into_others_columns_without_a_zone_as_utc() {
    let database = database().await;
    database.execute("CREATE TABLE seen (at timestamp PRIMARY KEY, until timestamp)").await;
    database.execute("INSERT INTO seen VALUES ('2024-01-02 03:04:05', NULL)").await;
    // Not the session's zone, but what whoever connects would have.
    database
        .execute(&format!("ALTER DATABASE \"{}\" SET TimeZone = 'America/New_York'", database.name()))
        .await;
    let seen = table("seen: at timestamptz, until timestamptz", &["at"]);
    let instants = ["2024-01-02 03:04:05|2024-01-02 03:04:05.123456", "2024-07-02 00:00:00|~"];
    load(&database, &run("one"), &seen, &instants).await;
    load(&database, &run("two"), &seen, &["2024-07-02 00:00:00|2024-07-03 00:00:00"]).await;
    let found = rows(&database, "SELECT at, until FROM seen ORDER BY at").await;
    assert_eq!(
        found,
        ["2024-01-02 03:04:05|2024-01-02 03:04:05.123456", "2024-07-02 00:00:00|2024-07-03 00:00:00"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_go_into_others_arrays_item_by_item() {
    let database = database().await;
    database.execute("CREATE TABLE lists (id bigint PRIMARY KEY, t text[], n bigint[], j jsonb[])").await;
    let lists = table("lists: id int64, t json, n json, j json", &["id"]);
    let lines = [
        r#"1|["b","a",null,["x"]]|[3,1,null]|[{"a":1},"x",null]"#,
        "2|[]|~|null",
        r#"3|["old"]|[9]|[]"#,
        r#"3|["new"]|[-9223372036854775808]|[]"#,
    ];
    load(&database, &run("one"), &lists, &lines).await;
    let found = rows(&database, "SELECT * FROM lists ORDER BY id").await;
    assert_eq!(
        found,
        [
            r#"1|{b,a,NULL,"[\"x\"]"}|{3,1,NULL}|{"{\"a\": 1}","\"x\"","null"}"#,
            "2|{}|~|~",
            "3|{new}|{-9223372036854775808}|{}"
        ]
    );
    for (line, why) in
        [("4|~|[2.5]|~", "no item is rounded"), (r#"4|{"a":1}|~|~"#, "no list"), ("4|7|~|~", "no list")]
    {
        let mut target = start(&database, &run("two")).await;
        target.open(&lists).await.unwrap();
        write(&mut target, &lists, &[line]).await;
        let refused = target.commit(&state("{}")).await.expect_err(why);
        assert!(refused.message.contains("record 1"), "{why}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn types_that_would_round_or_cut_are_refused() {
    let database = database().await;
    for (at, (actual, wanted)) in [
        ("real", "float64"),
        ("varchar(3)", "text"),
        ("timestamp(3)", "timestamp"),
        ("timestamptz", "timestamp"),
        ("bigint", "json"),
        ("point", "text"),
    ]
    .into_iter()
    .enumerate()
    {
        database.execute(&format!("CREATE TABLE t{at} (v {actual})")).await;
        let said = refusal(&database, &table(&format!("t{at}: v {wanted}"), &[])).await;
        assert!(said.starts_with("E0325 column `v` of public.t") && said.contains("by hand"), "{said}");
    }
    for statement in
        ["CREATE VIEW v AS SELECT 1 AS v", "CREATE TABLE g (v bigint GENERATED ALWAYS AS IDENTITY)"]
    {
        database.execute(statement).await;
    }
    assert!(refusal(&database, &table("v: v int64", &[])).await.starts_with("E0327"));
    assert!(refusal(&database, &table("g: v int64", &[])).await.starts_with("E0327"));
    database.execute("CREATE TABLE n (v bigint, must text NOT NULL)").await;
    assert!(refusal(&database, &table("n: v int64", &[])).await.contains("`must`"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_double_widens_with_all_its_digits() {
    let database = database().await;
    let of = |kind: &str| table(&format!("rates: id int64, v {kind}"), &["id"]);
    load(&database, &run("one"), &of("float64"), &["1|0.30000000000000004", "2|NaN"]).await;
    load(&database, &run("two"), &of("numeric"), &["3|0.1"]).await;
    load(&database, &run("three"), &of("float64"), &["4|123456.78901234567"]).await;
    let found = rows(&database, "SELECT id, v FROM rates ORDER BY id").await;
    assert_eq!(found, ["1|0.30000000000000004", "2|NaN", "3|0.1", "4|123456.78901234567"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_without_a_unique_index_is_still_merged_by_key() {
    let database = database().await;
    database.execute("CREATE TABLE orders (id bigint, name text, extra text)").await;
    database.execute("INSERT INTO orders VALUES (1, 'a', 'kept'), (1, 'b', 'kept'), (7, 'c', NULL)").await;
    let orders = table("orders: id int64, name text", &["id"]);
    load(&database, &run("one"), &orders, &["1|x", "2|y", "2|z"]).await;
    load(&database, &run("two"), &orders, &["2|w"]).await;
    let found = rows(&database, "SELECT id, name, extra FROM orders ORDER BY id, name").await;
    assert_eq!(found, ["1|x|kept", "1|x|kept", "2|w|~", "7|c|~"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_keys_of_two_forms_are_one_and_the_last_form_stays() {
    let database = database().await;
    let prices = table("prices: k numeric, n int64", &["k"]);
    let mut target = start(&database, &run("one")).await;
    target.open(&prices).await.unwrap();
    write(&mut target, &prices, &["1|1", "2|1"]).await;
    write(&mut target, &prices, &["1.0|2", "NaN|2"]).await;
    target.commit(&state("{}")).await.unwrap();
    write(&mut target, &prices, &["2.00|3", "NaN|3"]).await;
    target.commit(&state("{}")).await.unwrap();
    assert_eq!(rows(&database, "SELECT k, n FROM prices ORDER BY k").await, ["1.0|2", "2.00|3", "NaN|3"]);
    // A collation that calls a and A equal decides, too.
    database
        .execute(
            "CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
        )
        .await;
    database.execute("CREATE TABLE names (k text COLLATE nocase PRIMARY KEY, n bigint)").await;
    load(&database, &run("two"), &table("names: k text, n int64", &["k"]), &["a|1", "A|2", "b|3"]).await;
    assert_eq!(rows(&database, "SELECT k, n FROM names ORDER BY k").await, ["A|2", "b|3"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_changes_where_the_records_allow_it() {
    let database = database().await;
    let of = |key: &[&str]| table("orders: id int64, line int64, v text", key);
    let mut target = start(&database, &run("one")).await;
    target.open(&of(&["id"])).await.unwrap();
    write(&mut target, &of(&["id"]), &["1|1|a", "1|1|b"]).await;
    let change = target.open(&of(&["id", "line"])).await.unwrap();
    assert_eq!(change.key.map(|key| key.to_string()).as_deref(), Some("from (id) to (id, line)"));
    assert_eq!(target.open(&of(&["line", "id"])).await.unwrap().key, None);
    write(&mut target, &of(&["id", "line"]), &["1|2|c", "1|1|d"]).await;
    target.commit(&state("{}")).await.unwrap();
    drop(target);
    let all = "SELECT id, line, v FROM orders ORDER BY 1, 2";
    assert_eq!(rows(&database, all).await, ["1|1|d", "1|2|c"]);
    let said = refusal(&database, &of(&["id"])).await;
    assert!(said.starts_with("E0326") && said.contains("was (line, id) and is now (id)"), "{said}");
    let mut target = start(&database, &run("keyless")).await;
    assert_eq!(
        target.plan(&of(&[])).await.unwrap().key.map(|key| key.to_string()).as_deref(),
        Some("from (line, id) to none")
    );
    drop(target);
    // Without a key records are appended, and columns of the former key may be NULL.
    load(&database, &run("two"), &of(&[]), &["1|1|e", "~|~|f"]).await;
    assert_eq!(rows(&database, all).await, ["1|1|d", "1|1|e", "1|2|c", "~|~|f"]);
    load(&database, &fresh_run("three"), &of(&["id"]), &["5|1|g", "5|1|h"]).await;
    assert_eq!(rows(&database, all).await, ["5|1|h"]);
    load(&database, &run("four"), &of(&["id"]), &["5|1|i"]).await;
    assert_eq!(rows(&database, all).await, ["5|1|i"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keyed_stream_that_becomes_append_only_appends() {
    let database = database().await;
    let mut orders = table("orders: id int64, v text", &["id"]);
    load(&database, &run("one"), &orders, &["1|a"]).await;
    orders.load_method = LoadMethod::AppendOnly;
    load(&database, &run("two"), &orders, &["1|b", "1|c"]).await;
    assert_eq!(rows(&database, "SELECT v FROM orders ORDER BY 1").await, ["a", "b", "c"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_refresh_makes_a_conflicting_column_anew() {
    let database = database().await;
    let of = |kind: &str| table(&format!("orders: id int64, v {kind}"), &["id"]);
    load(&database, &run("one"), &of("int64"), &["1|1", "2|2"]).await;
    database.execute("CREATE TABLE lines (order_id bigint REFERENCES orders)").await;
    let mut dying = start(&database, &fresh_run("two")).await;
    dying.open(&of("json")).await.unwrap();
    write(&mut dying, &of("json"), &["3|[3]"]).await;
    drop(dying);
    assert_eq!(rows(&database, "SELECT id, v FROM orders ORDER BY 1").await, ["1|1", "2|2"]);
    // A foreign key points at it: it is emptied by DELETE, and the key stays.
    load(&database, &fresh_run("three"), &of("json"), &["3|[3]"]).await;
    assert_eq!(rows(&database, "SELECT id, v FROM orders ORDER BY 1").await, ["3|[3]"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_streams_do_not_share_a_table_and_moves_are_noticed() {
    let database = database().await;
    let mut one = table("one: id int64", &["id"]);
    let mut other = table("other: id int64", &["id"]);
    other.name = one.name.clone();
    let mut target = start(&database, &run("one")).await;
    target.open(&one).await.unwrap();
    let error = target.open(&other).await.unwrap_err();
    assert_eq!(error.code, "E0323");
    load(&database, &run("two"), &one, &["1"]).await;
    one.name.table = "elsewhere".into();
    assert!(refusal(&database, &one).await.starts_with("E0324"));
    one.name.schema = Some("apart".into());
    load(&database, &fresh_run("three"), &one, &["2"]).await;
    assert_eq!(rows(&database, "SELECT id FROM apart.elsewhere").await, ["2"]);
    let other_pipeline = RunIdentity { pipeline: "other".into(), ..run("four") };
    let mut target = start(&database, &other_pipeline).await;
    assert_eq!(target.open(&one).await.unwrap_err().code, "E0323");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_says_what_open_does() {
    let database = database().await;
    let of = |kind: &str| table(&format!("orders: id int64, v {kind}"), &["id"]);
    let mut target = start(&database, &run("one")).await;
    let planned = target.plan(&of("date")).await.unwrap();
    assert_eq!(planned, target.open(&of("date")).await.unwrap());
    assert_eq!(
        planned.statements,
        [r#"CREATE TABLE "public"."orders" ("id" bigint, "v" date, PRIMARY KEY ("id"))"#]
    );
    write(&mut target, &of("date"), &["1|2024-02-29"]).await;
    target.commit(&state("{}")).await.unwrap();
    drop(target);
    let mut target = crate::support::target(&database);
    assert_eq!(target.stored_state(&run("two")).await.unwrap().unwrap().sequence, 1);
    let planned = target.plan(&of("timestamp")).await.unwrap();
    assert_eq!(
        planned.statements,
        [r#"ALTER TABLE "public"."orders" ALTER COLUMN "v" TYPE timestamp USING "v"::timestamp"#]
    );
    load(&database, &run("three"), &of("timestamp"), &["2|2024-03-01 12:00:00"]).await;
    assert_eq!(
        rows(&database, "SELECT v FROM orders ORDER BY id").await,
        ["2024-02-29 00:00:00", "2024-03-01 12:00:00"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn triggers_see_every_record() {
    let database = database().await;
    database
        .execute(
            "CREATE TABLE events (seq bigint, seen boolean); \
             CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.seen := true; RETURN NEW; END'; \
             CREATE TRIGGER see BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION see()",
        )
        .await;
    load(&database, &run("one"), &table("events: seq int64", &[]), &["1", "2"]).await;
    assert_eq!(rows(&database, "SELECT seq, seen FROM events ORDER BY 1").await, ["1|t", "2|t"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_refresh_gives_up_only_what_the_pipeline_loaded() {
    let database = database().await;
    database.execute("CREATE TABLE orders (id bigint PRIMARY KEY); INSERT INTO orders VALUES (1)").await;
    let orders = table("orders: id int64", &["id"]);
    let mut target = start(&database, &fresh_run("one")).await;
    for record in ["2", "3"] {
        target.open(&orders).await.unwrap();
        write(&mut target, &orders, &[record, "1"]).await;
        target.commit(&state("{}")).await.unwrap();
    }
    drop(target);
    assert_eq!(rows(&database, "SELECT id FROM orders ORDER BY 1").await, ["1", "2", "3"]);
    load(&database, &fresh_run("two"), &orders, &["4"]).await;
    assert_eq!(rows(&database, "SELECT id FROM orders ORDER BY 1").await, ["4"]);
}
