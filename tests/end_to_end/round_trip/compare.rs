//! Whether a copy has what the source has.

use std::fmt::Write as _;

use tests::warehouse::{Rows, Warehouse};

use super::Column;

/// The two ways into PostgreSQL, each with a schema of its name.
const WAYS: [&str; 2] = ["columns", "records"];

/// Compares every cell with its copy, where both have the same type by the type's own equality, too; a join by the key
/// that loses no row of either side is EXCEPT in both directions, and names the column.
pub(super) fn in_postgres(warehouse: &Warehouse, columns: &[Column]) -> Result<(), String> {
    let [by_columns, by_records] = WAYS.map(|schema| {
        warehouse.rows(&format!(
            "SELECT column_name, data_type, udt_name, is_nullable, numeric_precision, numeric_scale, character_maximum_length \
             FROM information_schema.columns WHERE table_schema = '{schema}' AND table_name = 't' ORDER BY ordinal_position"
        ))
    });
    if by_columns != by_records {
        return Err(format!("the tables differ: by columns {by_columns:?}, by records {by_records:?}"));
    }
    for schema in WAYS {
        let types = warehouse.rows(&format!(
            "SELECT format_type(c.atttypid, c.atttypmod), format_type(s.atttypid, s.atttypmod), \
               EXISTS (SELECT FROM pg_operator WHERE oprname = '=' AND oprleft = s.atttypid AND s.atttypid = c.atttypid) \
               OR (s.atttypid = c.atttypid AND s.attndims > 0) \
             FROM pg_attribute s LEFT JOIN pg_attribute c ON c.attname = s.attname AND c.attrelid = '{schema}.t'::regclass \
             WHERE s.attrelid = 'shop.t'::regclass AND s.attnum > 1 ORDER BY s.attnum"
        ));
        let mut differences = String::new();
        for ((at, column), types) in columns.iter().enumerate().zip(&types) {
            let [copied, declared, same] = &types[..] else { unreachable!("three were asked for") };
            let expected = column.kind.copy.to_owned() + if column.depth > 0 { "[]" } else { "" };
            if copied.as_deref() != Some(&expected) && !is_widened(&expected, copied.as_deref()) {
                return Err(format!(
                    "c{at} is {declared:?}, and {copied:?} in {schema} instead of {expected}"
                ));
            }
            let (source, copy) = words(column, &format!("s.c{at}"), &format!("c.c{at}"));
            let mut differs = format!("{source} IS DISTINCT FROM {copy}");
            // Equality of jsonb is that of its words, and of one column with another alike.
            if same.as_deref() == Some("t") {
                let _ = write!(differs, " OR s.c{at} IS DISTINCT FROM c.c{at}");
            }
            let _ = write!(
                differences,
                ", CASE WHEN {differs} THEN concat('c{at}: ', {source}, ' became ', {copy}) END"
            );
        }
        let sql = format!(
            "SELECT found FROM (SELECT concat_ws(E'\\n', CASE WHEN s.id IS DISTINCT FROM c.id THEN 'a row' END{differences}) AS found \
             FROM shop.t s FULL JOIN {schema}.t c ON s.id = c.id) f WHERE found <> ''"
        );
        let found = warehouse.rows(&sql);
        if !found.is_empty() {
            return Err(format!("in {schema}: {found:?}"));
        }
    }
    Ok(())
}

/// A value that its bounds do not hold makes a numeric one without.
fn is_widened(expected: &str, copied: Option<&str>) -> bool {
    expected.starts_with("numeric(")
        && copied == Some(if expected.ends_with("[]") { "numeric[]" } else { "numeric" })
}

/// What PostgreSQL says of a cell, and of its copy.
fn words(column: &Column, source: &str, copy: &str) -> (String, String) {
    let lists = "[]".repeat(usize::from(column.depth > 0));
    let source = match column.kind.sql {
        "real" => format!("{source}::float8{lists}::text"),
        "json" => format!("{source}::jsonb{lists}::text"),
        // The cast to text drops the blanks behind it, which the value has.
        "char(5)" if column.depth == 0 => {
            format!("CASE WHEN {source} IS NOT NULL THEN format('%s', {source}) END")
        }
        "char(5)" => format!("{source}::text"),
        // An array as a whole has other words than its items: `t` for true, no mask behind an address.
        _ => format!("{source}::text{lists}::text"),
    };
    let copy = match (column.kind.sql, column.kind.copy) {
        ("boolean", _) => format!("{copy}::text{lists}::text"),
        _ => format!("{copy}::text"),
    };
    (source, copy)
}

