//! The settings that all targets share: how streams are loaded, under the names that the known Python targets gave
//! them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Map, Value};
use target_api::{LoadMethod, TableName, table_name};

use super::values::{boolean, object, says_something, take, text, texts, whole, wrong};
use super::{ProgramError, about};
use crate::{Rules, StreamRule};

/// How a target's config says that streams are loaded. What is absent is left to the defaults.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LoadSettings {
    /// The seven `_sdc_` columns.
    pub add_record_metadata: bool,
    /// What a record of a known key does.
    pub load_method: LoadMethod,
    /// Schema of all tables that `schema_mapping` does not place.
    pub default_target_schema: Option<String>,
    /// Schema by the schema that a stream's name begins with.
    pub schema_mapping: BTreeMap<String, String>,
    /// Whether a stream without key is refused.
    pub primary_key_required: bool,
    /// Whether `ACTIVATE_VERSION` is obeyed.
    pub activate_version: bool,
    /// Records of a stream at which its batch goes out.
    pub batch_size_rows: Option<usize>,
    /// Folders where the files of BATCH messages may lie.
    pub batch_roots: Vec<PathBuf>,
}

const SCHEMA: &str = include_str!("settings.schema.json");

/// Settings whose feature is not built: what each asks for when it says something.
const NOT_BUILT: [(&str, &str); 9] = [
    ("hard_delete", "the deletion of records that the tap marks as deleted"),
    ("soft_delete", "marks on records that a version no longer has"),
    ("flattening_enabled", "columns made of nested objects"),
    ("data_flattening_max_level", "columns made of nested objects"),
    ("interpret_content_encoding", "binary columns made of encoded texts"),
    ("default_target_schema_select_permissions", "rights granted on tables"),
    ("stream_maps", "changed streams"),
    ("ssh_tunnel", "a tunnel"),
    ("ssl_client_certificate_enable", "a certificate of the client's own"),
];

/// Settings that change nothing here; what they are for is done in any case.
const WITHOUT_EFFECT: [&str; 2] = ["validate_records", "sanitize_null_text_characters"];

/// The settings by name, with their schema.
pub(super) fn properties() -> Map<String, Value> {
    about::own_properties(SCHEMA)
}

impl LoadSettings {
    /// Takes its settings out of a target's config; what stays is the target's own.
    ///
    /// # Errors
    /// A value of a wrong type, and one that asks for what is not built.
    pub fn take(config: &mut Map<String, Value>) -> Result<Self, ProgramError> {
        refuse_not_built(config)?;
        for name in WITHOUT_EFFECT {
            boolean(config, name)?;
        }
        let (other, metadata) =
            (boolean(config, "add_metadata_columns")?, boolean(config, "add_record_metadata")?);
        let (newer, activate) =
            (boolean(config, "process_activate_version_messages")?, boolean(config, "activate_version")?);
        let rows = whole(config, "batch_size_rows")?;
        // It says how deep, and only where flattening is on.
        whole(config, "flattening_max_depth")?;
        let (other_schema, schema) = (text(config, "schema")?, text(config, "default_target_schema")?);
        Ok(Self {
            add_record_metadata: metadata.or(other).unwrap_or(false),
            load_method: load_method(config)?,
            default_target_schema: schema.or(other_schema),
            schema_mapping: schema_mapping(config)?,
            primary_key_required: boolean(config, "primary_key_required")?.unwrap_or(false),
            activate_version: activate.or(newer).unwrap_or(true),
            batch_size_rows: rows.and_then(|rows| usize::try_from(rows).ok()).filter(|rows| *rows > 0),
            batch_roots: texts(config, "batch_roots")?.into_iter().map(PathBuf::from).collect(),
        })
    }

    /// The rules of a load that follows them alone.
    pub(super) fn rules(&self) -> Rules {
        let settings = self.clone();
        Arc::new(move |stream| StreamRule {
            table: settings.place(stream),
            load_method: settings.load_method,
            metadata_columns: settings.add_record_metadata,
            key_required: settings.primary_key_required,
            activate_version: settings.activate_version,
            ..StreamRule::default()
        })
    }

    /// Where a stream's table is; `None` where its name alone decides.
    fn place(&self, stream: &str) -> Option<TableName> {
        let own = table_name(stream);
        let mapped = own.schema.as_ref().and_then(|schema| self.schema_mapping.get(schema));
        let schema = mapped.or(self.default_target_schema.as_ref())?.clone();
        Some(TableName { schema: Some(schema), ..own })
    }
}

fn refuse_not_built(config: &mut Map<String, Value>) -> Result<(), ProgramError> {
    for (name, what) in NOT_BUILT {
        let Some(value) = take(config, name) else { continue };
        let nested = value.as_object().and_then(|object| object.get("enable"));
        if says_something(nested.unwrap_or(&value)) {
            return Err(not_built(name, what));
        }
    }
    Ok(())
}

fn not_built(name: &str, what: &str) -> ProgramError {
    ProgramError::NotBuilt { name: name.to_owned(), what: what.to_owned() }
}

fn load_method(config: &mut Map<String, Value>) -> Result<LoadMethod, ProgramError> {
    match text(config, "load_method")?.as_deref() {
        None | Some("upsert") => Ok(LoadMethod::Upsert),
        Some("append-only") => Ok(LoadMethod::AppendOnly),
        Some("overwrite") => Ok(LoadMethod::Overwrite),
        Some(other) => Err(wrong("load_method", &other.into(), "append-only, upsert or overwrite")),
    }
}

/// `{"part": {"target_schema": "raw"}}`, or `{"part": "raw"}`.
fn schema_mapping(config: &mut Map<String, Value>) -> Result<BTreeMap<String, String>, ProgramError> {
    let mut mapping = BTreeMap::new();
    for (part, value) in object(config, "schema_mapping")?.into_iter().flatten() {
        let name = format!("schema_mapping.{part}");
        let target = match value {
            Value::String(target) => Some(target),
            Value::Object(mut entry) => {
                for (setting, what) in
                    [("target_schema_select_permissions", "rights granted on tables"), ("indices", "indexes")]
                {
                    if take(&mut entry, setting).is_some_and(|value| says_something(&value)) {
                        return Err(not_built(&format!("{name}.{setting}"), what));
                    }
                }
                text(&mut entry, "target_schema")?
            }
            value => return Err(wrong(&name, &value, "an object with `target_schema`")),
        };
        mapping.extend(target.map(|target| (part, target)));
    }
    Ok(mapping)
}
