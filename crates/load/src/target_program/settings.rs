//! The settings that all targets share: how streams are loaded, under the names that the known Python targets gave
//! them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use columns::{NulPolicy, ValuePolicies};
use serde_json::{Map, Value};
use target_api::{Deletes, LoadMethod, TableName, table_name};

use super::values::{boolean, names, object, says_something, take, text, texts, whole, wrong};
use super::{ProgramError, about};
use crate::{Rules, StreamRule};

/// How a target's config says that streams are loaded. What is absent is left to the defaults.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct LoadSettings {
    /// The seven `_sdc_` columns.
    pub add_record_metadata: bool,
    /// What a record of a known key does.
    pub load_method: LoadMethod,
    /// What a delete record does, and what becomes of records of older versions.
    pub deletes: Deletes,
    /// What becomes of NUL in texts.
    pub nul: Option<NulPolicy>,
    /// Whether texts that their schema calls base16 are bytes.
    pub interpret_content_encoding: bool,
    /// How many levels of nested objects become columns.
    pub flatten: usize,
    /// Schema of all tables that `schema_mapping` does not place.
    pub default_target_schema: Option<String>,
    /// Roles that may read the tables that `schema_mapping` names none for.
    pub select_permissions: Vec<String>,
    /// What holds for a stream by the schema that its name begins with.
    pub schema_mapping: BTreeMap<String, MappedSchema>,
    /// Whether a stream without key is refused.
    pub primary_key_required: bool,
    /// Whether records are held against all words of their SCHEMA.
    pub validate_records: bool,
    /// Whether `ACTIVATE_VERSION` is passed over.
    pub ignores_versions: bool,
    /// Records of a stream at which its batch goes out.
    pub batch_size_rows: Option<usize>,
    /// Folders where the files of BATCH messages may lie.
    pub batch_roots: Vec<PathBuf>,
}

/// What holds for the streams of one schema of the tap.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MappedSchema {
    /// Schema of their tables.
    pub target_schema: Option<String>,
    /// Roles that may read them.
    pub select_permissions: Option<Vec<String>>,
}

const SCHEMA: &str = include_str!("settings.schema.json");

/// Settings whose feature is not built: what each asks for when it says something.
const NOT_BUILT: [(&str, &str); 2] = [("stream_maps", "changed streams"), ("ssh_tunnel", "a tunnel")];

/// The settings by name, with their schema.
pub(super) fn properties() -> Map<String, Value> {
    about::own_properties(SCHEMA)
}

/// Deepest level of nested objects that can become columns.
const DEEPEST_FLATTENING: u64 = 32;

impl LoadSettings {
    /// Takes its settings out of a target's config; what stays is the target's own.
    ///
    /// # Errors
    /// A value of a wrong type, and one that asks for what is not built.
    pub fn take(config: &mut Map<String, Value>) -> Result<Self, ProgramError> {
        refuse_not_built(config)?;
        let (other, metadata) =
            (boolean(config, "add_metadata_columns")?, boolean(config, "add_record_metadata")?);
        let (newer, activate) =
            (boolean(config, "process_activate_version_messages")?, boolean(config, "activate_version")?);
        let rows = whole(config, "batch_size_rows")?;
        let (other_schema, schema) = (text(config, "schema")?, text(config, "default_target_schema")?);
        let replaces_nul = boolean(config, "sanitize_null_text_characters")?.unwrap_or(false);
        Ok(Self {
            add_record_metadata: metadata.or(other).unwrap_or(false),
            load_method: load_method(config)?,
            deletes: deletes(config)?,
            nul: replaces_nul.then_some(NulPolicy::Replace),
            interpret_content_encoding: boolean(config, "interpret_content_encoding")?.unwrap_or(false),
            flatten: flatten(config)?,
            default_target_schema: schema.or(other_schema),
            select_permissions: names(config, "default_target_schema_select_permissions")?
                .unwrap_or_default(),
            schema_mapping: schema_mapping(config)?,
            primary_key_required: boolean(config, "primary_key_required")?.unwrap_or(false),
            validate_records: boolean(config, "validate_records")?.unwrap_or(false),
            ignores_versions: !activate.or(newer).unwrap_or(true),
            batch_size_rows: rows.and_then(|rows| usize::try_from(rows).ok()).filter(|rows| *rows > 0),
            batch_roots: texts(config, "batch_roots")?.into_iter().map(PathBuf::from).collect(),
        })
    }

