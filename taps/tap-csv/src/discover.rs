//! The catalog: a stream an entry, with the columns found in its files.

use std::fmt::Write as _;

use singer::{Catalog, CatalogStream, Json};
use tap_sdk::TapError;

use crate::config::{Config, FileEntry};
use crate::{files, infer};

/// Looks at all files of the config.
pub(crate) fn discover(config: &Config) -> Result<Catalog, TapError> {
    let streams = config.files.iter().map(stream).collect::<Result<_, _>>()?;
    Ok(Catalog { streams, ..Catalog::default() })
}

fn stream(entry: &FileEntry) -> Result<CatalogStream, TapError> {
    let paths = files::find(&entry.path)?;
    let columns = infer::columns(entry, &paths)?;
    let mut properties = String::new();
    for (name, column_type) in &columns {
        let separator = if properties.is_empty() { "" } else { "," };
        let nullable = !entry.key_properties.contains(name);
        let name = Json::String(name.clone());
        let _ = write!(properties, "{separator}{name}:{}", column_type.schema(nullable));
    }
    let schema =
        Json::parse(&format!(r#"{{"type":"object","properties":{{{properties}}}}}"#)).map_err(|error| {
            TapError::failed(format!("{}: the schema cannot be written: {error}", entry.stream))
        })?;
    let mut stream = CatalogStream::new(&entry.stream, schema);
    let text = |text: &str| Json::String(text.to_owned());
    let keys = Json::Array(entry.key_properties.iter().map(|key| text(key)).collect());
    let method = entry.replication_method.name();
    stream.key_properties = Some(entry.key_properties.clone());
    stream.replication_method = Some(method.to_owned());
    stream.set_metadata(&[], "inclusion", text("available"));
    stream.set_metadata(&[], "selected-by-default", Json::Bool(true));
    stream.set_metadata(&[], "table-key-properties", keys);
    stream.set_metadata(&[], "replication-method", text(method));
    for name in columns.keys() {
        let inclusion = if entry.key_properties.contains(name) { "automatic" } else { "available" };
        let breadcrumb = ["properties", name.as_str()];
        stream.set_metadata(&breadcrumb, "inclusion", text(inclusion));
        stream.set_metadata(&breadcrumb, "selected-by-default", Json::Bool(true));
    }
    Ok(stream)
}
