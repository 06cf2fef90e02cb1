//! In what a catalog differs from an earlier one.

use serde::Serialize;

use super::{Catalog, CatalogStream};
use crate::Json;

/// One difference, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum CatalogChange {
    /// The tap offers one more stream.
    StreamAdded {
        /// Its `tap_stream_id`.
        stream: String,
        /// Whether it is loaded.
        selected: bool,
    },
    /// A stream that was loaded is no longer offered.
    StreamRemoved {
        /// Its `tap_stream_id`.
        stream: String,
    },
    /// A stream has a new column, which is loaded.
    ColumnAdded {
        /// The stream.
        stream: String,
        /// Names from the top, with points between them.
        column: String,
    },
    /// A column that was loaded is gone.
    ColumnRemoved {
        /// The stream.
        stream: String,
        /// Names from the top, with points between them.
        column: String,
    },
    /// A column has another type.
    ColumnRetyped {
        /// The stream.
        stream: String,
        /// Names from the top, with points between them.
        column: String,
        /// What it was: `integer`, `string date-time`.
        before: String,
        /// What it is.
        after: String,
    },
}

impl Catalog {
    /// What has changed since `before` in streams and columns that are, or were, selected; and every new stream.
    /// Whether a value may be null is no difference.
    #[must_use]
    pub fn changes_since(&self, before: &Self) -> Vec<CatalogChange> {
        let mut changes = Vec::new();
        for old in before.selected_streams() {
            let stream = old.tap_stream_id.clone();
            match self.stream(&stream) {
                None => changes.push(CatalogChange::StreamRemoved { stream }),
                Some(new) => compare(old, new, &mut Vec::new(), &mut changes),
            }
        }
        for new in &self.streams {
            if before.stream(&new.tap_stream_id).is_none() {
                let (stream, selected) = (new.tap_stream_id.clone(), new.is_selected());
                changes.push(CatalogChange::StreamAdded { stream, selected });
            }
        }
        changes
    }
}

/// Compares the properties below a path.
fn compare(
    old: &CatalogStream,
    new: &CatalogStream,
    path: &mut Vec<String>,
    changes: &mut Vec<CatalogChange>,
) {
    let stream = || new.tap_stream_id.clone();
    let selected = |of: &CatalogStream, path: &[String]| {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        of.is_property_selected(&path)
    };
    for name in names(&old.schema, path) {
        path.push(name);
        let column = path.join(".");
        match (at(&old.schema, path), at(&new.schema, path)) {
            _ if !selected(old, path) => {}
            (Some(_), None) => changes.push(CatalogChange::ColumnRemoved { stream: stream(), column }),
            (Some(was), Some(is)) if selected(new, path) => {
                let (before, after) = (type_words(was), type_words(is));
                if before != after {
                    let stream = stream();
                    changes.push(CatalogChange::ColumnRetyped { stream, column, before, after });
                }
                compare(old, new, path, changes);
            }
            _ => {}
        }
        path.pop();
    }
    for name in names(&new.schema, path) {
        path.push(name);
        if at(&old.schema, path).is_none() && selected(new, path) {
            changes.push(CatalogChange::ColumnAdded { stream: stream(), column: path.join(".") });
        }
        path.pop();
    }
}

fn at<'a>(schema: &'a Json, path: &[String]) -> Option<&'a Json> {
    path.iter().try_fold(schema, |schema, name| schema.get("properties")?.get(name))
}

fn names(schema: &Json, path: &[String]) -> Vec<String> {
    let properties = at(schema, path).and_then(|schema| schema.get("properties")).and_then(Json::as_object);
    properties.into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

/// `string date-time`; what has no type is told by its whole schema.
fn type_words(schema: &Json) -> String {
    let Some(said) = schema.get("type") else { return schema.to_string() };
    let one = std::slice::from_ref(said);
    let kinds = said.as_array().unwrap_or(one).iter().filter_map(Json::as_str).filter(|kind| *kind != "null");
    let mut kinds: Vec<&str> = kinds.collect();
    kinds.sort_unstable();
    let format = schema.get("format").and_then(Json::as_str);
    let words = kinds.join(" or ");
    format.map_or(words.clone(), |format| format!("{words} {format}"))
}

#[cfg(test)]
mod tests {
    use super::{Catalog, CatalogChange};

    fn catalog(streams: &[(&str, &str, &str)]) -> Catalog {
        let stream = |(id, properties, metadata): &(&str, &str, &str)| {
            format!(
                r#"{{"tap_stream_id":"{id}","schema":{{"properties":{{{properties}}}}},"metadata":[{metadata}]}}"#
            )
        };
        let streams: Vec<String> = streams.iter().map(stream).collect();
        Catalog::parse(&format!(r#"{{"streams":[{}]}}"#, streams.join(","))).unwrap()
    }

    const SELECTED: &str = r#"{"breadcrumb":[],"metadata":{"selected":true}}"#;
    const NOT_SELECTED: &str = r#"{"breadcrumb":[],"metadata":{"selected":false}}"#;

    #[test]
    fn streams_and_columns_come_go_and_change_their_type() {
        let before = catalog(&[
            (
                "a",
                r#""id":{"type":"integer"},"x":{"type":"string"},"n":{"type":["null","integer"]}"#,
                SELECTED,
            ),
            ("gone", "", SELECTED),
            ("never", r#""id":{"type":"integer"}"#, NOT_SELECTED),
        ]);
        let after = catalog(&[
            (
                "a",
                r#""id":{"type":["integer","null"]},"n":{"type":"string","format":"date"},"new":{}"#,
                SELECTED,
            ),
            ("never", r#""id":{"type":"string"}"#, NOT_SELECTED),
            ("more", "", NOT_SELECTED),
        ]);
        let (a, column) = (|| "a".to_owned(), |name: &str| name.to_owned());
        let wanted = [
            CatalogChange::ColumnRemoved { stream: a(), column: column("x") },
            CatalogChange::ColumnRetyped {
                stream: a(),
                column: column("n"),
                before: "integer".into(),
                after: "string date".into(),
            },
            CatalogChange::ColumnAdded { stream: a(), column: column("new") },
            CatalogChange::StreamRemoved { stream: "gone".into() },
            CatalogChange::StreamAdded { stream: "more".into(), selected: false },
        ];
        assert_eq!(after.changes_since(&before), wanted);
        assert_eq!(after.changes_since(&after), []);
    }

    #[test]
    fn nested_columns_are_told_by_their_path_and_excluded_ones_not_at_all() {
        let excluded =
            format!(r#"{SELECTED},{{"breadcrumb":["properties","secret"],"metadata":{{"selected":false}}}}"#);
        let nested = |kind: &str| {
            let properties = format!(
                r#""o":{{"type":"object","properties":{{"in":{{"type":"{kind}"}}}}}},"secret":{{"type":"{kind}"}}"#
            );
            catalog(&[("a", &properties, &excluded)])
        };
        let changes = nested("string").changes_since(&nested("integer"));
        let told: Vec<_> = changes
            .iter()
            .map(|change| match change {
                CatalogChange::ColumnRetyped { column, .. } => column.as_str(),
                _ => "",
            })
            .collect();
        assert_eq!(told, ["o.in"]);
    }
}
