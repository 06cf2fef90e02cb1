//! Which table, with which columns.

use target_api::{FullRefresh, RunIdentity, Status, StreamName, TableName, Target as _};

use crate::support::{File, records, run, state, table, target, try_write, write};

#[tokio::test]
async fn a_new_key_is_taken_where_the_records_differ_in_it_and_refused_elsewhere() {
    let file = File::new();
    file.load(&table("v: a int64, b int64", &["a"]), &["1|1", "2|2"]).await;
    let wide = table("v: a int64, b int64", &["a", "b"]);
    let mut target = file.start(&run("two")).await;
    let planned = target.plan(&wide).await.unwrap();
    assert_eq!(planned.key.as_ref().map(ToString::to_string).as_deref(), Some("from (a) to (a, b)"));
    assert_eq!(planned, target.open(&wide).await.unwrap());
    write(&mut target, &wide, &records(&["1|1", "1|2"])).await;
    target.commit(&state("{}")).await.unwrap();
    // The order in which a key names its columns is none of its meaning.
    assert_eq!(target.open(&table("v: a int64, b int64", &["b", "a"])).await.unwrap().key, None);
    drop(target);
    assert_eq!(file.ask("SELECT count(*) FROM v"), "3");
    let narrow = table("v: a int64, b int64", &["a"]);
    let mut target = file.start(&run("three")).await;
    let error = target.open(&narrow).await.unwrap_err();
    assert_eq!((error.code, &error.status), ("E0326", &Status::Config));
    assert!(error.message.contains("was (a, b) and is now (a)"), "{error}");
    drop(target);
    assert_eq!(file.ask("SELECT count(*) FROM v"), "3", "nothing was changed");
    let fresh = RunIdentity { full_refresh: FullRefresh::All, ..run("four") };
    file.load_by(&fresh, &narrow, &["1|3"]).await;
    assert_eq!(file.ask("SELECT list((a, b)) FROM v"), "[(1, 3)]");
}

#[tokio::test]
async fn a_key_that_comes_late_must_tell_the_records_apart() {
    let file = File::new();
    let (keyless, keyed) = (table("v: a int64", &[]), table("v: a int64, b int64", &["a"]));
    file.load(&keyless, &["1"]).await;
    // What is staged counts, too: the commit looks again.
    let mut target = file.start(&run("two")).await;
    target.open(&keyless).await.unwrap();
    write(&mut target, &keyless, &records(&["1"])).await;
    target.open(&keyed).await.unwrap();
    assert_eq!(target.commit(&state("{}")).await.unwrap_err().code, "E0326");
    drop(target);
    file.load(&keyless, &["1"]).await;
    let mut target = file.start(&run("three")).await;
    let error = target.open(&keyed).await.unwrap_err();
    assert!(error.code == "E0326" && error.message.contains("was none and is now (a)"), "{error}");
}

#[tokio::test]
async fn a_type_that_no_column_holds_together_with_the_old_one_gets_its_own_and_finds_back() {
    let file = File::new();
    let of = |kind: &str| table(&format!("v: id int64, a {kind}"), &["id"]);
    file.load(&of("json"), &["1|{}", "2|[2]"]).await;
    let mut target = file.start(&run("two")).await;
    let change = target.open(&of("int64")).await.unwrap();
    let note = change.notes.concat();
    assert!(note.contains("`a` stays JSON") && note.contains("`a__2`"), "{note}");
    write(&mut target, &of("int64"), &records(&["2|5"])).await;
    for (kind, record) in [("json", "3|[3]"), ("int64", "4|4")] {
        target.open(&of(kind)).await.unwrap();
        write(&mut target, &of(kind), &records(&[record])).await;
    }
    target.commit(&state("{}")).await.unwrap();
    drop(target);
    let all = "SELECT list((id, a, a__2) ORDER BY id) FROM v";
    assert_eq!(file.ask(all), "[(1, '{}', NULL), (2, NULL, 5), (3, '[3]', NULL), (4, NULL, 4)]");
    let streams = FullRefresh::Streams([StreamName::from("v")].into());
    file.load_by(&RunIdentity { full_refresh: streams, ..run("three") }, &of("bool"), &["5|true"]).await;
    assert_eq!(file.ask("SELECT count(*) FROM v"), "1", "a full refresh starts over");
}

