//! What is selected, in the order in which the Singer SDK resolves it, with the legacy places read too.

use super::CatalogStream;
use crate::Json;

impl CatalogStream {
    /// Whether the stream is to be synced.
    #[must_use]
    pub fn is_selected(&self) -> bool {
        self.breadcrumb_is_selected(&[])
    }

    /// Whether a property is wanted; `path` are the names from the top, `["address", "city"]`.
    ///
    /// For the stream and each property down to it, the first that is known counts: nothing said anywhere: yes;
    /// its parent is not selected: no; `inclusion` unsupported: no; automatic: yes; `selected`;
    /// `selected-by-default`; its parent's answer (for the stream: no).
    #[must_use]
    pub fn is_property_selected(&self, path: &[&str]) -> bool {
        self.breadcrumb_is_selected(&breadcrumb(path))
    }

    /// Whether the property, or the stream for an empty path, goes along whatever is selected
    /// (`inclusion: automatic`).
    #[must_use]
    pub fn is_automatic(&self, path: &[&str]) -> bool {
        self.inclusion(&breadcrumb(path)) == Some("automatic")
    }

    /// Whether the tap cannot give it (`inclusion: unsupported`).
    #[must_use]
    pub fn is_unsupported(&self, path: &[&str]) -> bool {
        self.inclusion(&breadcrumb(path)) == Some("unsupported")
    }

    /// Selects or leaves out a property, or the stream for an empty path, so that every kind of tap sees it: in the
    /// metadata, and in the places of old taps, the schema's node and the stream object. A node that is not in the
    /// schema gets the metadata alone.
    pub fn set_selected(&mut self, path: &[&str], selected: bool) {
        let breadcrumb = breadcrumb(path);
        self.set_metadata(&breadcrumb, "selected", Json::Bool(selected));
        if path.is_empty() {
            self.other.insert("selected".to_owned(), Json::Bool(selected));
        }
        let mut node = Some(&mut self.schema);
        for &step in &breadcrumb {
            node = match node {
                Some(Json::Object(members)) => members.get_mut(step),
                _ => None,
            };
        }
        if let Some(Json::Object(members)) = node {
            members.insert("selected".to_owned(), Json::Bool(selected));
        }
    }

    fn breadcrumb_is_selected(&self, breadcrumb: &[&str]) -> bool {
        let parent = match breadcrumb {
            [] => None,
            [parent @ .., _, _] => Some(self.breadcrumb_is_selected(parent)),
            _ => Some(false),
        };
        if parent == Some(false) {
            return false;
        }
        match self.inclusion(breadcrumb) {
            Some("unsupported") => return false,
            Some("automatic") => return true,
            _ => {}
        }
        let said = |name| self.metadata(breadcrumb).and_then(|metadata| flag(metadata.get(name)));
        said("selected")
            .or_else(|| self.legacy_selected(breadcrumb))
            .or_else(|| said("selected-by-default"))
            .unwrap_or(parent.unwrap_or(self.metadata.is_empty()))
    }

    fn inclusion(&self, breadcrumb: &[&str]) -> Option<&str> {
        let said = self.metadata(breadcrumb).and_then(|metadata| metadata.get("inclusion")?.as_str());
        said.or_else(|| self.node(breadcrumb)?.get("inclusion")?.as_str())
    }

    fn legacy_selected(&self, breadcrumb: &[&str]) -> Option<bool> {
        let in_schema = self.node(breadcrumb).and_then(|node| flag(node.get("selected")));
        in_schema.or_else(|| if breadcrumb.is_empty() { flag(self.other.get("selected")) } else { None })
    }

    fn node(&self, breadcrumb: &[&str]) -> Option<&Json> {
        breadcrumb.iter().try_fold(&self.schema, |node, step| node.get(step))
    }
}

/// `["a", "b"]` → `["properties", "a", "properties", "b"]`.
fn breadcrumb<'a>(path: &[&'a str]) -> Vec<&'a str> {
    path.iter().flat_map(|&name| ["properties", name]).collect()
}

/// A boolean, also as the text of one: singer's own examples write `"selected": "true"`.
fn flag(value: Option<&Json>) -> Option<bool> {
    match value? {
        Json::Bool(value) => Some(*value),
        Json::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Json::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}
