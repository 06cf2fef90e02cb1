//! What a stream's SCHEMA makes of its table: of each property the type that holds every value which the schema
//! allows. Integers that may exceed 64 bits are numeric, numbers are numeric and never a double, what may be of
//! several types is JSON where nested values are among them and text otherwise.

use std::collections::HashSet;

use singer::{JsonSchema, JsonType};
use thiserror::Error;

use crate::metadata::{DELETED_AT, METADATA_COLUMNS, TABLE_VERSION, metadata_column};
use crate::{Column, ColumnType, ParseColumnTypeError, StreamName, TableSchema, is_metadata_column};

/// What the project says about a stream's columns.
pub struct TableOptions<'a> {
    /// Adds the seven `_sdc_` columns of the Meltano SDK.
    pub metadata: bool,
    /// Adds `_sdc_table_version` even where `metadata` is off.
    pub versioned: bool,
    /// Adds `_sdc_deleted_at` even where `metadata` is off and the SCHEMA does not have it.
    pub deleted_at: bool,
    /// Which properties become columns. Key properties do in any case.
    pub include: &'a dyn Fn(&str) -> bool,
}

/// A SCHEMA of which no table can be made.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SchemaRefused {
    /// It does not say what its records hold.
    #[error("the SCHEMA of stream {stream} has no `properties`")]
    NoProperties {
        /// The stream.
        stream: StreamName,
    },
    /// Nothing is left of it.
    #[error("no column is left of stream {stream}")]
    NoColumns {
        /// The stream.
        stream: StreamName,
    },
    /// A key property is not there.
    #[error("key property `{key}` of stream {stream} is not among its properties")]
    KeyMissing {
        /// The stream.
        stream: StreamName,
        /// The key property.
        key: String,
    },
    /// A key property has the name of a column that tapster fills.
    #[error("key property `{key}` of stream {stream} has the name of a column that tapster fills itself")]
    KeyReserved {
        /// The stream.
        stream: StreamName,
        /// The key property.
        key: String,
    },
    /// Records are to be held against it, and it is not JSON Schema.
    #[error("the SCHEMA of stream {stream} is not JSON Schema: {reason}")]
    Invalid {
        /// The stream.
        stream: StreamName,
        /// Where, and by which keyword.
        reason: String,
    },
    /// `x-tapster-type` is not a type.
    #[error("property `{property}` of stream {stream} has an unknown `x-tapster-type`")]
    ColumnType {
        /// The stream.
        stream: StreamName,
        /// The property.
        property: String,
        /// What is wrong with it.
        #[source]
        source: ParseColumnTypeError,
    },
}

impl SchemaRefused {
    /// The error's code, which `tapster explain` knows.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoProperties { .. } | Self::NoColumns { .. } => "E0230",
            Self::KeyMissing { .. } | Self::KeyReserved { .. } => "E0231",
            Self::ColumnType { .. } => "E0232",
            Self::Invalid { .. } => "E0235",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoProperties { .. } => {
                "deselect the stream, or give it a schema in the tap's catalog".to_owned()
            }
            Self::Invalid { .. } => {
                "correct the schema in the tap's catalog, or load without `validate_records`".to_owned()
            }
            Self::NoColumns { .. } => "exclude the stream rather than all of its columns".to_owned(),
            Self::KeyMissing { .. } | Self::KeyReserved { .. } => {
                "set `key_properties` of the stream to properties that it has, or to [] to append".to_owned()
            }
            Self::ColumnType { .. } => return None,
        })
    }
}

/// The table of a stream: its properties in the SCHEMA's order, then the `_sdc_` columns.
///
/// # Errors
/// [`SchemaRefused`].
pub fn table_schema(
    stream: &StreamName,
    schema: &JsonSchema,
    key_properties: &[String],
    options: &TableOptions,
) -> Result<TableSchema, SchemaRefused> {
    let root = all_of(schema);
    let properties = root.properties.ok_or_else(|| SchemaRefused::NoProperties { stream: stream.clone() })?;
    let keys: HashSet<&str> = key_properties.iter().map(String::as_str).collect();
    for key in key_properties {
        let refused = if is_metadata_column(key) {
            SchemaRefused::KeyReserved { stream: stream.clone(), key: key.clone() }
        } else if properties.contains_key(key) {
            continue;
        } else {
            SchemaRefused::KeyMissing { stream: stream.clone(), key: key.clone() }
        };
        return Err(refused);
    }
    let mut columns = Vec::with_capacity(properties.len() + METADATA_COLUMNS.len());
    for (name, node) in &properties {
        let key = keys.contains(name.as_str());
        if is_metadata_column(name) || !(key || (options.include)(name)) {
            continue;
        }
        let column_type = column_type(node).map_err(|source| SchemaRefused::ColumnType {
            stream: stream.clone(),
            property: name.clone(),
            source,
        })?;
        columns.push(Column { name: name.clone(), column_type, nullable: !key });
    }
    let added = METADATA_COLUMNS.into_iter().filter(|&name| {
        let said = name == DELETED_AT && properties.contains_key(name) && (options.include)(name);
        options.metadata
            || said
            || (options.deleted_at && name == DELETED_AT)
            || (options.versioned && name == TABLE_VERSION)
    });
    columns.extend(added.map(metadata_column));
    if columns.is_empty() {
        return Err(SchemaRefused::NoColumns { stream: stream.clone() });
    }
    let key_properties = distinct(key_properties);
    let keeps_absent = schema.keeps_absent;
    Ok(TableSchema { stream: stream.clone(), columns, key_properties, keeps_absent })
}

