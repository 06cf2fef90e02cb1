//! Tables that several pipelines load into.

use target_api::{FullRefresh, LoadMethod, RunIdentity, Status, Table};

use super::scene::{Scene, Session, run, table};

fn shared(words: &str, key: &[&str]) -> Table {
    Table { shared: true, ..table(words, key) }
}

/// A run of another pipeline.
fn other(id: &str) -> RunIdentity {
    RunIdentity { pipeline: "other".to_owned(), ..run(id) }
}

async fn load(scene: &Scene<'_>, run: &RunIdentity, table: &Table, records: &[&str]) {
    let mut session = scene.start(run).await;
    session.open(table).await;
    session.write(table, records).await;
    session.commit(Some("{}")).await;
}

async fn assert_refused(session: &mut Session, table: &Table) {
    let refused = session.target.open(table).await.expect_err("it must be refused");
    assert_eq!(refused.status, Status::Config, "{refused}");
}

pub(crate) async fn pipelines_share_a_table_where_each_says_so(scene: &Scene<'_>) {
    let keyless = shared("events: seq int64", &[]);
    load(scene, &run("one"), &keyless, &["1"]).await;
    load(scene, &other("two"), &keyless, &["2"]).await;
    load(scene, &run("three"), &keyless, &["3"]).await;
    assert_eq!(scene.records(&keyless).await, ["1", "2", "3"]);
    let (plain, wider) =
        (shared("orders: id int64", &["id"]), shared("orders: id int64, name text", &["id"]));
    load(scene, &run("four"), &plain, &["1", "2"]).await;
    load(scene, &other("five"), &wider, &["2|b", "3|c"]).await;
    load(scene, &run("six"), &plain, &["3", "4"]).await;
    assert_eq!(scene.records(&wider).await, ["1|~", "2|b", "3|c", "4|~"], "each brings its own columns");
}

pub(crate) async fn a_table_is_shared_by_those_alone_that_say_so(scene: &Scene<'_>) {
    let (own, both) = (table("orders: id int64", &["id"]), shared("orders: id int64", &["id"]));
    load(scene, &run("one"), &own, &["1"]).await;
    assert_refused(&mut scene.start(&other("two")).await, &both).await;
    load(scene, &run("three"), &both, &["2"]).await;
    assert_refused(&mut scene.start(&other("four")).await, &own).await;
    load(scene, &other("five"), &both, &["3"]).await;
    assert_eq!(scene.records(&both).await, ["1", "2", "3"]);
}

pub(crate) async fn nobody_empties_a_shared_table(scene: &Scene<'_>) {
    let both = shared("orders: id int64", &["id"]);
    load(scene, &run("one"), &both, &["1"]).await;
    load(scene, &other("two"), &both, &["2"]).await;
    let overwrite = Table { load_method: LoadMethod::Overwrite, ..both.clone() };
    assert_refused(&mut scene.start(&run("three")).await, &overwrite).await;
    let fresh = RunIdentity { full_refresh: FullRefresh::All, ..run("four") };
    assert_refused(&mut scene.start(&fresh).await, &both).await;
    // A refresh that does not meet the table leaves it, too.
    load(scene, &fresh, &table("events: seq int64", &[]), &["1"]).await;
    assert_eq!(scene.records(&both).await, ["1", "2"]);
}
