//! Between our column types and DuckDB's.

use target_api::ColumnType;
use target_api::sql::quoted;

use crate::numbers;

/// DuckDB's type for values of ours, in a table. An unbounded numeric begins as DOUBLE.
pub(crate) fn duckdb_type(column_type: &ColumnType) -> String {
    match column_type {
        ColumnType::Bool => "BOOLEAN".to_owned(),
        ColumnType::Int64 => "BIGINT".to_owned(),
        ColumnType::Numeric { precision, scale } => format!("DECIMAL({precision},{scale})"),
        ColumnType::UnboundedNumeric | ColumnType::Float64 => "DOUBLE".to_owned(),
        // DuckDB reads only some of the texts that Postgres writes for intervals.
        ColumnType::Text | ColumnType::Interval => "VARCHAR".to_owned(),
        ColumnType::Date => "DATE".to_owned(),
        ColumnType::Time => "TIME".to_owned(),
        ColumnType::TimeTz => "TIME WITH TIME ZONE".to_owned(),
        ColumnType::Timestamp => "TIMESTAMP".to_owned(),
        ColumnType::TimestampTz => "TIMESTAMP WITH TIME ZONE".to_owned(),
        ColumnType::Uuid => "UUID".to_owned(),
        ColumnType::Json => "JSON".to_owned(),
        ColumnType::Binary => "BLOB".to_owned(),
        ColumnType::Array(item) => format!("{}[]", duckdb_type(item)),
    }
}

/// DuckDB's type for values as they are staged: those that Arrow carries as text stay text.
pub(crate) fn staged_type(column_type: &ColumnType) -> String {
    match column_type {
        ColumnType::UnboundedNumeric | ColumnType::TimeTz | ColumnType::Json => "VARCHAR".to_owned(),
        ColumnType::Array(item) => format!("{}[]", staged_type(item)),
        other => duckdb_type(other),
    }
}

/// Our type for one that DuckDB names; DOUBLE is [`ColumnType::UnboundedNumeric`]. `None` when it is none of ours.
pub(crate) fn column_type(written: &str) -> Option<ColumnType> {
    if let Some(item) = written.strip_suffix("[]") {
        return column_type(item).map(|item| ColumnType::Array(Box::new(item)));
    }
    Some(match written {
        "BOOLEAN" => ColumnType::Bool,
        "BIGINT" => ColumnType::Int64,
        "DOUBLE" => ColumnType::UnboundedNumeric,
        "VARCHAR" => ColumnType::Text,
        "DATE" => ColumnType::Date,
        "TIME" => ColumnType::Time,
        "TIME WITH TIME ZONE" => ColumnType::TimeTz,
        "TIMESTAMP" => ColumnType::Timestamp,
        "TIMESTAMP WITH TIME ZONE" => ColumnType::TimestampTz,
        "UUID" => ColumnType::Uuid,
        "JSON" => ColumnType::Json,
        "BLOB" => ColumnType::Binary,
        decimal => decimal.strip_prefix("DECIMAL").and_then(|rest| format!("numeric{rest}").parse().ok())?,
    })
}

/// Whether a column of the one type holds the other's values as they are. A list of unbounded numbers may already
/// have become a list of texts.
pub(crate) fn same(wanted: &ColumnType, actual: &ColumnType) -> bool {
    match (wanted, actual) {
        (ColumnType::Array(wanted), ColumnType::Array(actual)) => {
            same(wanted, actual) || (**wanted == ColumnType::UnboundedNumeric && **actual == ColumnType::Text)
        }
        _ => duckdb_type(wanted) == duckdb_type(actual),
    }
}

/// The type of the values in a list, or the type itself.
pub(crate) fn leaf(column_type: &ColumnType) -> &ColumnType {
    match column_type {
        ColumnType::Array(item) => leaf(item),
        other => other,
    }
}

/// The same with text in place of numbers, in lists too.
pub(crate) fn as_text(column_type: &ColumnType) -> ColumnType {
    match column_type {
        ColumnType::Array(item) => ColumnType::Array(Box::new(as_text(item))),
        _ => ColumnType::Text,
    }
}

/// SQL that makes a value of a table's column of what stands in a column of type `from` in a table.
pub(crate) fn widened(name: &str, from: &ColumnType, to: &ColumnType) -> String {
    converted(&quoted(name), from, to, 0)
}

/// Whether [`widened`] is a cast that gives the same whatever the session's settings are.
pub(crate) fn is_cast_alone(from: &ColumnType, to: &ColumnType) -> bool {
    let written = match leaf(from) {
        ColumnType::UnboundedNumeric | ColumnType::Float64 | ColumnType::TimestampTz => false,
        ColumnType::Numeric { scale, .. } => *scale == 0,
        _ => true,
    };
    written || duckdb_type(leaf(to)) != "VARCHAR"
}