#[tokio::test]
async fn a_key_whose_type_no_column_holds_is_refused() {
    let file = File::new();
    file.load(&table("v: a json, n int64", &["a"]), &["{}|1"]).await;
    let error = file.start(&run("two")).await.open(&table("v: a int64, n int64", &["a"])).await.unwrap_err();
    assert_eq!((error.code, &error.status), ("E0325", &Status::Config));
    assert!(error.message.contains("`a` of main.v has the type JSON"), "{error}");
}

#[tokio::test]
async fn a_table_of_somebody_else_keeps_its_types() {
    let file = File::new();
    file.execute("CREATE TABLE theirs (a BIGINT, x DOUBLE)");
    let mut target = file.start(&run("one")).await;
    let wide = table("theirs: a text, x numeric", &[]);
    let error = target.open(&wide).await.unwrap_err();
    assert!(error.code == "E0325" && error.message.contains("did not make this table"), "{error}");
    let fits = table("theirs: a int64, x numeric", &[]);
    target.open(&fits).await.unwrap();
    write(&mut target, &fits, &records(&["1|0.5"])).await;
    target.commit(&state("{}")).await.unwrap();
    let error = try_write(&mut target, &fits, &records(&["2|0.12345678901234567890"])).await.unwrap_err();
    assert!(error.message.contains("a double would round"), "{error}");
}

#[tokio::test]
async fn two_streams_never_share_a_table_whatever_the_case_of_its_name() {
    let file = File::new();
    let (one, mut other) = (table("one: a int64", &[]), table("other: a int64", &[]));
    other.name = TableName { schema: Some("MAIN".into()), table: "One".into() };
    let mut target = file.start(&run("one")).await;
    target.open(&one).await.unwrap();
    let error = target.open(&other).await.unwrap_err();
    assert_eq!((error.code, &error.status), ("E0323", &Status::Config));
    assert!(error.message.contains("stream `one` of this pipeline"), "{error}");
}

#[tokio::test]
async fn a_stream_that_moves_is_refused_while_a_state_counts_on_its_table() {
    let file = File::new();
    let mut moved = table("v: a int64", &[]);
    file.load(&moved, &["1"]).await;
    moved.name = TableName { schema: Some("elsewhere".into()), table: "w".into() };
    let error = file.start(&run("two")).await.open(&moved).await.unwrap_err();
    assert_eq!(error.code, "E0324");
    assert!(error.message.contains("main.v") && error.message.contains("elsewhere.w"), "{error}");
    let fresh = RunIdentity { full_refresh: FullRefresh::All, ..run("three") };
    file.load_by(&fresh, &moved, &["2"]).await;
    assert_eq!(file.ask("SELECT (SELECT list(a) FROM v, elsewhere.w AS w(b))"), "[1]", "the old one stays");
    assert_eq!(file.ask("SELECT list(a) FROM elsewhere.w"), "[2]");
}

#[tokio::test]
async fn a_table_that_nobody_owns_is_taken_over_as_it_is() {
    let file = File::new();
    file.execute(
        "CREATE TABLE Orders (ID BIGINT, extra VARCHAR); INSERT INTO Orders VALUES (1, 'x'), (2, 'y')",
    );
    file.load(&table("orders: id int64, n int64", &["id"]), &["2|5", "3|6"]).await;
    assert_eq!(
        file.ask("SELECT list((id, extra, n) ORDER BY id) FROM orders"),
        "[(1, x, NULL), (2, y, 5), (3, NULL, 6)]"
    );
    // It was not this pipeline's when the run began, but it is now.
    let fresh = RunIdentity { full_refresh: FullRefresh::All, ..run("two") };
    file.load_by(&fresh, &table("orders: id int64, n int64", &["id"]), &["9|9"]).await;
    assert_eq!(file.ask("SELECT list(id) FROM orders"), "[9]");
}

#[tokio::test]
async fn a_view_and_a_type_that_is_none_of_ours_are_refused() {
    let file = File::new();
    file.execute(
        "CREATE VIEW v AS SELECT 1 AS a; CREATE TABLE t (a STRUCT(b INTEGER)); CREATE TABLE u (a INTEGER)",
    );
    let mut target = file.start(&run("one")).await;
    for (stream, code) in [("v: a int64", "E0327"), ("t: a json", "E0325"), ("u: a int64", "E0325")] {
        assert_eq!(target.open(&table(stream, &[])).await.unwrap_err().code, code, "{stream}");
    }
}

