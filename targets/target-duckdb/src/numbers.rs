//! Numbers without bounds: one text for each value, and whether a double keeps it.
//!
//! DuckDB has no unbounded decimal. Such a column is DOUBLE while the shortest text of every double in it is the
//! text that came, and VARCHAR from the first number on for which that is not so: nothing is ever rounded.

use std::borrow::Cow;

/// Most digits before and behind the point: what Postgres' numeric holds, so that both targets agree.
pub(crate) const DIGITS: (usize, usize) = (131_072, 16_383);

/// The one text of a number's value: digits without exponent, leading or trailing zeros; `NaN`, `Infinity` and
/// `-Infinity`. `None` for what is no number, or has more than [`DIGITS`].
pub(crate) fn canonical(text: &str) -> Option<Cow<'_, str>> {
    if is_canonical(text) {
        return Some(Cow::Borrowed(text));
    }
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    match unsigned.to_ascii_lowercase().as_str() {
        "nan" => return Some("NaN".into()),
        "inf" | "infinity" => return Some(if negative { "-Infinity" } else { "Infinity" }.into()),
        _ => {}
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let point = i64::try_from(whole.len()).ok()?.checked_add(exponent)?;
    plain(negative, &digits, point).map(Cow::Owned)
}

/// Writes `0.digits × 10^point` without exponent.
fn plain(negative: bool, digits: &str, point: i64) -> Option<String> {
    let significant = digits.trim_start_matches('0');
    let point = point - i64::try_from(digits.len() - significant.len()).ok()?;
    let significant = significant.trim_end_matches('0');
    if significant.is_empty() {
        return Some("0".to_owned());
    }
    let length = i64::try_from(significant.len()).ok()?;
    let before = usize::try_from(point.max(0)).ok()?;
    let behind = usize::try_from((length - point).max(0)).ok()?;
    if before > DIGITS.0 || behind > DIGITS.1 {
        return None;
    }
    let sign = if negative { "-" } else { "" };
    Some(if point <= 0 {
        format!("{sign}0.{significant:0>behind$}")
    } else if before >= significant.len() {
        format!("{sign}{significant:0<before$}")
    } else {
        let (whole, fraction) = significant.split_at(before);
        format!("{sign}{whole}.{fraction}")
    })
}

fn is_canonical(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (unsigned, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole)
        && whole.len() <= DIGITS.0
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(|text| digits(text) && text.len() <= DIGITS.1 && !text.ends_with('0'))
        && text != "-0"
}

/// Whether the shortest text of the nearest double is this canonical text.
pub(crate) fn survives_double(canonical: &str) -> bool {
    // Every decimal of up to 15 digits comes back from its double.
    if canonical.len() <= 15 || canonical == "-Infinity" {
        return true;
    }
    // No double's shortest text is longer, and parsing a very long one is not free.
    canonical.len() <= 400 && canonical.parse().is_ok_and(|double: f64| double.to_string() == canonical)
}

/// Whether a canonical text is exactly a `DECIMAL(precision, scale)`.
pub(crate) fn fits_decimal(canonical: &str, precision: u8, scale: u8) -> bool {
    let unsigned = canonical.trim_start_matches('-');
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let whole = whole.trim_start_matches('0');
    whole.bytes().all(|byte| byte.is_ascii_digit())
        && fraction.len() <= usize::from(scale)
        && whole.len() <= usize::from(precision.saturating_sub(scale))
}

/// SQL that gives the canonical text of a double, the same that [`canonical`] gives for its shortest text.
pub(crate) fn double_to_text(double: &str) -> String {
    let text = format!("CAST(abs({double}) AS VARCHAR)");
    let digits = format!("replace(split_part({text}, 'e', 1), '.', '')");
    let exponent = format!("CAST(split_part({text}, 'e', 2) AS INTEGER)");
    format!(
        "CASE WHEN {double} IS NULL THEN NULL WHEN isnan({double}) THEN 'NaN' WHEN {double} = 0 THEN '0' \
         ELSE CASE WHEN {double} < 0 THEN '-' ELSE '' END || CASE WHEN isinf({double}) THEN 'Infinity' \
         WHEN contains({text}, 'e-') THEN '0.' || repeat('0', -{exponent} - 1) || {digits} \
         WHEN contains({text}, 'e') THEN rpad({digits}, {exponent} + 1, '0') \
         ELSE regexp_replace({text}, '\\.0$', '') END END"
    )
}

