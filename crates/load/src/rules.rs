//! What the pipeline says about a stream, as `load` needs it.

use std::sync::Arc;

use columns::{ColumnType, Flattened, ValuePolicies, flatten};
use singer::JsonSchema;
use target_api::{Deletes, LoadMethod, TableName};

/// Whether a column of a stream is loaded, by its path from the top of the record; keys always are.
pub type ColumnFilter = Arc<dyn Fn(&[&str]) -> bool + Send + Sync>;

/// The JSON Schema that the pipeline gives a column, by its path from the top of the record.
pub type ColumnSchemas = Arc<dyn Fn(&[&str]) -> Option<JsonSchema> + Send + Sync>;

/// The settings of one stream.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct StreamRule {
    /// For a stream that the pipeline does not select, what a person can do when its records arrive all the same,
    /// which is an error.
    pub not_selected: Option<String>,
    /// Where its table is; the stream's own name decides otherwise.
    pub table: Option<TableName>,
    /// The key, when the pipeline knows better than the tap.
    pub key_properties: Option<Vec<String>>,
    /// What a record of a known key does.
    pub load_method: LoadMethod,
    /// What a delete record does.
    pub deletes: Deletes,
    /// What becomes of values that the target cannot hold.
    pub values: ValuePolicies,
    /// Whether the table gets the seven `_sdc_` columns.
    pub metadata_columns: bool,
    /// Which columns are loaded.
    pub columns: ColumnFilter,
    /// The JSON Schema of a column, where the pipeline knows better than the tap.
    pub column_schemas: ColumnSchemas,
    /// Whether `columns` leaves out parts of columns that are loaded.
    pub excludes_nested: bool,
    /// How many levels of nested objects become columns.
    pub flatten: usize,
    /// Whether texts that their schema calls base16 are bytes.
    pub decodes_content: bool,
    /// Whether several pipelines may load into its table.
    pub shared: bool,
    /// Roles that may read its table.
    pub grant_select: Vec<String>,
    /// Whether its records are held against all words of their SCHEMA, not against the types of columns alone.
    pub validates: bool,
    /// Whether it is refused without a key.
    pub key_required: bool,
    /// Whether its `ACTIVATE_VERSION` messages are obeyed.
    pub activate_version: bool,
}

impl Default for StreamRule {
    fn default() -> Self {
        Self {
            not_selected: None,
            table: None,
            key_properties: None,
            load_method: LoadMethod::Upsert,
            deletes: Deletes::Unsaid,
            values: ValuePolicies::default(),
            metadata_columns: false,
            columns: Arc::new(|_| true),
            column_schemas: Arc::new(|_| None),
            excludes_nested: false,
            flatten: 0,
            decodes_content: false,
            shared: false,
            grant_select: Vec::new(),
            validates: false,
            key_required: false,
            activate_version: true,
        }
    }
}

impl StreamRule {
    /// A stream's schema as its table has it: with the pipeline's own schemas of its columns, and flattened.
    #[must_use]
    pub fn shaped(&self, schema: &JsonSchema, keys: &[String]) -> Flattened {
        let schema = self.overridden(schema, &[], self.flatten);
        if self.flatten == 0 {
            return Flattened { schema, ..Flattened::default() };
        }
        flatten(&schema, self.flatten, &|name| keys.iter().any(|key| key == name))
    }

    fn overridden(&self, schema: &JsonSchema, path: &[&str], depth: usize) -> JsonSchema {
        let mut schema = schema.clone();
        for (name, property) in schema.properties.iter_mut().flatten() {
            let path = [path, &[name.as_str()]].concat();
            if let Some(own) = (self.column_schemas)(&path) {
                *property = own;
            } else if depth > 0 {
                *property = self.overridden(property, &path, depth - 1);
            }
            if self.decodes_content && is_base16(property) {
                property.tapster_type = Some(ColumnType::Binary.to_string());
            }
        }
        schema.parts = schema.parts.iter().map(|part| self.overridden(part, path, depth)).collect();
        if !path.is_empty() {
            let inside = |node: &JsonSchema| self.overridden(node, path, depth);
            schema.alternatives = schema.alternatives.iter().map(inside).collect();
        }
        schema
    }
}

/// Whether a property is a text of hexadecimal digits, in itself or in the one alternative that is not null.
fn is_base16(property: &JsonSchema) -> bool {
    property.content_encoding.as_deref() == Some("base16") || property.alternatives.iter().any(is_base16)
}

/// The rule of a stream, by the name that its messages carry.
pub type Rules = Arc<dyn Fn(&str) -> StreamRule + Send + Sync>;
