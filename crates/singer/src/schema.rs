//! JSON Schema, drafts 4 to 2020-12, as far as it says what a column may hold.

use indexmap::IndexMap;
use thiserror::Error;

use crate::Json;

/// A schema that cannot be read.
#[derive(Debug, Error)]
pub enum SchemaError {
    /// Not JSON.
    #[error("it is not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// Neither an object nor a boolean.
    #[error("{place} must be an object, but is {found}")]
    NotObject {
        /// JSON pointer to it.
        place: String,
        /// What is there.
        found: &'static str,
    },
    /// A `$ref` leads nowhere.
    #[error("{place} refers to `{reference}`, which is not there")]
    Reference {
        /// JSON pointer to it.
        place: String,
        /// The reference.
        reference: String,
    },
    /// `x-tapster-absent` says what nobody knows.
    #[error("`x-tapster-absent` must be \"keep\"")]
    Absent,
}

/// A primitive type of JSON Schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JsonType {
    /// `null`
    Null,
    /// `boolean`
    Boolean,
    /// `integer`
    Integer,
    /// `number`
    Number,
    /// `string`
    String,
    /// `array`
    Array,
    /// `object`
    Object,
}

impl JsonType {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "null" => Self::Null,
            "boolean" => Self::Boolean,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "string" => Self::String,
            "array" => Self::Array,
            "object" => Self::Object,
            _ => return None,
        })
    }
}

/// One schema node with the keywords that bear on a column. References are resolved; a recursive one ends as a
/// schema that allows everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JsonSchema {
    /// The types it names; empty when it names none.
    pub types: Vec<JsonType>,
    /// `format`, or `singer.decimal` and friends.
    pub format: Option<String>,
    /// `properties`, in the tap's order; `None` when the keyword is missing.
    pub properties: Option<IndexMap<String, JsonSchema>>,
    /// `items`, when it is one schema.
    pub items: Option<Box<JsonSchema>>,
    /// The alternatives of `anyOf` and `oneOf`.
    pub alternatives: Vec<JsonSchema>,
    /// The parts of `allOf`.
    pub parts: Vec<JsonSchema>,
    /// `enum` and `const`: the types of their values.
    pub value_types: Vec<JsonType>,
    /// Digits of `minimum` or a numeric `exclusiveMinimum`.
    pub minimum: Option<String>,
    /// Digits of `maximum` or a numeric `exclusiveMaximum`.
    pub maximum: Option<String>,
    /// Digits of `multipleOf`.
    pub multiple_of: Option<String>,
    /// `contentEncoding`, for example `base16`.
    pub content_encoding: Option<String>,
    /// `x-tapster-type`: the column type, said outright.
    pub tapster_type: Option<String>,
    /// `precision` and `scale` beside `x-singer.decimal`.
    pub decimal: Option<(u8, u8)>,
    /// `x-tapster-absent: "keep"`, which means something at the top alone: a property that a record lacks keeps the
    /// value that the table has.
    pub keeps_absent: bool,
}

impl JsonSchema {
    /// Reads a schema and resolves its references.
    ///
    /// # Errors
    /// [`SchemaError`].
    pub fn parse(text: &str) -> Result<Self, SchemaError> {
        let root = Json::parse(text)?;
        Reader { root: &root, open: Vec::new() }.read(&root, "#")
    }

    /// Reads a schema that is already a tree.
    ///
    /// # Errors
    /// [`SchemaError`].
    pub fn from_json(root: &Json) -> Result<Self, SchemaError> {
        Reader { root, open: Vec::new() }.read(root, "#")
    }
}

/// Deepest nesting that is followed; below it everything is allowed.
const MAX_DEPTH: usize = 64;

struct Reader<'a> {
    root: &'a Json,
    /// The references being followed, to find a circle.
    open: Vec<String>,
}

