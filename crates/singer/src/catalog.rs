//! The catalog: what a tap offers, and what of it is wanted.

mod discovery;
mod drift;
mod selection;

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

use crate::Json;

pub use drift::CatalogChange;

/// A catalog that cannot be read.
#[derive(Debug, Error)]
pub enum CatalogError {
    /// Not JSON.
    #[error("the catalog is not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// Discovery printed no object with `streams`.
    #[error(
        "the output of discovery holds no catalog, that is, no JSON object with a `streams` array ({bytes} bytes read)"
    )]
    NotFound {
        /// How much the tap printed.
        bytes: usize,
    },
    /// JSON of another shape.
    #[error("{place} of the catalog must be {expected}, but is {found}")]
    Shape {
        /// For example `streams[3].metadata`.
        place: String,
        /// What belongs there.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
}

impl CatalogError {
    /// The code of its page.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "E0410"
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotFound { .. } => {
                "run the tap with --discover by hand: it must print the catalog to stdout and logs to stderr"
                    .to_owned()
            }
            Self::NotJson(_) | Self::Shape { .. } => {
                "compare it with what the tap prints with --discover".to_owned()
            }
        })
    }
}

/// What a tap offers: its streams, in its order. Fields that are not known here are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalog {
    /// The streams.
    pub streams: Vec<CatalogStream>,
    /// Fields beside `streams`.
    pub other: IndexMap<String, Json>,
}

/// One stream of a catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogStream {
    /// Its unique id in this catalog; taps that leave it out mean the stream's name.
    pub tap_stream_id: String,
    /// The name that its messages mostly, but not always, carry.
    pub stream: String,
    /// The JSON Schema of its records.
    pub schema: Json,
    /// What is known and wanted of the stream and of its properties.
    pub metadata: Vec<MetadataEntry>,
    /// The field of that name; `None` when it is not there. See [`Self::key`] for the key that holds.
    pub key_properties: Option<Vec<String>>,
    /// The field of that name. See [`Self::effective_replication_key`].
    pub replication_key: Option<String>,
    /// The field of that name, `""` included. See [`Self::effective_replication_method`].
    pub replication_method: Option<String>,
    /// All other fields, in their order.
    pub other: IndexMap<String, Json>,
}

/// Metadata of one place in a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataEntry {
    /// `[]` is the stream, `["properties", "a"]` a property.
    pub breadcrumb: Vec<String>,
    /// What is said about it.
    pub metadata: IndexMap<String, Json>,
}

impl Catalog {
    /// Reads a catalog file.
    ///
    /// # Errors
    /// [`CatalogError`].
    pub fn parse(text: &str) -> Result<Self, CatalogError> {
        Self::from_json(Json::parse(text)?)
    }

    /// Reads a catalog that is already a tree.
    ///
    /// # Errors
    /// [`CatalogError::Shape`].
    pub fn from_json(tree: Json) -> Result<Self, CatalogError> {
        let mut fields = object(tree, "the root")?;
        let streams = match fields.shift_remove("streams") {
            Some(streams) => array(streams, "`streams`")?,
            None => return Err(shape("`streams`", "an array", &Json::Null)),
        };
        let streams = streams.into_iter().enumerate().map(|(i, stream)| CatalogStream::from_json(stream, i));
        Ok(Self { streams: streams.collect::<Result<_, _>>()?, other: fields })
    }

    /// The whole as a tree, to be written.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut fields = IndexMap::new();
        fields.insert(
            "streams".to_owned(),
            Json::Array(self.streams.iter().map(CatalogStream::to_json).collect()),
        );
        fields.extend(self.other.clone());
        Json::Object(fields)
    }

    /// The stream of that `tap_stream_id`.
    #[must_use]
    pub fn stream(&self, tap_stream_id: &str) -> Option<&CatalogStream> {
        self.streams.iter().find(|stream| stream.tap_stream_id == tap_stream_id)
    }

    /// The streams that are to be synced, by [`CatalogStream::is_selected`].
    pub fn selected_streams(&self) -> impl Iterator<Item = &CatalogStream> {
        self.streams.iter().filter(|stream| stream.is_selected())
    }
}