    /// Refuses what a target cannot do. `upserts` and `grants` are of its capabilities.
    ///
    /// # Errors
    /// The setting that asks for it.
    pub fn check(&self, upserts: bool, grants: bool) -> Result<(), ProgramError> {
        let mapped =
            |entry: &MappedSchema| entry.select_permissions.as_ref().is_some_and(|roles| !roles.is_empty());
        let (name, what) = if !upserts && self.deletes == Deletes::Hard {
            ("hard_delete", "records that are removed")
        } else if !upserts && self.deletes == Deletes::Soft {
            ("soft_delete", "records that are marked as deleted")
        } else if !grants && !self.select_permissions.is_empty() {
            ("default_target_schema_select_permissions", "rights granted on tables")
        } else if !grants && self.schema_mapping.values().any(mapped) {
            ("schema_mapping", "rights granted on tables")
        } else {
            return Ok(());
        };
        Err(ProgramError::Unable { name, what })
    }

    /// The rules of a load that follows them alone.
    pub(super) fn rules(&self) -> Rules {
        let settings = self.clone();
        Arc::new(move |stream| settings.rule(stream))
    }

    /// What they say of a stream.
    #[must_use]
    pub fn rule(&self, stream: &str) -> StreamRule {
        let own = table_name(stream);
        let mapped = own.schema.as_ref().and_then(|schema| self.schema_mapping.get(schema));
        let schema = mapped.and_then(|mapped| mapped.target_schema.as_ref());
        let schema = schema.or(self.default_target_schema.as_ref()).cloned();
        let roles = mapped.and_then(|mapped| mapped.select_permissions.as_ref());
        StreamRule {
            table: schema.map(|schema| TableName { schema: Some(schema), ..own.clone() }),
            load_method: self.load_method,
            deletes: self.deletes,
            values: ValuePolicies { nul: self.nul, ..ValuePolicies::default() },
            metadata_columns: self.add_record_metadata,
            flatten: self.flatten,
            decodes_content: self.interpret_content_encoding,
            grant_select: roles.unwrap_or(&self.select_permissions).clone(),
            key_required: self.primary_key_required,
            validates: self.validate_records,
            activate_version: !self.ignores_versions,
            ..StreamRule::default()
        }
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

/// How deep nested objects become columns: as the Meltano SDK says it, or as PipelineWise does.
fn flatten(config: &mut Map<String, Value>) -> Result<usize, ProgramError> {
    let is_on = boolean(config, "flattening_enabled")?.unwrap_or(false);
    let (depth, level) =
        (whole(config, "flattening_max_depth")?, whole(config, "data_flattening_max_level")?);
    let depth = if is_on { depth.unwrap_or(DEEPEST_FLATTENING) } else { level.unwrap_or(0) };
    Ok(usize::try_from(depth.min(DEEPEST_FLATTENING)).unwrap_or_default())
}

/// Nothing said leaves it to the defaults; that neither is wanted says nothing.
fn deletes(config: &mut Map<String, Value>) -> Result<Deletes, ProgramError> {
    let (hard, soft) = (boolean(config, "hard_delete")?, boolean(config, "soft_delete")?);
    match (hard.unwrap_or(false), soft.unwrap_or(false)) {
        (true, true) => Err(wrong("soft_delete", &Value::Bool(true), "false beside `hard_delete`")),
        (true, false) => Ok(Deletes::Hard),
        (false, true) => Ok(Deletes::Soft),
        (false, false) => Ok(Deletes::Unsaid),
    }
}

/// `{"part": {"target_schema": "raw", "target_schema_select_permissions": ["analyst"]}}`, or `{"part": "raw"}`.
fn schema_mapping(config: &mut Map<String, Value>) -> Result<BTreeMap<String, MappedSchema>, ProgramError> {
    let mut mapping = BTreeMap::new();
    for (part, value) in object(config, "schema_mapping")?.into_iter().flatten() {
        let name = format!("schema_mapping.{part}");
        let mapped = match value {
            Value::String(target) => MappedSchema { target_schema: Some(target), select_permissions: None },
            Value::Object(mut entry) => {
                if take(&mut entry, "indices").is_some_and(|value| says_something(&value)) {
                    tracing::warn!(
                        "`{name}.indices` is passed over: make the indexes at the database, where they stay"
                    );
                }
                MappedSchema {
                    target_schema: text(&mut entry, "target_schema")?,
                    select_permissions: names(&mut entry, "target_schema_select_permissions")?,
                }
            }
            value => return Err(wrong(&name, &value, "an object with `target_schema`")),
        };
        mapping.insert(part, mapped);
    }
    Ok(mapping)
}