impl Reader<'_> {
    fn read(&mut self, node: &Json, place: &str) -> Result<JsonSchema, SchemaError> {
        let members = match node {
            Json::Object(members) => members,
            Json::Bool(_) => return Ok(JsonSchema::default()),
            other => return Err(SchemaError::NotObject { place: place.to_owned(), found: other.kind() }),
        };
        if place.bytes().filter(|&b| b == b'/').count() > MAX_DEPTH {
            return Ok(JsonSchema::default());
        }
        let mut schema = JsonSchema::default();
        for (keyword, value) in members {
            self.keyword(&mut schema, keyword, value, place)?;
        }
        schema.decimal = decimal(node);
        if let Some(reference) = node.get("$ref").and_then(Json::as_str) {
            schema.parts.push(self.follow(reference, place)?);
        }
        Ok(schema)
    }

    fn keyword(
        &mut self,
        schema: &mut JsonSchema,
        keyword: &str,
        value: &Json,
        place: &str,
    ) -> Result<(), SchemaError> {
        let text = || value.as_str().map(str::to_owned);
        let number = || value.as_number().map(str::to_owned);
        match keyword {
            "type" => schema.types = types(value),
            "format" => schema.format = text(),
            "properties" => schema.properties = Some(self.properties(value, &format!("{place}/properties"))?),
            "items" if value.as_array().is_none() => {
                schema.items = Some(Box::new(self.read(value, &format!("{place}/items"))?));
            }
            "anyOf" | "oneOf" => schema.alternatives.extend(self.list(value, &format!("{place}/{keyword}"))?),
            "allOf" => schema.parts.extend(self.list(value, &format!("{place}/{keyword}"))?),
            "enum" => schema.value_types = value.as_array().unwrap_or_default().iter().map(type_of).collect(),
            "const" => schema.value_types = vec![type_of(value)],
            // Draft 4 has booleans here; they do not move the bound by more than one.
            "minimum" | "exclusiveMinimum" => schema.minimum = schema.minimum.take().or_else(number),
            "maximum" | "exclusiveMaximum" => schema.maximum = schema.maximum.take().or_else(number),
            "multipleOf" => schema.multiple_of = number(),
            "contentEncoding" => schema.content_encoding = text(),
            "x-tapster-type" => schema.tapster_type = text(),
            "x-tapster-absent" if value.as_str() == Some("keep") => schema.keeps_absent = true,
            // Another word than ours would make NULL of what shall stay.
            "x-tapster-absent" => return Err(SchemaError::Absent),
            _ => {}
        }
        Ok(())
    }

    fn properties(&mut self, value: &Json, place: &str) -> Result<IndexMap<String, JsonSchema>, SchemaError> {
        let Some(members) = value.as_object() else {
            return Err(SchemaError::NotObject { place: place.to_owned(), found: value.kind() });
        };
        members
            .iter()
            .map(|(name, node)| {
                Ok((name.clone(), self.read(node, &format!("{place}/{}", name.replace('/', "~1")))?))
            })
            .collect()
    }

    fn list(&mut self, value: &Json, place: &str) -> Result<Vec<JsonSchema>, SchemaError> {
        value
            .as_array()
            .unwrap_or_default()
            .iter()
            .enumerate()
            .map(|(i, node)| self.read(node, &format!("{place}/{i}")))
            .collect()
    }

    fn follow(&mut self, reference: &str, place: &str) -> Result<JsonSchema, SchemaError> {
        if self.open.iter().any(|open| open == reference) {
            return Ok(JsonSchema::default());
        }
        let missing = || SchemaError::Reference { place: place.to_owned(), reference: reference.to_owned() };
        let path = reference.strip_prefix('#').ok_or_else(missing)?;
        let mut node = self.root;
        for step in path.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            node = node.get(&step).ok_or_else(missing)?;
        }
        self.open.push(reference.to_owned());
        let schema = self.read(node, place);
        self.open.pop();
        schema
    }
}

fn types(value: &Json) -> Vec<JsonType> {
    match value {
        Json::String(name) => JsonType::of(name).into_iter().collect(),
        Json::Array(items) => items.iter().filter_map(Json::as_str).filter_map(JsonType::of).collect(),
        _ => Vec::new(),
    }
}

fn type_of(value: &Json) -> JsonType {
    match value {
        Json::Null => JsonType::Null,
        Json::Bool(_) => JsonType::Boolean,
        Json::Number(digits) if digits.bytes().all(|b| b.is_ascii_digit() || b == b'-') => JsonType::Integer,
        Json::Number(_) => JsonType::Number,
        Json::String(_) => JsonType::String,
        Json::Array(_) => JsonType::Array,
        Json::Object(_) => JsonType::Object,
    }
}

fn decimal(node: &Json) -> Option<(u8, u8)> {
    let digits = |name| node.get(name).and_then(Json::as_number).and_then(|text| text.parse().ok());
    Some((digits("precision")?, digits("scale")?))
}

#[cfg(test)]
mod tests {
    use super::{JsonSchema, JsonType, SchemaError};

    #[test]
    fn keywords_of_all_drafts_are_read() {
        let schema = JsonSchema::parse(
            r##"{"type":"object","properties":{
            "z":{"type":["null","integer"],"minimum":-5,"exclusiveMinimum":true,"maximum":12345678901234567890},
            "a":{"anyOf":[{"type":"string","format":"date-time"},{"type":"null"}]},
            "m":{"$ref":"#/$defs/money"}},"$defs":{"money":{"type":"number","multipleOf":1e-38}}}"##,
        )
        .unwrap();
        let properties = schema.properties.unwrap();
        assert_eq!(properties.keys().collect::<Vec<_>>(), ["z", "a", "m"], "the tap's order is kept");
        assert_eq!(properties["z"].maximum.as_deref(), Some("12345678901234567890"));
        assert_eq!(properties["z"].minimum.as_deref(), Some("-5"));
        assert_eq!(properties["a"].alternatives[0].format.as_deref(), Some("date-time"));
        assert_eq!(properties["m"].parts[0].types, [JsonType::Number]);
    }

    #[test]
    fn absent_properties_are_kept_where_it_says_so_and_no_other_word_will_do() {
        let parse = JsonSchema::parse;
        assert!(parse(r#"{"properties":{},"x-tapster-absent":"keep"}"#).unwrap().keeps_absent);
        assert!(!parse(r#"{"properties":{}}"#).unwrap().keeps_absent);
        assert!(matches!(parse(r#"{"x-tapster-absent":"Keep"}"#), Err(SchemaError::Absent)));
        assert!(matches!(parse(r#"{"x-tapster-absent":true}"#), Err(SchemaError::Absent)));
    }

    #[test]
    fn a_circle_of_references_ends() {
        let text = r##"{"properties":{"a":{"$ref":"#/definitions/t"}},"definitions":{"t":{"type":"array","items":{"$ref":"#/definitions/t"}}}}"##;
        assert!(JsonSchema::parse(text).is_ok());
        let lost = JsonSchema::parse(r##"{"properties":{"a":{"$ref":"#/definitions/no"}}}"##);
        assert!(matches!(lost, Err(SchemaError::Reference { .. })));
    }
}
