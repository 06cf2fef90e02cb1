//! The table of types: of each type of the server its JSON Schema, how it is selected, and the binary form that it
//! comes in. What has no binary form worth reading is selected as text, in the server's own words.

use std::fmt::Write as _;

/// The form of a cell, as the server's `*_send` function of the type writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Bool,
    Int2,
    Int4,
    Int8,
    /// Unsigned, 32 bits.
    Oid,
    Float4,
    Float8,
    Numeric,
    /// UTF-8.
    Text,
    Json,
    /// JSON after a byte with its version.
    Jsonb,
    Date,
    Time,
    Timestamp,
    TimestampTz,
    Uuid,
    Bytea,
}

/// How a column is read and what its values are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ColumnType {
    pub(crate) form: Form,
    /// Of an array, how deep its lists lie in each other; the form is its items'.
    pub(crate) depth: usize,
    /// Whether it is selected as text.
    pub(crate) as_text: bool,
    /// The number of the server's type; of an array its items'.
    pub(crate) oid: u32,
    /// What stands between the items of an array's text.
    pub(crate) delimiter: u8,
    /// JSON type, and what else the schema says, as members of an object.
    json_type: &'static str,
    more: String,
    /// The type in tapster's words, without `[]`.
    tapster_type: String,
}

impl ColumnType {
    /// The type of that number, where it is one of the server's own and not an array. `modifier` as in
    /// `pg_attribute`.
    pub(crate) fn scalar(oid: u32, modifier: i32) -> Self {
        let (form, json_type, more, tapster_type) = match oid {
            16 => (Form::Bool, "boolean", "", "bool"),
            21 => (Form::Int2, "integer", r#","minimum":-32768,"maximum":32767"#, "int64"),
            23 => (Form::Int4, "integer", r#","minimum":-2147483648,"maximum":2147483647"#, "int64"),
            20 => (
                Form::Int8,
                "integer",
                r#","minimum":-9223372036854775808,"maximum":9223372036854775807"#,
                "int64",
            ),
            26 => (Form::Oid, "integer", r#","minimum":0,"maximum":4294967295"#, "int64"),
            700 => (Form::Float4, "number", "", "float64"),
            701 => (Form::Float8, "number", "", "float64"),
            1700 => return Self { oid, ..Self::numeric(modifier) },
            25 | 19 => (Form::Text, "string", "", "text"),
            1042 | 1043 => return Self { oid, ..Self::text(modifier) },
            114 => (Form::Json, ANY_JSON, "", "json"),
            3802 => (Form::Jsonb, ANY_JSON, "", "json"),
            1082 => (Form::Date, "string", r#","format":"date""#, "date"),
            1083 => (Form::Time, "string", r#","format":"time""#, "time"),
            1114 => (Form::Timestamp, "string", r#","format":"date-time""#, "timestamp"),
            1184 => (Form::TimestampTz, "string", r#","format":"date-time""#, "timestamptz"),
            2950 => (Form::Uuid, "string", r#","format":"uuid""#, "uuid"),
            17 => (Form::Bytea, "string", r#","contentEncoding":"base16""#, "binary"),
            1266 => return Self { oid, ..Self::as_text("timetz") },
            1186 => return Self { oid, ..Self::as_text("interval") },
            _ => return Self { oid, ..Self::as_text("text") },
        };
        Self {
            form,
            depth: 0,
            as_text: false,
            oid,
            delimiter: b',',
            json_type,
            more: more.to_owned(),
            tapster_type: tapster_type.to_owned(),
        }
    }

    /// What is selected as text, in the server's words; tapster may know a type for it.
    pub(crate) fn as_text(tapster_type: &str) -> Self {
        Self {
            form: Form::Text,
            depth: 0,
            as_text: true,
            oid: 0,
            delimiter: b',',
            json_type: "string",
            more: String::new(),
            tapster_type: tapster_type.to_owned(),
        }
    }

    /// The modifier holds precision and scale, the latter in eleven bits with sign since version 15.
    fn numeric(modifier: i32) -> Self {
        let packed = modifier - 4;
        let (precision, scale) = ((packed >> 16) & 0xffff, ((packed & 0x7ff) ^ 1024) - 1024);
        let bounded = modifier >= 4 && (1..=38).contains(&precision) && (0..=precision).contains(&scale);
        let tapster_type =
            if bounded { format!("numeric({precision},{scale})") } else { "numeric".to_owned() };
        Self {
            form: Form::Numeric,
            depth: 0,
            as_text: false,
            oid: 0,
            delimiter: b',',
            json_type: "number",
            more: String::new(),
            tapster_type,
        }
    }

    /// `varchar(n)` and `char(n)`: the modifier holds the length, and four.
    fn text(modifier: i32) -> Self {
        let more = if modifier > 4 { format!(r#","maxLength":{}"#, modifier - 4) } else { String::new() };
        Self { more, ..Self { as_text: false, ..Self::as_text("text") } }
    }

    /// An array of these, so many lists deep.
    pub(crate) fn array(self, depth: usize) -> Self {
        Self { depth, ..self }
    }

    /// An array whose text has this between its items.
    pub(crate) fn delimited_by(self, delimiter: u8) -> Self {
        Self { delimiter, ..self }
    }

    /// The type in tapster's words.
    pub(crate) fn kind(&self) -> columns::ColumnType {
        let items = self.tapster_type.parse().unwrap_or(columns::ColumnType::Text);
        (0..self.depth).fold(items, |items, _| columns::ColumnType::Array(Box::new(items)))
    }

    /// The expression that selects `column`, which is quoted already.
    pub(crate) fn expression(&self, column: &str) -> String {
        match (self.as_text, self.depth) {
            (false, _) => column.to_owned(),
            (true, 0) => format!("{column}::pg_catalog.text"),
            (true, _) => format!("{column}::pg_catalog.text[]"),
        }
    }

    /// Whether records can be read in the order of such a column, and a bookmark be a value of it.
    pub(crate) fn is_ordered(&self) -> bool {
        let plain = self.depth == 0 && !self.as_text;
        plain && !matches!(self.form, Form::Bool | Form::Json | Form::Jsonb | Form::Bytea)
    }

    /// The node of a property, as JSON text.
    pub(crate) fn schema(&self, nullable: bool) -> String {
        let mut node = self.item_schema(nullable || self.depth > 0);
        for level in (1..=self.depth).rev() {
            let json_type = if level == 1 && !nullable { r#""array""# } else { r#"["null","array"]"# };
            node = format!(r#"{{"type":{json_type},"items":{node}}}"#);
        }
        if self.depth > 0 {
            node.pop();
            let _ = write!(node, r#","x-tapster-type":"{}{}"}}"#, self.tapster_type, "[]".repeat(self.depth));
        }
        node
    }

    fn item_schema(&self, nullable: bool) -> String {
        let quoted =
            if self.json_type == ANY_JSON { String::new() } else { format!(r#""{}""#, self.json_type) };
        let types = match (self.json_type == ANY_JSON, nullable) {
            (true, true) => format!(r#"["null",{ANY_JSON}]"#),
            (true, false) => format!("[{ANY_JSON}]"),
            (false, true) => format!(r#"["null",{quoted}]"#),
            (false, false) => quoted,
        };
        let mut node = format!(r#"{{"type":{types}{}"#, self.more);
        if self.depth == 0 {
            let _ = write!(node, r#","x-tapster-type":"{}""#, self.tapster_type);
        }
        node.push('}');
        node
    }
}

/// The types of a JSON document, as they stand in a list.
const ANY_JSON: &str = r#""object","array","string","number","boolean""#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numeric_modifiers_are_unpacked() {
        // (14,2), (38,0), none; what 38 digits and a scale within them do not hold: (39,0), (3,-2), (2,3).
        let modifier = |precision: i32, scale: i32| ((precision << 16) | (scale & 0x7ff)) + 4;
        for (modifier, name) in [
            (modifier(14, 2), "numeric(14,2)"),
            (modifier(38, 0), "numeric(38,0)"),
            (-1, "numeric"),
            (modifier(39, 0), "numeric"),
            (modifier(3, -2), "numeric"),
            (modifier(2, 3), "numeric"),
        ] {
            assert_eq!(ColumnType::scalar(1700, modifier).tapster_type, name);
        }
    }

    #[test]
    fn schemas_say_type_and_null() {
        let text = ColumnType::scalar(1043, 14);
        assert_eq!(text.schema(false), r#"{"type":"string","maxLength":10,"x-tapster-type":"text"}"#);
        let nested = ColumnType::scalar(16, -1).array(2);
        assert_eq!(
            nested.schema(true),
            r#"{"type":["null","array"],"items":{"type":["null","array"],"items":{"type":["null","boolean"]}},"x-tapster-type":"bool[][]"}"#
        );
        let json = ColumnType::scalar(114, -1);
        assert_eq!(
            json.schema(true),
            r#"{"type":["null","object","array","string","number","boolean"],"x-tapster-type":"json"}"#
        );
        let other = ColumnType::scalar(869, -1);
        assert_eq!(other.expression("\"a\""), "\"a\"::pg_catalog.text");
        assert_eq!(other.array(1).expression("\"a\""), "\"a\"::pg_catalog.text[]");
    }
}