/// SQL that gives the canonical text of an exact decimal with that many digits behind the point.
pub(crate) fn decimal_to_text(decimal: &str, scale: u8) -> String {
    let text = format!("CAST({decimal} AS VARCHAR)");
    if scale == 0 {
        return text;
    }
    // DuckDB writes no zero before the point where all digits are behind it.
    format!("rtrim(rtrim(regexp_replace({text}, '^(-?)\\.', '\\10.'), '0'), '.')")
}

#[cfg(test)]
mod tests {
    use super::{canonical, decimal_to_text, double_to_text, fits_decimal, survives_double};
    use proptest::prelude::*;
    use proptest::strategy::ValueTree as _;

    #[test]
    fn one_text_a_value() {
        for (text, expected) in [
            ("1", "1"),
            ("1.0", "1"),
            ("+01.50", "1.5"),
            ("-0.0", "0"),
            ("-0", "0"),
            ("1e3", "1000"),
            ("12.5E-3", "0.0125"),
            (".5", "0.5"),
            ("5.", "5"),
            ("12345678901234567890123", "12345678901234567890123"),
            ("nan", "NaN"),
            ("-inf", "-Infinity"),
            ("100", "100"),
        ] {
            assert_eq!(canonical(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "-", "e5", "1e", "abc", "1.2.3", "1e999999999999", "1e200000", "1e-20000", "０"] {
            assert_eq!(canonical(text), None, "{text}");
        }
    }

    #[test]
    fn doubles_keep_what_they_keep() {
        for text in
            ["0.1", "9007199254740991", "0.30000000000000004", "NaN", "-Infinity", "1000000000000000000000"]
        {
            assert!(survives_double(text), "{text}");
        }
        for text in ["9007199254740993", "0.1234567890123456789", "12345678901234567890"] {
            assert!(!survives_double(text), "{text}");
        }
        assert!(!survives_double(&"9".repeat(400)) && !survives_double(&"9".repeat(4000)));
    }

    #[test]
    fn decimals_fit_without_rounding() {
        assert!(fits_decimal("123.45", 5, 2) && fits_decimal("0.01", 2, 2) && fits_decimal("-1", 1, 0));
        assert!(!fits_decimal("1234", 5, 2) && !fits_decimal("0.001", 5, 2) && !fits_decimal("NaN", 5, 2));
    }

    proptest! {
        #[test]
        fn canonical_text_keeps_the_double(number in any::<f64>().prop_filter("finite", |n| n.is_finite())) {
            let scientific = format!("{number:e}");
            let text = canonical(&scientific).unwrap();
            prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), (number + 0.0).to_bits());
            prop_assert!(survives_double(&text));
            prop_assert_eq!(&canonical(&text).unwrap(), &text);
        }
    }

    /// DuckDB itself is the oracle: its text of a double, made canonical by SQL, is the text that Rust makes.
    #[test]
    fn sql_and_rust_write_the_same_text() {
        let connection = duckdb::Connection::open_in_memory().unwrap();
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        let sql = format!("SELECT {} FROM (SELECT CAST(? AS DOUBLE) AS x)", double_to_text("x"));
        let mut statement = connection.prepare(&sql).unwrap();
        let edges = [0.0, -0.0, 1e15, 1e16, 1e17, 123e-7, 1e-4, 1e-5, 5e-324, f64::MAX, 0.1, -2.5];
        let special = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        let random =
            (0..3000).map(|_| any::<f64>().new_tree(&mut runner).map(|tree| tree.current()).unwrap());
        for number in edges.into_iter().chain(special).chain(random.collect::<Vec<_>>()) {
            let text: String = statement.query_row([number], |row| row.get(0)).unwrap();
            assert_eq!(text, canonical(&number.to_string()).unwrap(), "{number:e}");
        }
        let sql = format!("SELECT {}", decimal_to_text("CAST('-12.500' AS DECIMAL(9,3))", 3));
        assert_eq!(connection.query_row(&sql, [], |row| row.get::<_, String>(0)).unwrap(), "-12.5");
        let sql = format!("SELECT {}", decimal_to_text("CAST('-0.25' AS DECIMAL(3,3))", 3));
        assert_eq!(connection.query_row(&sql, [], |row| row.get::<_, String>(0)).unwrap(), "-0.25");
    }
}