/// Compares with a copy in DuckDB, by words that both have.
pub(super) fn in_duckdb(source: &Warehouse, copy: &Warehouse, columns: &[Column]) -> Result<(), String> {
    let types = copy.rows(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name = 'duckdb' AND table_name = 't'",
    );
    for (at, column) in columns.iter().enumerate() {
        let name = format!("c{at}");
        let found = types.iter().find(|row| row[0].as_deref() == Some(&name));
        let Some(data_type) = found.and_then(|row| row[1].as_deref()) else {
            return Err(format!("{name} is not in DuckDB: {types:?}"));
        };
        let (item, expected) = (data_type.trim_end_matches("[]"), duckdb_types(column.kind.copy));
        if !expected.contains(&item) || data_type.len() - item.len() != 2 * column.depth {
            return Err(format!("{name} is {data_type} in DuckDB instead of {expected:?}"));
        }
        let (one, other) = if column.depth == 0 {
            (
                source.rows(&format!("SELECT id, {} FROM shop.t ORDER BY id", source_words(column, &name))),
                copy.rows(&format!("SELECT id, {} FROM duckdb.t ORDER BY id", duckdb_words(item, &name))),
            )
        } else {
            lists(source, copy, column, &name, item)
        };
        let (one, other) =
            (canonical(one, column.kind.copy, None), canonical(other, column.kind.copy, Some(item)));
        if let Some(at) = (0..one.len().max(other.len())).find(|at| one.get(*at) != other.get(*at)) {
            return Err(format!(
                "{name}, {data_type} in DuckDB: {:?} became {:?}",
                one.get(at),
                other.get(at)
            ));
        }
    }
    Ok(())
}

/// Lengths of the lists, and all items in their order.
fn lists(source: &Warehouse, copy: &Warehouse, column: &Column, name: &str, item: &str) -> (Rows, Rows) {
    let inner = if column.depth > 1 { format!(", array_length({name}, 2)") } else { String::new() };
    let mut one = source.rows(&format!(
        "SELECT id, cardinality({name}), array_length({name}, 1){inner} FROM shop.t ORDER BY id"
    ));
    one.extend(source.rows(&format!(
        "SELECT id, {} FROM shop.t, unnest({name}) WITH ORDINALITY AS u (item, n) ORDER BY id, n",
        source_words(column, "item")
    )));
    let (flat, inner) = if column.depth > 1 {
        (format!("flatten({name})"), format!(", len({name}[1])"))
    } else {
        (name.to_owned(), String::new())
    };
    let mut other = copy
        .rows(&format!("SELECT id, len({flat}), nullif(len({name}), 0){inner} FROM duckdb.t ORDER BY id"));
    other.extend(copy.rows(&format!(
        "SELECT id, {} FROM (SELECT id, unnest({name}, recursive := true) AS item FROM duckdb.t ORDER BY id)",
        duckdb_words(item, "item")
    )));
    (one, other)
}

/// What a type of the copy in PostgreSQL may be in DuckDB.
fn duckdb_types(copy: &str) -> Vec<&str> {
    match copy {
        "boolean" => vec!["BOOLEAN"],
        "bigint" => vec!["BIGINT"],
        "double precision" => vec!["DOUBLE"],
        "numeric" => vec!["DOUBLE", "VARCHAR"],
        "numeric(14,2)" => vec!["DECIMAL(14,2)", "DOUBLE", "VARCHAR"],
        "numeric(38,8)" => vec!["DECIMAL(38,8)"],
        "numeric(38,0)" => vec!["DECIMAL(38,0)"],
        "numeric(9,2)" => vec!["DECIMAL(9,2)"],
        "jsonb" => vec!["JSON"],
        "date" => vec!["DATE"],
        "time without time zone" => vec!["TIME"],
        "time with time zone" => vec!["TIME WITH TIME ZONE"],
        "timestamp without time zone" => vec!["TIMESTAMP"],
        "timestamp with time zone" => vec!["TIMESTAMP WITH TIME ZONE"],
        "uuid" => vec!["UUID"],
        "bytea" => vec!["BLOB"],
        _ => vec!["VARCHAR"],
    }
}

fn source_words(column: &Column, name: &str) -> String {
    match column.kind.sql {
        "real" => format!("{name}::float8::text"),
        "char(5)" => format!("CASE WHEN {name} IS NOT NULL THEN format('%s', {name}) END"),
        "json" => format!("translate(btrim({name}::text, E' \\t\\r\\n'), E'\\r\\n', '  ')"),
        "bytea" => format!("encode({name}, 'hex')"),
        _ => format!("{name}::text"),
    }
}

fn duckdb_words(item: &str, name: &str) -> String {
    match item {
        "BLOB" => format!("lower(hex({name}))"),
        // Else an era stands in the middle.
        "DATE" | "TIMESTAMP" | "TIMESTAMP WITH TIME ZONE" => {
            format!(
                "replace({name}::VARCHAR, ' (BC)', '') || CASE WHEN contains({name}::VARCHAR, '(BC)') THEN ' BC' ELSE '' END"
            )
        }
        _ => name.to_owned(),
    }
}

/// Numbers without what their warehouse adds. The digits of PostgreSQL are never those of a double: one that lost some
/// must be seen.
fn canonical(rows: Rows, copied: &str, item: Option<&str>) -> Rows {
    let is_double = item.map_or(copied == "double precision", |item| item == "DOUBLE");
    let cell = |text: String| {
        if let Some(number) = text.parse::<f64>().ok().filter(|_| is_double) {
            return match number {
                f64::INFINITY => "Infinity".to_owned(),
                f64::NEG_INFINITY => "-Infinity".to_owned(),
                // DuckDB stores a run of equal values as its first, and zeros are equal whatever their sign.
                0.0 => "0".to_owned(),
                _ => number.to_string(),
            };
        }
        if copied.starts_with("numeric") && text.contains('.') {
            return text.trim_end_matches('0').trim_end_matches('.').to_owned();
        }
        text
    };
    rows.into_iter().map(|row| row.into_iter().map(|found| found.map(cell)).collect()).collect()
}
