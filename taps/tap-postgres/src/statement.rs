//! The text of statements. Every name and value that reaches SQL is quoted here.

/// A name in double quotes, quotes in it doubled.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text in single quotes.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// `COPY` of a query, binary.
pub(crate) fn copy(select: &str) -> String {
    format!("COPY ({select}) TO STDOUT (FORMAT binary)")
}

/// A SELECT of these expressions; conditions are joined by AND.
pub(crate) fn select(
    expressions: &[String],
    from: &str,
    conditions: &[String],
    order: Option<&str>,
) -> String {
    let mut sql = format!("SELECT {} FROM {from}", expressions.join(", "));
    for (at, condition) in conditions.iter().enumerate() {
        // A comment at the end of a condition must not reach beyond it.
        sql.extend([if at == 0 { " WHERE (" } else { " AND (" }, condition, "\n)"]);
    }
    if let Some(order) = order {
        sql.extend([" ORDER BY ", order]);
    }
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_cannot_be_left() {
        assert_eq!(quoted(r#"a"; DROP TABLE t;--"#), r#""a""; DROP TABLE t;--""#);
        assert_eq!(literal("o'clock"), "'o''clock'");
    }

    #[test]
    fn conditions_keep_to_themselves() {
        let conditions = ["a OR b".to_owned(), "c".to_owned()];
        let sql = copy(&select(&["x".to_owned(), "y".to_owned()], "t", &conditions, Some("x")));
        assert_eq!(
            sql,
            "COPY (SELECT x, y FROM t WHERE (a OR b\n) AND (c\n) ORDER BY x) TO STDOUT (FORMAT binary)"
        );
    }
}
