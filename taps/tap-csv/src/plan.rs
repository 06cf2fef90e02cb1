//! What is sent of one stream: decided from the catalog and the config before the first message.

use std::collections::HashSet;

use indexmap::IndexMap;
use singer::{CatalogStream, Json};
use tap_sdk::TapError;

use crate::column::Conversion;
use crate::config::{Config, FileEntry, ReplicationMethod};
use crate::header::Header;
use crate::record::{NullValues, RecordColumn, RecordEncoder};

/// One selected stream.
#[derive(Debug)]
pub(crate) struct StreamPlan<'a> {
    pub(crate) entry: &'a FileEntry,
    /// The key of its bookmark.
    pub(crate) id: &'a str,
    /// The name that its messages carry.
    pub(crate) name: &'a str,
    pub(crate) method: ReplicationMethod,
    pub(crate) keys: Vec<String>,
    /// The SCHEMA: the catalog's, with the selected properties whose type is known. None where a key's is not, or no
    /// property's: then there are no records.
    pub(crate) schema: Option<Json>,
    /// Of each property of the SCHEMA, to be remembered.
    pub(crate) types: IndexMap<String, Json>,
    properties: IndexMap<String, Conversion>,
    /// Properties of the catalog that are not wanted.
    left_out: HashSet<String>,
}

impl<'a> StreamPlan<'a> {
    /// `remembered` are the types of an earlier SCHEMA: they hold where the catalog knows none.
    pub(crate) fn new(
        stream: &'a CatalogStream,
        config: &'a Config,
        remembered: &IndexMap<String, Json>,
    ) -> Result<Self, TapError> {
        let id = stream.tap_stream_id.as_str();
        let entry = config.files.iter().find(|entry| entry.stream == id).ok_or_else(|| {
            TapError::config(format!(
                "the catalog selects the stream `{id}`, which `files` of the config does not have"
            ))
            .with_hint("discover again: the catalog belongs to another config")
        })?;
        let method = stream.effective_replication_method().unwrap_or(entry.replication_method.name());
        let method = ReplicationMethod::named(method).ok_or_else(|| {
            TapError::config(format!(
                "the stream `{id}` has the replication method {method}, which files do not offer"
            ))
            .with_hint("choose INCREMENTAL or FULL_TABLE")
        })?;
        let keys = stream.key();
        let mut properties = IndexMap::new();
        let mut left_out = HashSet::new();
        let mut nodes = IndexMap::new();
        let offered = stream.schema.get("properties").and_then(Json::as_object);
        for (name, node) in offered.into_iter().flatten() {
            let key = keys.contains(name);
            if key || stream.is_property_selected(&[name]) {
                let known =
                    remembered.get(name).filter(|_| Conversion::of_schema(node) == Conversion::Unknown);
                let node = known.unwrap_or(node);
                let conversion = Conversion::of_schema(node);
                properties.insert(name.clone(), conversion);
                if conversion != Conversion::Unknown {
                    nodes.insert(name.clone(), said(node, key));
                }
            } else {
                left_out.insert(name.clone());
            }
        }
        if let Some(missing) = keys.iter().find(|&key| !properties.contains_key(key)) {
            return Err(TapError::config(format!(
                "the stream `{id}` has no column `{missing}`, which is to be a key"
            ))
            .with_hint("names must be exactly those of the header, capitals and spaces too"));
        }
        let whole = !nodes.is_empty() && keys.iter().all(|key| nodes.contains_key(key));
        let types = nodes.clone();
        let schema = whole.then(|| with_properties(&stream.schema, nodes));
        Ok(Self { entry, id, name: &stream.stream, method, keys, schema, types, properties, left_out })
    }

    /// How records of a file with this header are written, and the columns that the catalog does not know. A
    /// property that the file lacks is absent from its records.
    pub(crate) fn encoder<'h>(&self, header: &'h Header) -> (RecordEncoder, Vec<&'h str>) {
        let mut columns = Vec::new();
        let mut unknown = Vec::new();
        for (field, name) in header.names.iter().enumerate() {
            if let Some(&conversion) = self.properties.get(name) {
                let declared = self.entry.columns.contains_key(name);
                columns.push(RecordColumn::new(name, field, conversion, declared, self.keys.contains(name)));
            } else if !self.left_out.contains(name) {
                unknown.push(name.as_str());
            }
        }
        (RecordEncoder { columns, null_values: NullValues::new(&self.entry.null_values) }, unknown)
    }
}

/// A property as the SCHEMA says it: without the catalog's own marks, and a key never null.
fn said(node: &Json, key: bool) -> Json {
    let Json::Object(members) = node else { return node.clone() };
    let mut members = members.clone();
    members.shift_remove("selected");
    members.shift_remove("inclusion");
    if let (true, Some(Json::Array(types))) = (key, members.get_mut("type")) {
        types.retain(|name| name.as_str() != Some("null"));
    }
    Json::Object(members)
}

fn with_properties(schema: &Json, properties: IndexMap<String, Json>) -> Json {
    let mut members = schema.as_object().cloned().unwrap_or_default();
    members.shift_remove("selected");
    members.insert("properties".to_owned(), Json::Object(properties));
    Json::Object(members)
}