impl CatalogStream {
    /// A stream of this name and schema, keyless, nothing said about it yet.
    #[must_use]
    pub fn new(tap_stream_id: &str, schema: Json) -> Self {
        Self {
            tap_stream_id: tap_stream_id.to_owned(),
            stream: tap_stream_id.to_owned(),
            schema,
            metadata: Vec::new(),
            key_properties: None,
            replication_key: None,
            replication_method: None,
            other: IndexMap::new(),
        }
    }

    fn from_json(tree: Json, index: usize) -> Result<Self, CatalogError> {
        let at = |name: &str| format!("streams[{index}].{name}");
        let mut fields = object(tree, &format!("streams[{index}]"))?;
        let mut text = |name: &str| match fields.shift_remove(name) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(other) => Err(shape(&at(name), "a string", &other)),
        };
        let (id, stream) = (text("tap_stream_id")?, text("stream")?);
        let (replication_key, replication_method) = (text("replication_key")?, text("replication_method")?);
        let (tap_stream_id, stream) = match (id, stream) {
            (Some(id), Some(stream)) => (id, stream),
            (Some(name), None) | (None, Some(name)) => (name.clone(), name),
            (None, None) => return Err(shape(&at("tap_stream_id"), "a string", &Json::Null)),
        };
        let schema = fields.shift_remove("schema").unwrap_or_else(|| Json::Object(IndexMap::new()));
        let schema = Json::Object(object(schema, &at("schema"))?);
        let metadata = match fields.shift_remove("metadata") {
            None | Some(Json::Null) => Vec::new(),
            Some(entries) => array(entries, &at("metadata"))?
                .into_iter()
                .map(|entry| MetadataEntry::from_json(entry, &at("metadata")))
                .collect::<Result<_, _>>()?,
        };
        let key_properties = match fields.shift_remove("key_properties") {
            None | Some(Json::Null) => None,
            Some(Json::String(one)) => Some(vec![one]),
            Some(list) => Some(strings(list, &at("key_properties"))?),
        };
        Ok(Self {
            tap_stream_id,
            stream,
            schema,
            metadata,
            key_properties,
            replication_key,
            replication_method,
            other: fields,
        })
    }

    fn to_json(&self) -> Json {
        let mut fields = IndexMap::new();
        let mut put = |name: &str, value: Option<Json>| {
            if let Some(value) = value {
                fields.insert(name.to_owned(), value);
            }
        };
        let text = |text: &Option<String>| text.clone().map(Json::String);
        put("tap_stream_id", Some(Json::String(self.tap_stream_id.clone())));
        put("stream", Some(Json::String(self.stream.clone())));
        put("key_properties", self.key_properties.as_deref().map(string_list));
        put("replication_key", text(&self.replication_key));
        put("replication_method", text(&self.replication_method));
        put("schema", Some(self.schema.clone()));
        put("metadata", Some(Json::Array(self.metadata.iter().map(MetadataEntry::to_json).collect())));
        fields.extend(self.other.clone());
        Json::Object(fields)
    }

    /// What is said about the place, `&[]` for the stream itself. Of two entries about it the last counts, as with
    /// singer-python and the SDK.
    #[must_use]
    pub fn metadata(&self, breadcrumb: &[&str]) -> Option<&IndexMap<String, Json>> {
        self.metadata.iter().rfind(|entry| entry.breadcrumb == breadcrumb).map(|entry| &entry.metadata)
    }

    /// Says one thing about the place. Does not reach the legacy places: see [`Self::set_selected`].
    pub fn set_metadata(&mut self, breadcrumb: &[&str], key: &str, value: Json) {
        let known = self.metadata.iter().rposition(|entry| entry.breadcrumb == breadcrumb);
        let index = known.unwrap_or_else(|| {
            let breadcrumb = breadcrumb.iter().map(|&step| step.to_owned()).collect();
            self.metadata.push(MetadataEntry { breadcrumb, metadata: IndexMap::new() });
            self.metadata.len() - 1
        });
        if let Some(entry) = self.metadata.get_mut(index) {
            entry.metadata.insert(key.to_owned(), value);
        }
    }

    /// The names of the top-level properties, in the tap's order.
    pub fn property_names(&self) -> impl Iterator<Item = &str> {
        let properties = self.schema.get("properties").and_then(Json::as_object);
        properties.into_iter().flatten().map(|(name, _)| name.as_str())
    }

    /// The paths of all properties, nested ones after the one that holds them. Empty when the tap does not say.
    #[must_use]
    pub fn property_paths(&self) -> Vec<Vec<String>> {
        let mut paths = Vec::new();
        nested(&self.schema, &mut Vec::new(), &mut paths);
        paths
    }

    /// The key that holds: of a view `view-key-properties`, else `table-key-properties`, else the field.
    #[must_use]
    pub fn key(&self) -> Vec<String> {
        let root = self.metadata(&[]);
        let listed = |name: &str| -> Option<Vec<String>> {
            let items = root?.get(name)?.as_array()?;
            let names: Vec<_> = items.iter().filter_map(Json::as_str).map(str::to_owned).collect();
            (!names.is_empty()).then_some(names)
        };
        listed("view-key-properties")
            .or_else(|| listed("table-key-properties"))
            .or_else(|| self.key_properties.clone())
            .unwrap_or_default()
    }

    /// `forced-replication-method`, else `replication-method` of the metadata, else the field, when not empty.
    #[must_use]
    pub fn effective_replication_method(&self) -> Option<&str> {
        self.root_text("forced-replication-method")
            .or_else(|| self.root_text("replication-method"))
            .or(self.replication_method.as_deref().filter(|method| !method.is_empty()))
    }

    /// `replication-key` of the metadata, else the field, when not empty.
    #[must_use]
    pub fn effective_replication_key(&self) -> Option<&str> {
        self.root_text("replication-key").or(self.replication_key.as_deref().filter(|key| !key.is_empty()))
    }

    fn root_text(&self, name: &str) -> Option<&str> {
        self.metadata(&[])?.get(name)?.as_str().filter(|text| !text.is_empty())
    }
}