#[tokio::test]
async fn what_somebody_added_to_a_table_is_not_lost_by_making_it_anew() {
    let file = File::new();
    let values = table("v: x numeric", &[]);
    file.load(&values, &["0.5"]).await;
    file.execute("CREATE INDEX found ON v (x)");
    let mut target = file.start(&run("two")).await;
    target.open(&values).await.unwrap();
    write(&mut target, &values, &records(&["0.12345678901234567890"])).await;
    let error = target.commit(&state("{}")).await.unwrap_err();
    assert_eq!(error.code, "E0327");
    assert!(error.message.contains("constraints"), "{error}");
}

#[tokio::test]
async fn instants_become_text_in_utc() {
    let file = File::new();
    file.load(&table("v: n int64, t timestamptz", &["n"]), &["1|2024-03-10 02:30:00"]).await;
    file.load(&table("v: n int64, t text", &["n"]), &["2|x"]).await;
    assert_eq!(file.ask("SELECT list(t ORDER BY n) FROM v"), "['2024-03-10 02:30:00+00', x]");
    assert_eq!(
        file.ask("SELECT is_nullable FROM duckdb_columns() WHERE table_name = 'v' AND column_name = 'n'"),
        "false"
    );
}

#[tokio::test]
async fn a_plan_tells_what_open_would_do_and_refuse() {
    let file = File::new();
    let mut planned = target(&file.path, None);
    let orders = table("shop-orders: id int64, x numeric", &["id"]);
    let change = planned.plan(&orders).await.unwrap();
    assert_eq!((change.place.as_str(), change.created), ("shop.orders", true));
    assert_eq!(change.statements.len(), 2, "{:?}", change.statements);
    assert!(!file.path.exists());
    drop(planned);
    file.load(&orders, &["1|1"]).await;
    let mut planned = target(&file.path, None);
    let wider = table("shop-orders: id int64, x text, y json", &["id"]);
    let change = planned.plan(&wider).await.unwrap();
    assert!(
        !change.created && change.statements.iter().any(|sql| sql.contains("ADD COLUMN \"y\" JSON")),
        "{change:?}"
    );
    let other = RunIdentity { pipeline: "other".into(), ..run("two") };
    assert_eq!(planned.stored_state(&other).await.unwrap(), None);
    assert_eq!(planned.plan(&wider).await.unwrap_err().code, "E0323");
    drop(planned);
    assert_eq!(file.ask("SELECT typeof(x) FROM shop.orders"), "DOUBLE");
}

#[tokio::test]
async fn a_plan_for_a_file_that_is_not_there_says_what_open_does() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["shop.duckdb", "a.b.duckdb", "temp.duckdb", "system", "main.db", "Ünï 1.duckdb"] {
        let path = folder.path().join(name);
        let orders = table("shop-orders: id int64, x numeric", &["id"]);
        let planned = target(&path, None).plan(&orders).await.unwrap();
        let mut opened = target(&path, None);
        opened.resume(&run("one")).await.unwrap();
        assert_eq!(planned, opened.open(&orders).await.unwrap(), "{name}");
    }
}

/// DuckDB calls the file by its name, so that `shop.orders` could be a table of the file `shop.duckdb`.
#[tokio::test]
async fn a_schema_may_be_called_like_the_file_or_like_duckdbs_own() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["shop", "main", "temp"] {
        let path = folder.path().join(format!("{name}.duckdb"));
        let tables = ["shop-orders", "main-orders", "temp-orders", "orders2"]
            .map(|stream| table(&format!("{stream}: id int64, x numeric"), &["id"]));
        for x in ["1", "0.12345678901234567890"] {
            let mut target = target(&path, None);
            target.resume(&run("one")).await.unwrap();
            for table in &tables {
                target.open(table).await.unwrap();
                write(&mut target, table, &[format!("1|{x}")]).await;
            }
            target.commit(&state("{}")).await.unwrap();
        }
        let sql = "SELECT count(*) FROM duckdb_columns() WHERE column_name = 'x' AND data_type = 'VARCHAR'";
        assert_eq!(crate::support::ask(&path, sql), "4", "{name}");
    }
}
