//! Records that DuckDB refuses, and values at the edge of what it holds.

use target_api::columns::arrow_array::{
    ArrayRef, Date32Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use target_api::{Status, Target as _};

use crate::support::{File, records, run, state, table, write};

#[tokio::test]
async fn a_refused_record_is_named_by_its_place_and_nothing_is_kept() {
    let file = File::new();
    let (others, values) = (table("others: n int64", &[]), table("v: n int64, j json, t timetz", &["n"]));
    let mut target = file.start(&run("one")).await;
    target.open(&others).await.unwrap();
    target.open(&values).await.unwrap();
    write(&mut target, &values, &records(&["1|{}|12:00:00+00", "2|[]|~"])).await;
    target.commit(&state("{\"first\":1}")).await.unwrap();
    write(&mut target, &others, &records(&["1"])).await;
    write(&mut target, &values, &records(&["3|1|~", "4|{secret|~", "5|2|noon"])).await;
    let error = target.commit(&state("{}")).await.unwrap_err();
    assert_eq!((error.code, &error.status), ("E0328", &Status::Record { stream: "v".into(), record: 4 }));
    assert!(error.message.contains("column `j` holds what is no JSON"), "{error}");
    assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    // The epoch is over: what is written now must not be committed without what was lost.
    let after = target.commit(&state("{}")).await.unwrap_err();
    assert_eq!(after.code, "E0364");
    assert_eq!(target.resume(&run("two")).await.unwrap().as_deref(), Some("{\"first\":1}"));
    drop(target);
    assert_eq!(file.ask("SELECT (SELECT count(*) FROM others) + (SELECT count(*) FROM v)"), "2");
}

#[tokio::test]
async fn a_record_without_key_is_refused() {
    let file = File::new();
    let mut values = table("v: n int64, x text", &["n"]);
    let mut target = file.start(&run("one")).await;
    target.open(&values).await.unwrap();
    values.schema.columns[0].nullable = true;
    let batch = target_testkit::cells::batch(&values.schema, &[&[Some("1"), None], &[None, Some("x")]]);
    target.write(&values.schema.stream, batch).await.unwrap();
    let error = target.commit(&state("{}")).await.unwrap_err();
    assert_eq!(error.status, Status::Record { stream: "v".into(), record: 2 }, "{error}");
}

/// The capabilities tell the truth about the ends of what DuckDB holds.
#[tokio::test]
async fn the_ends_of_the_limits_are_held() {
    let file = File::new();
    let values = table("v: d date, t timestamp, z timestamptz, s text", &[]);
    let mut target = file.start(&run("one")).await;
    let limits = target.capabilities().limits;
    target.open(&values).await.unwrap();
    let instants = vec![limits.instants.0, limits.instants.1];
    let columns: Vec<ArrayRef> = vec![
        std::sync::Arc::new(Date32Array::from(vec![limits.days.0, limits.days.1])),
        std::sync::Arc::new(TimestampMicrosecondArray::from(instants.clone())),
        std::sync::Arc::new(TimestampMicrosecondArray::from(instants).with_timezone("UTC")),
        std::sync::Arc::new(StringArray::from(vec!["a\0b", "\0"])),
    ];
    let batch = RecordBatch::try_new(values.schema.arrow(), columns).unwrap();
    target.write(&values.schema.stream, batch).await.unwrap();
    target.commit(&state("{}")).await.unwrap();
    drop(target);
    let ends = |sql: &str| {
        file.ask(&format!("SELECT ({sql}) FROM v WHERE isfinite(d) AND isfinite(t) AND isfinite(z)"))
    };
    assert_eq!(
        ends("(min(d - DATE '1970-01-01'), max(d - DATE '1970-01-01'))"),
        format!("({}, {})", limits.days.0, limits.days.1)
    );
    let instants = format!("({}, {})", limits.instants.0, limits.instants.1);
    assert_eq!(ends("(min(epoch_us(t)), max(epoch_us(t)))"), instants);
    assert_eq!(ends("(min(epoch_us(z)), max(epoch_us(z)))"), instants);
    assert_eq!(file.ask("SELECT list(hex(s) ORDER BY s) FROM v"), "[00, 610062]");
}
