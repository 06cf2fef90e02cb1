//! The types of columns: as they are declared, as a SCHEMA says them, and what is made of a field.

use std::str::FromStr;

use singer::Json;

use crate::value::Kinds;

/// What a field becomes in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conversion {
    /// A JSON number without a point.
    Integer,
    /// A JSON number with the digits of the field.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A string `2024-02-29`.
    Date,
    /// A string, date and time.
    Timestamp,
    /// A string.
    Text,
    /// Nothing: every text so far was null.
    Unknown,
}

/// The type of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ColumnType {
    pub(crate) conversion: Conversion,
    /// `x-tapster-type`, where JSON Schema has no word for it.
    pub(crate) exact: Option<String>,
}

impl ColumnType {
    pub(crate) fn plain(conversion: Conversion) -> Self {
        Self { conversion, exact: None }
    }

    fn exactly(conversion: Conversion, name: &str) -> Self {
        Self { conversion, exact: Some(name.to_owned()) }
    }

    /// The narrowest type of a column whose texts all belong to these kinds.
    pub(crate) fn of(kinds: Kinds) -> Self {
        if kinds.has(Kinds::INT64) {
            Self::plain(Conversion::Integer)
        } else if kinds.has(Kinds::INTEGER) {
            Self::exactly(Conversion::Integer, "numeric")
        } else if kinds.has(Kinds::NUMBER) {
            Self::plain(Conversion::Number)
        } else if kinds.has(Kinds::BOOLEAN) {
            Self::plain(Conversion::Boolean)
        } else if kinds.has(Kinds::DATE) {
            Self::plain(Conversion::Date)
        } else if kinds.has(Kinds::ZONED) {
            Self::plain(Conversion::Timestamp)
        } else if kinds.has(Kinds::LOCAL) {
            // Without an offset nobody knows which instant it is.
            Self::exactly(Conversion::Timestamp, "timestamp")
        } else {
            Self::plain(Conversion::Text)
        }
    }

    /// The property's schema.
    pub(crate) fn schema(&self, nullable: bool) -> String {
        let (name, format) = match self.conversion {
            Conversion::Integer => ("integer", ""),
            Conversion::Number => ("number", ""),
            Conversion::Boolean => ("boolean", ""),
            Conversion::Date => ("string", r#","format":"date""#),
            Conversion::Timestamp => ("string", r#","format":"date-time""#),
            Conversion::Text => ("string", ""),
            Conversion::Unknown => return r#"{"type":["null"]}"#.to_owned(),
        };
        let null = if nullable { r#""null","# } else { "" };
        let exact = match &self.exact {
            Some(name) => format!(r#","x-tapster-type":"{name}""#),
            None => String::new(),
        };
        format!(r#"{{"type":[{null}"{name}"]{format}{exact}}}"#)
    }
}

impl FromStr for ColumnType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        use Conversion::{Boolean, Date, Integer, Number, Text, Timestamp};
        Ok(match text {
            "integer" => Self::plain(Integer),
            "int64" => Self::exactly(Integer, "int64"),
            "number" => Self::plain(Number),
            "numeric" => Self::exactly(Number, "numeric"),
            "float64" => Self::exactly(Number, "float64"),
            "boolean" | "bool" => Self::plain(Boolean),
            "date" => Self::plain(Date),
            "timestamp" | "timestamptz" | "datetime" | "date-time" => Self::plain(Timestamp),
            "string" | "text" => Self::plain(Text),
            _ => match decimal(text) {
                Some((precision, scale)) => Self::exactly(Number, &format!("numeric({precision},{scale})")),
                None => {
                    return Err(format!(
                        "`{text}` is no column type: use integer, int64, number, numeric(p,s), float64, text, boolean, date or timestamp"
                    ));
                }
            },
        })
    }
}

/// `numeric(10, 2)`, with up to 38 digits.
fn decimal(text: &str) -> Option<(u8, u8)> {
    let (precision, scale) = text.strip_prefix("numeric(")?.strip_suffix(')')?.split_once(',')?;
    let (precision, scale) = (precision.trim().parse().ok()?, scale.trim().parse().ok()?);
    ((1..=38).contains(&precision) && scale <= precision).then_some((precision, scale))
}

impl Conversion {
    /// What a property's schema in a catalog asks for: the first of its types that is not null. What is none of
    /// ours is text; what can be nothing but null is unknown.
    pub(crate) fn of_schema(schema: &Json) -> Self {
        let name = match schema.get("type") {
            Some(Json::String(name)) => Some(name.as_str()),
            Some(Json::Array(names)) => {
                let mut names = names.iter().filter_map(Json::as_str);
                names.clone().find(|&name| name != "null").or(names.next())
            }
            _ => None,
        };
        match (name, schema.get("format").and_then(Json::as_str)) {
            (Some("integer"), _) => Self::Integer,
            (Some("number"), _) => Self::Number,
            (Some("boolean"), _) => Self::Boolean,
            (Some("null"), _) => Self::Unknown,
            (Some("string"), Some("date")) => Self::Date,
            (Some("string"), Some("date-time")) => Self::Timestamp,
            _ => Self::Text,
        }
    }

    /// The name of it in an error.
    pub(crate) fn expected(self) -> &'static str {
        match self {
            Self::Integer => "an integer",
            Self::Number => "a number",
            Self::Boolean => "a boolean (true or false)",
            Self::Date => "a date (YYYY-MM-DD)",
            Self::Timestamp => "a timestamp (YYYY-MM-DD hh:mm:ss, with or without an offset)",
            Self::Text => "text",
            Self::Unknown => "null",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_declared_is_what_the_catalog_says() {
        for name in [
            "integer",
            "int64",
            "number",
            "numeric",
            "numeric(10, 2)",
            "float64",
            "boolean",
            "date",
            "timestamp",
            "text",
        ] {
            let declared: ColumnType = name.parse().unwrap();
            let schema = Json::parse(&declared.schema(true)).unwrap();
            assert_eq!(Conversion::of_schema(&schema), declared.conversion, "{name}");
        }
        let unknown = ColumnType::plain(Conversion::Unknown).schema(true);
        assert_eq!(Conversion::of_schema(&Json::parse(&unknown).unwrap()), Conversion::Unknown);
        for name in ["", "int", "numeric(39,0)", "numeric(3,4)", "Timestamp"] {
            assert!(name.parse::<ColumnType>().is_err(), "{name}");
        }
    }

    #[test]
    fn the_narrowest_type_that_holds_all_is_found() {
        let of = |kinds| ColumnType::of(kinds).schema(true);
        assert_eq!(of(Kinds::ALL.both(Kinds::INT64.any(Kinds::NUMBER))), r#"{"type":["null","integer"]}"#);
        assert_eq!(of(Kinds::INTEGER), r#"{"type":["null","integer"],"x-tapster-type":"numeric"}"#);
        assert_eq!(of(Kinds::ZONED), r#"{"type":["null","string"],"format":"date-time"}"#);
        assert_eq!(
            of(Kinds::LOCAL),
            r#"{"type":["null","string"],"format":"date-time","x-tapster-type":"timestamp"}"#
        );
        assert_eq!(of(Kinds::NONE), r#"{"type":["null","string"]}"#);
    }
}