fn distinct(names: &[String]) -> Vec<String> {
    let mut seen = HashSet::new();
    names.iter().filter(|name| seen.insert(name.as_str())).cloned().collect()
}

/// The type that holds every value which the schema allows.
fn column_type(node: &JsonSchema) -> Result<ColumnType, ParseColumnTypeError> {
    let mut allowed = Allowed::default();
    allowed.add(node)?;
    Ok(allowed.one())
}

/// The column types of the values that a schema allows; null apart.
#[derive(Default)]
struct Allowed {
    column_types: Vec<ColumnType>,
    null: bool,
}

impl Allowed {
    fn add(&mut self, node: &JsonSchema) -> Result<(), ParseColumnTypeError> {
        let node = all_of(node);
        if let Some(outright) = &node.tapster_type {
            self.push(outright.parse()?);
            return Ok(());
        }
        let types = types(&node);
        if types.is_empty() && !node.alternatives.is_empty() {
            return node.alternatives.iter().try_for_each(|alternative| self.add(alternative));
        }
        if types.is_empty() {
            self.push(ColumnType::Json);
        }
        for json_type in types {
            match json_type {
                JsonType::Null => self.null = true,
                JsonType::Boolean => self.push(ColumnType::Bool),
                JsonType::Integer => self.push(integer(&node)),
                JsonType::Number => self.push(ColumnType::UnboundedNumeric),
                JsonType::String => self.push(string(&node)),
                JsonType::Array | JsonType::Object => self.push(ColumnType::Json),
            }
        }
        Ok(())
    }

    fn push(&mut self, column_type: ColumnType) {
        if !self.column_types.contains(&column_type) {
            self.column_types.push(column_type);
        }
    }

    fn one(self) -> ColumnType {
        use ColumnType as T;
        let is_number = |t: &T| matches!(t, T::Int64 | T::Numeric { .. } | T::UnboundedNumeric);
        match self.column_types.as_slice() {
            [] if self.null => T::Text,
            [] => T::Json,
            [only] => only.clone(),
            several if several.contains(&T::Json) => T::Json,
            several if several.iter().all(is_number) => T::UnboundedNumeric,
            _ => T::Text,
        }
    }
}

/// The JSON types of a node, said or to be seen from its other keywords.
pub(crate) fn types(node: &JsonSchema) -> Vec<JsonType> {
    let said = if node.types.is_empty() { &node.value_types } else { &node.types };
    if !said.is_empty() || !node.alternatives.is_empty() {
        return said.clone();
    }
    let implied = if node.properties.is_some() {
        JsonType::Object
    } else if node.items.is_some() {
        JsonType::Array
    } else if node.format.is_some() {
        JsonType::String
    } else {
        return Vec::new();
    };
    vec![implied]
}

fn integer(node: &JsonSchema) -> ColumnType {
    let beyond = |bound: &Option<String>| {
        bound.as_deref().is_some_and(|text| {
            text.parse::<i64>().is_err() && text.parse::<f64>().is_ok_and(|bound| bound.abs() >= TWO_TO_63)
        })
    };
    if beyond(&node.minimum) || beyond(&node.maximum) {
        ColumnType::UnboundedNumeric
    } else {
        ColumnType::Int64
    }
}

const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

fn string(node: &JsonSchema) -> ColumnType {
    match node.format.as_deref() {
        Some("date-time") => ColumnType::TimestampTz,
        Some("date") => ColumnType::Date,
        Some("time") => ColumnType::Time,
        Some("uuid") => ColumnType::Uuid,
        Some("singer.decimal" | "x-singer.decimal") => match node.decimal {
            Some((precision, scale)) if (1..=38).contains(&precision) && scale <= precision => {
                ColumnType::Numeric { precision, scale }
            }
            _ => ColumnType::UnboundedNumeric,
        },
        _ => ColumnType::Text,
    }
}

/// A node with its `allOf` and `$ref` worked in: what holds is what all of them say together.
pub(crate) fn all_of(node: &JsonSchema) -> JsonSchema {
    let mut whole = JsonSchema { parts: Vec::new(), ..node.clone() };
    for part in &node.parts {
        let part = all_of(part);
        whole.types = both(&whole.types, &part.types);
        whole.value_types = both(&whole.value_types, &part.value_types);
        whole.format = whole.format.or(part.format);
        whole.properties = match (whole.properties, part.properties) {
            (Some(mut all), Some(more)) => {
                for (name, node) in more {
                    all.entry(name).or_insert(node);
                }
                Some(all)
            }
            (one, other) => one.or(other),
        };
        whole.items = whole.items.or(part.items);
        if whole.alternatives.is_empty() {
            whole.alternatives = part.alternatives;
        }
        whole.minimum = whole.minimum.or(part.minimum);
        whole.maximum = whole.maximum.or(part.maximum);
        whole.tapster_type = whole.tapster_type.or(part.tapster_type);
        whole.decimal = whole.decimal.or(part.decimal);
    }
    whole
}

/// The types that both lists allow; an empty list allows all. Every integer is a number.
fn both(one: &[JsonType], other: &[JsonType]) -> Vec<JsonType> {
    if one.is_empty() || other.is_empty() {
        return [one, other].concat();
    }
    let within = |json_type: &JsonType, list: &[JsonType]| {
        list.contains(json_type) || (*json_type == JsonType::Integer && list.contains(&JsonType::Number))
    };
    let mut kept: Vec<_> = one.iter().filter(|json_type| within(json_type, other)).copied().collect();
    kept.extend(other.iter().filter(|json_type| !one.contains(json_type) && within(json_type, one)));
    kept
}

#[cfg(test)]
mod tests;