impl MetadataEntry {
    fn from_json(tree: Json, place: &str) -> Result<Self, CatalogError> {
        let mut fields = object(tree, &format!("an entry in {place}"))?;
        let breadcrumb = match fields.shift_remove("breadcrumb") {
            None | Some(Json::Null) => Vec::new(),
            Some(list) => strings(list, &format!("a breadcrumb in {place}"))?,
        };
        let metadata = match fields.shift_remove("metadata") {
            None | Some(Json::Null) => IndexMap::new(),
            Some(metadata) => object(metadata, &format!("a metadata in {place}"))?,
        };
        Ok(Self { breadcrumb, metadata })
    }

    fn to_json(&self) -> Json {
        Json::Object(IndexMap::from([
            ("breadcrumb".to_owned(), string_list(&self.breadcrumb)),
            ("metadata".to_owned(), Json::Object(self.metadata.clone())),
        ]))
    }
}

impl<'de> Deserialize<'de> for Catalog {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_json(Json::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl Serialize for Catalog {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

fn nested(schema: &Json, above: &mut Vec<String>, paths: &mut Vec<Vec<String>>) {
    for (name, schema) in schema.get("properties").and_then(Json::as_object).into_iter().flatten() {
        above.push(name.clone());
        paths.push(above.clone());
        // A catalog is the tap's: however deep it is, ours is not.
        if above.len() < 32 {
            nested(schema, above, paths);
        }
        above.pop();
    }
}

fn shape(place: &str, expected: &'static str, found: &Json) -> CatalogError {
    CatalogError::Shape { place: place.to_owned(), expected, found: found.kind() }
}

fn object(tree: Json, place: &str) -> Result<IndexMap<String, Json>, CatalogError> {
    if let Json::Object(fields) = tree { Ok(fields) } else { Err(shape(place, "an object", &tree)) }
}

fn array(tree: Json, place: &str) -> Result<Vec<Json>, CatalogError> {
    if let Json::Array(items) = tree { Ok(items) } else { Err(shape(place, "an array", &tree)) }
}

fn strings(tree: Json, place: &str) -> Result<Vec<String>, CatalogError> {
    let text = |item| {
        if let Json::String(text) = item { Ok(text) } else { Err(shape(place, "a list of strings", &item)) }
    };
    array(tree, place)?.into_iter().map(text).collect()
}

fn string_list(items: &[String]) -> Json {
    Json::Array(items.iter().cloned().map(Json::String).collect())
}

#[cfg(test)]
mod tests;
