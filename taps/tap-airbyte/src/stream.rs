//! A stream that is read: how, and what it is known by on both sides.

use indexmap::IndexMap;
use singer::{Catalog, CatalogStream, Json};
use tap_sdk::TapError;

use crate::discover::OWN;
use crate::offered::{Descriptor, Offered};

/// How a stream is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// All of it, replacing what was there before.
    FullTable,
    /// What is new, by the source's state.
    Incremental,
}

/// A selected stream.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    pub(crate) id: String,
    pub(crate) descriptor: Descriptor,
    pub(crate) method: Method,
    pub(crate) is_resumable: bool,
    pub(crate) key: Vec<String>,
    /// Of the selected columns, as Singer has it.
    pub(crate) schema: Json,
    /// The path of the cursor; empty where the source goes by its own.
    pub(crate) cursor: Vec<String>,
    /// Paths.
    pub(crate) primary_key: Vec<Vec<String>>,
    /// The source's own description, without the columns that are left out.
    pub(crate) own: Json,
}

impl Stream {
    /// Whether what is sent again after a failure would be there twice.
    pub(crate) fn doubles(&self) -> bool {
        self.key.is_empty() && (self.method == Method::Incremental || self.is_resumable)
    }
}

/// The selected streams of a catalog.
///
/// # Errors
/// One is to be read as its source cannot.
pub(crate) fn selected(catalog: &Catalog) -> Result<Vec<Stream>, TapError> {
    catalog.selected_streams().map(stream).collect()
}

fn stream(stream: &CatalogStream) -> Result<Stream, TapError> {
    let id = &stream.tap_stream_id;
    let refused =
        |problem: &str, hint: &str| Err(TapError::config(format!("stream {id}: {problem}")).with_hint(hint));
    let own = stream.other.get(OWN).and_then(|own| Some((own, Offered::read(own).ok()?)));
    let Some((own, offered)) = own else {
        return refused(
            &format!("the catalog lacks its `{OWN}`"),
            "take the catalog that `tapster discover --json` prints",
        );
    };
    let method = match stream.effective_replication_method() {
        Some("INCREMENTAL") if offered.incremental() => Method::Incremental,
        Some("FULL_TABLE") | None if offered.full_refresh() => Method::FullTable,
        method => {
            let method = method.unwrap_or("FULL_TABLE");
            let can = if offered.incremental() { "INCREMENTAL" } else { "FULL_TABLE" };
            return refused(
                &format!("the source does not read it by {method}"),
                &format!("it reads it by {can}"),
            );
        }
    };
    let cursor = match stream.effective_replication_key() {
        Some(key) if !offered.own_cursor => vec![key.to_owned()],
        _ => offered.default_cursor.clone(),
    };
    if method == Method::Incremental && cursor.is_empty() && !offered.own_cursor {
        return refused("the source does not say what it is read on by", "give it a `replication_key`");
    }
    let wanted = |name: &str| stream.is_property_selected(&[name]);
    let key = stream.key();
    let primary_key = if offered.primary_key.is_empty() {
        key.iter().map(|name| vec![name.clone()]).collect()
    } else {
        offered.primary_key
    };
    Ok(Stream {
        id: id.clone(),
        descriptor: offered.descriptor,
        method,
        is_resumable: offered.is_resumable,
        schema: with_properties(&stream.schema, wanted),
        key,
        cursor,
        primary_key,
        own: with_own_properties(own, wanted),
    })
}

/// The schema without the properties that are not wanted.
fn with_properties(schema: &Json, wanted: impl Fn(&str) -> bool) -> Json {
    edited(schema, "properties", |properties| properties.retain(|name, _| wanted(name)))
}

fn with_own_properties(own: &Json, wanted: impl Fn(&str) -> bool) -> Json {
    let schema = own.get("json_schema").map(|schema| with_properties(schema, wanted));
    let mut own = own.clone();
    if let (Json::Object(members), Some(schema)) = (&mut own, schema) {
        members.insert("json_schema".to_owned(), schema);
    }
    own
}

fn edited(tree: &Json, name: &str, edit: impl FnOnce(&mut IndexMap<String, Json>)) -> Json {
    let mut tree = tree.clone();
    if let Json::Object(members) = &mut tree
        && let Some(Json::Object(inside)) = members.get_mut(name)
    {
        edit(inside);
    }
    tree
}

#[cfg(test)]
pub(crate) mod tests {
    use singer::{Catalog, Json};

    use super::{Method, Stream, selected};

    /// A stream of this id, read so.
    pub(crate) fn plain(id: &str, method: Method, is_resumable: bool) -> Stream {
        Stream {
            id: id.to_owned(),
            descriptor: crate::offered::Descriptor { name: id.to_owned(), namespace: None },
            method,
            is_resumable,
            key: Vec::new(),
            schema: Json::Object(indexmap::IndexMap::new()),
            cursor: Vec::new(),
            primary_key: Vec::new(),
            own: Json::Object(indexmap::IndexMap::new()),
        }
    }

    fn one(own: &str, metadata: &str) -> Result<Stream, String> {
        let schema =
            r#"{"properties":{"id":{"type":"integer"},"at":{"type":"string"},"no":{"type":"string"}}}"#;
        let own = own.replace("SCHEMA", schema);
        let catalog = Catalog::parse(&format!(
            r#"{{"streams":[{{"tap_stream_id":"s","schema":{schema},"airbyte_stream":{own},"metadata":[{{"breadcrumb":[],"metadata":{{"selected":true,{metadata}}}}},{{"breadcrumb":["properties","no"],"metadata":{{"selected":false}}}}]}}]}}"#
        ));
        selected(&catalog.unwrap()).map(|mut streams| streams.remove(0)).map_err(|error| error.to_string())
    }

    const BOTH: &str =
        r#"{"name":"s","json_schema":SCHEMA,"supported_sync_modes":["full_refresh","incremental"]}"#;

    #[test]
    fn the_catalog_decides_method_cursor_key_and_columns() {
        let stream = one(
            BOTH,
            r#""replication-method":"INCREMENTAL","replication-key":"at","table-key-properties":["id"]"#,
        )
        .unwrap();
        assert_eq!((stream.method, stream.cursor), (Method::Incremental, vec!["at".to_owned()]));
        assert_eq!(stream.primary_key, [["id"]]);
        for schema in [&stream.schema, stream.own.get("json_schema").unwrap()] {
            let names: Vec<&String> = schema.get("properties").unwrap().as_object().unwrap().keys().collect();
            assert_eq!(names, ["id", "at"]);
        }
    }

    #[test]
    fn what_the_source_cannot_do_is_refused() {
        let full = r#"{"name":"s","json_schema":SCHEMA,"supported_sync_modes":["full_refresh"]}"#;
        let told = one(full, r#""replication-method":"INCREMENTAL""#).unwrap_err();
        assert!(told.contains("stream s: the source does not read it by INCREMENTAL"), "{told}");
        assert!(one(BOTH, r#""replication-method":"LOG_BASED""#).is_err());
        let told = one(BOTH, r#""replication-method":"INCREMENTAL""#).unwrap_err();
        assert!(told.contains("read on by"), "{told}");
        assert!(one("{}", r#""replication-method":"FULL_TABLE""#).is_err());
        let own = r#"{"name":"s","json_schema":SCHEMA,"supported_sync_modes":["incremental"],"source_defined_cursor":true}"#;
        assert!(one(own, r#""replication-method":"INCREMENTAL""#).is_ok());
    }
}
