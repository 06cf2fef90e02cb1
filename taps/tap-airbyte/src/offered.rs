//! A stream as the source offers it, and by which two names it is known.

use serde::{Deserialize, Serialize};
use singer::Json;

/// Name and namespace, by which the source knows a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Descriptor {
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) namespace: Option<String>,
}

impl Descriptor {
    /// The `tap_stream_id`: `namespace-name`.
    pub(crate) fn id(&self) -> String {
        match self.namespace() {
            Some(namespace) => format!("{namespace}-{}", self.name),
            None => self.name.clone(),
        }
    }

    pub(crate) fn is(&self, name: &str, namespace: Option<&str>) -> bool {
        self.name == name && self.namespace() == namespace
    }

    fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref().filter(|namespace| !namespace.is_empty())
    }
}

/// An `AirbyteStream`.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "Read")]
pub(crate) struct Offered {
    pub(crate) descriptor: Descriptor,
    pub(crate) json_schema: Json,
    modes: Vec<String>,
    /// Whether the cursor is the source's own choice.
    pub(crate) own_cursor: bool,
    pub(crate) default_cursor: Vec<String>,
    /// Each a path.
    pub(crate) primary_key: Vec<Vec<String>>,
    pub(crate) is_resumable: bool,
}

#[derive(Deserialize)]
struct Read {
    #[serde(flatten)]
    descriptor: Descriptor,
    json_schema: Json,
    supported_sync_modes: Option<Vec<String>>,
    source_defined_cursor: Option<bool>,
    default_cursor_field: Option<Vec<String>>,
    source_defined_primary_key: Option<Vec<Vec<String>>>,
    is_resumable: Option<bool>,
}

impl From<Read> for Offered {
    fn from(read: Read) -> Self {
        Self {
            descriptor: read.descriptor,
            json_schema: read.json_schema,
            modes: read.supported_sync_modes.unwrap_or_default(),
            own_cursor: read.source_defined_cursor.unwrap_or(false),
            default_cursor: read.default_cursor_field.unwrap_or_default(),
            primary_key: read.source_defined_primary_key.unwrap_or_default(),
            is_resumable: read.is_resumable.unwrap_or(false),
        }
    }
}

impl Offered {
    pub(crate) fn read(stream: &Json) -> Result<Self, serde_json::Error> {
        serde_json::from_str(&stream.to_string())
    }

    /// Whether all of it can be read. Sources that say nothing know this one way alone.
    pub(crate) fn full_refresh(&self) -> bool {
        self.modes.is_empty() || self.modes.iter().any(|mode| mode == "full_refresh")
    }

    /// Whether it can be read on.
    pub(crate) fn incremental(&self) -> bool {
        self.modes.iter().any(|mode| mode == "incremental")
    }

    /// The key as Singer has it: top-level properties. One that lies deeper is none.
    pub(crate) fn key(&self) -> Option<Vec<String>> {
        let top = |path: &Vec<String>| if let [name] = path.as_slice() { Some(name.clone()) } else { None };
        self.primary_key.iter().map(top).collect()
    }
}
