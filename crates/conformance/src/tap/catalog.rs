//! Whether what a catalog names is there.

use std::collections::HashSet;

use singer::{Catalog, CatalogStream, Json};

use super::rules::CATALOG;
use crate::Check;
use crate::report::Findings;

pub(super) fn check(catalog: &Catalog) -> Check {
    let mut findings = Findings::default();
    let mut ids = HashSet::new();
    for stream in &catalog.streams {
        let id = &stream.tap_stream_id;
        if !ids.insert(id) {
            findings.add(format!("two streams have the tap_stream_id {id}"));
        }
        for (what, name) in named(stream) {
            if !stream.property_names().any(|property| property == name) {
                findings.add(format!("stream {id}: {what} `{name}` is not in its schema"));
            }
        }
        for entry in &stream.metadata {
            if !is_there(&stream.schema, &entry.breadcrumb) {
                findings.add(format!(
                    "stream {id}: metadata for {}, which its schema does not have",
                    entry.breadcrumb.join(".")
                ));
            }
        }
    }
    CATALOG.judged(&findings, "every key, replication key and breadcrumb is in its stream's schema")
}

fn named(stream: &CatalogStream) -> Vec<(&'static str, String)> {
    let key = stream.effective_replication_key().map(|name| ("replication key", name.to_owned()));
    stream.key().into_iter().map(|name| ("key property", name)).chain(key).collect()
}

fn is_there(schema: &Json, breadcrumb: &[String]) -> bool {
    breadcrumb.iter().try_fold(schema, |node, step| node.get(step)).is_some()
}
