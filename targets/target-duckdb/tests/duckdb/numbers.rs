//! Numbers are never rounded.

use target_api::{Status, Target as _};

use crate::support::{File, records, state, table, write};

#[tokio::test]
async fn a_column_of_doubles_gives_way_to_text_when_a_number_would_be_rounded() {
    let file = File::new();
    let values = table("v: n int64, x numeric, xs numeric[]", &[]);
    file.load(&values, &[r#"1|1.50|["1.0","NaN"]"#, "2|1e21|[]", "3|-Infinity|~", "4|0.1|[null]"]).await;
    assert_eq!(file.ask("SELECT typeof(any_value(x)) || typeof(any_value(xs)) FROM v"), "DOUBLEDOUBLE[]");
    let mut target = file.start(&crate::support::run("two")).await;
    target.open(&values).await.unwrap();
    write(&mut target, &values, &records(&["5|7|~"])).await;
    let long = "0.12345678901234567890";
    write(&mut target, &values, &records(&[&format!(r#"6|{long}|["12345678901234567890"]"#), "7|2.50|~"]))
        .await;
    target.commit(&state("{}")).await.unwrap();
    drop(target);
    assert_eq!(file.ask("SELECT typeof(any_value(x)) || typeof(any_value(xs)) FROM v"), "VARCHARVARCHAR[]");
    let texts = "[1.5, 1000000000000000000000, -Infinity, 0.1, 7, 0.1234567890123456789, 2.5]";
    assert_eq!(file.ask("SELECT list(x ORDER BY n) FROM v"), texts);
    assert_eq!(
        file.ask("SELECT list(xs ORDER BY n) FROM v WHERE xs IS NOT NULL"),
        "[[1, NaN], [], [NULL], [12345678901234567890]]"
    );
}

#[tokio::test]
async fn one_number_is_one_key_whatever_its_digits_and_its_column() {
    for long in ["~", "0.1234567890123456789012"] {
        let file = File::new();
        let values = table("v: x numeric, n int64, y numeric", &["x"]);
        file.load(&values, &["1|1|~", "1.0|2|~", "1e0|3|~", "0.10|4|~", &format!("9|5|{long}")]).await;
        assert_eq!(file.ask("SELECT list(n ORDER BY n) FROM v"), "[3, 4, 5]");
        let keys = table("v: x numeric, n int64", &["x"]);
        file.load(&keys, &["0.1234567890123456789012|6", "01.00|7", ".1|8"]).await;
        assert_eq!(file.ask("SELECT list(x ORDER BY n) FROM v"), "[9, 0.1234567890123456789012, 1, 0.1]");
    }
}

#[tokio::test]
async fn integers_that_no_double_holds_become_text_beside_other_numbers() {
    for (integer, kind) in [("9007199254740991", "DOUBLE"), ("9007199254740993", "VARCHAR")] {
        let file = File::new();
        let (integers, numbers) = (table("v: n int64, x int64", &[]), table("v: n int64, x numeric", &[]));
        // Once in the table, once staged in the same epoch, once after the column has become wider.
        file.load(&integers, &[&format!("1|{integer}")]).await;
        let mut target = file.start(&crate::support::run("two")).await;
        for (schema, record) in [(&integers, "2|5"), (&numbers, "3|0.5"), (&integers, "4|6")] {
            target.open(schema).await.unwrap();
            write(&mut target, schema, &records(&[record])).await;
        }
        target.commit(&state("{}")).await.unwrap();
        drop(target);
        assert_eq!(file.ask("SELECT typeof(any_value(x)) FROM v"), kind);
        let exact = "SELECT list(CAST(CAST(x AS VARCHAR) AS DECIMAL(38,1)) ORDER BY n) FROM v";
        assert_eq!(file.ask(exact), format!("[{integer}.0, 5.0, 0.5, 6.0]"));
        file.load(&integers, &["5|9007199254740995"]).await;
        assert_eq!(file.ask("SELECT CAST(x AS VARCHAR) FROM v WHERE n = 5"), "9007199254740995");
        assert_eq!(file.ask("SELECT typeof(any_value(x)) FROM v"), "VARCHAR");
    }
}

#[tokio::test]
async fn decimals_that_no_double_holds_become_text_beside_other_numbers() {
    let file = File::new();
    let exact = "123456789012345678.12";
    file.load(&table("v: n int64, x numeric(20,2)", &[]), &[&format!("1|{exact}"), "2|1.50"]).await;
    file.load(&table("v: n int64, x numeric(20,4)", &[]), &["3|0.0001"]).await;
    assert_eq!(
        file.ask("SELECT list(CAST(x AS VARCHAR) ORDER BY n) FROM v"),
        format!("[{exact}, 1.5, 0.0001]")
    );
}

#[tokio::test]
async fn a_decimal_by_setting_refuses_what_it_would_round() {
    let file = File::new();
    let values = table("v: n int64, x numeric", &[]);
    let mut target = file.start_with(serde_json::json!({"numbers": "decimal(10,2)"})).await;
    assert_eq!(target.capabilities().limits.numeric_digits, (8, 2));
    target.open(&values).await.unwrap();
    write(&mut target, &values, &records(&["1|1.50", "2|12345678"])).await;
    target.commit(&state("{}")).await.unwrap();
    let batch =
        target_testkit::cells::batch(&values.schema, &[&[Some("3"), Some("1")], &[Some("4"), Some("0.005")]]);
    let error = target.write(&values.schema.stream, batch).await.unwrap_err();
    assert_eq!(error.code, "E0328");
    assert_eq!(error.status, Status::Record { stream: "v".into(), record: 4 });
    assert!(!error.message.contains("0.005") && error.message.contains("DECIMAL(10,2)"), "{error}");
    drop(target);
    assert_eq!(file.ask("SELECT (typeof(any_value(x)), sum(x)) FROM v"), "('DECIMAL(10,2)', 12345679.50)");
}

#[tokio::test]
async fn numbers_are_text_by_setting() {
    let file = File::new();
    let values = table("v: n int64, x numeric, xs numeric[]", &[]);
    let mut target = file.start_with(serde_json::json!({"numbers": "text"})).await;
    target.open(&values).await.unwrap();
    write(&mut target, &values, &records(&[r#"1|1.50|["2.0"]"#])).await;
    target.commit(&state("{}")).await.unwrap();
    drop(target);
    assert_eq!(file.ask("SELECT (typeof(x), x, typeof(xs), xs) FROM v"), "(VARCHAR, 1.5, 'VARCHAR[]', [2])");
}