/// SQL that makes a value of a table's column of `value`, which is staged.
pub(crate) fn unstaged(value: &str, from: &ColumnType, to: &ColumnType) -> String {
    let staged_as_text = leaf(from) == &ColumnType::UnboundedNumeric;
    // Canonical text, whatever becomes of it, is converted by DuckDB's own correctly rounding parser.
    let from = if staged_as_text { &as_text(from) } else { from };
    if staged_type(from) == duckdb_type(to) {
        return value.to_owned();
    }
    converted(value, from, to, 0)
}

/// `depth` counts the lists around, so that inner parameters do not hide outer ones.
fn converted(value: &str, from: &ColumnType, to: &ColumnType, depth: usize) -> String {
    match (from, to) {
        (ColumnType::Array(from), ColumnType::Array(to)) if needs_more_than_cast(from, to) => {
            let item = format!("item{depth}");
            let body = converted(&item, from, to, depth + 1);
            format!("list_transform({value}, lambda {item}: {body})")
        }
        (ColumnType::UnboundedNumeric | ColumnType::Float64, ColumnType::Text) => {
            numbers::double_to_text(value)
        }
        (ColumnType::Numeric { scale, .. }, ColumnType::Text) => numbers::decimal_to_text(value, *scale),
        // DuckDB divides by a power of ten, which rounds twice; its parser of text rounds once.
        (ColumnType::Numeric { .. }, ColumnType::UnboundedNumeric | ColumnType::Float64) => {
            format!("CAST(CAST({value} AS VARCHAR) AS DOUBLE)")
        }
        _ => format!("CAST({value} AS {})", duckdb_type(to)),
    }
}

fn needs_more_than_cast(from: &ColumnType, to: &ColumnType) -> bool {
    let number =
        matches!(leaf(from), ColumnType::UnboundedNumeric | ColumnType::Float64 | ColumnType::Numeric { .. });
    number && !same(from, to)
}

#[cfg(test)]
mod tests {
    use super::{column_type, duckdb_type, same, staged_type, unstaged, widened};
    use target_api::ColumnType;

    fn of(name: &str) -> ColumnType {
        name.parse().unwrap()
    }

    #[test]
    fn duckdb_writes_its_types_as_we_do() {
        let connection = duckdb::Connection::open_in_memory().unwrap();
        for name in [
            "bool",
            "int64",
            "numeric(5,2)",
            "numeric",
            "text",
            "date",
            "time",
            "timetz",
            "timestamp",
            "timestamptz",
            "uuid",
            "json",
            "binary",
            "int64[]",
            "numeric(38,10)[][]",
            "json[]",
        ] {
            let written: String = connection
                .query_row(&format!("SELECT typeof(CAST(NULL AS {}))", duckdb_type(&of(name))), [], |r| {
                    r.get(0)
                })
                .unwrap();
            assert_eq!(written, duckdb_type(&of(name)));
            assert_eq!(column_type(&written), Some(of(name)));
        }
        assert_eq!(column_type("INTEGER"), None);
        assert_eq!(column_type("STRUCT(a INTEGER)"), None);
    }

    #[test]
    fn sameness_is_the_warehouses() {
        assert!(same(&of("float64"), &of("numeric")) && same(&of("interval"), &of("text")));
        assert!(same(&of("numeric[]"), &of("text[]")) && !same(&of("text[]"), &of("numeric[]")));
        assert!(!same(&of("numeric"), &of("text")), "widening is not sameness");
        assert_eq!(staged_type(&of("json[]")), "VARCHAR[]");
    }

    #[test]
    fn conversions_are_exact() {
        let connection = duckdb::Connection::open_in_memory().unwrap();
        let one = |value: &str, from: &str, to: &str| -> String {
            let sql = format!(
                "SELECT CAST({} AS VARCHAR) FROM (SELECT {value} AS x)",
                widened("x", &of(from), &of(to))
            );
            connection.query_row(&sql, [], |row| row.get(0)).unwrap()
        };
        assert_eq!(
            one("[1e21, NULL, 0.5]::DOUBLE[]", "numeric[]", "text[]"),
            "[1000000000000000000000, NULL, 0.5]"
        );
        assert_eq!(one("[[1.50]]::DECIMAL(5,2)[][]", "numeric(5,2)[][]", "text[][]"), "[[1.5]]");
        assert_eq!(
            one("0.123456789012345678::DECIMAL(18,18)", "numeric(18,18)", "numeric"),
            "0.12345678901234568"
        );
        assert_eq!(one("DATE '2020-02-29'", "date", "timestamp"), "2020-02-29 00:00:00");
        assert_eq!(unstaged("x", &of("numeric"), &of("text")), "x");
        assert_eq!(unstaged("x", &of("numeric"), &of("numeric")), "CAST(x AS DOUBLE)");
        assert_eq!(unstaged("x", &of("text"), &of("text")), "x");
    }
}
