//! The objects of a record whose properties are columns: the record itself, and those inside it that are flattened.

use std::collections::BTreeMap;

use super::names::PropertyNames;

/// The record itself among its objects.
pub(crate) const RECORD: usize = 0;

/// One of them.
#[derive(Debug)]
pub(crate) struct Object {
    /// From the top of the record; empty for the record itself.
    pub(crate) path: Vec<String>,
    /// What its properties are: columns, and, counted behind all columns, objects.
    pub(crate) names: PropertyNames,
    /// All columns in it; none for the record itself, of which all are.
    pub(crate) columns: Vec<usize>,
}

/// What is known of an object while the tree grows.
#[derive(Default)]
struct Growing {
    path: Vec<String>,
    members: Vec<(String, usize)>,
    columns: Vec<usize>,
}

impl Object {
    /// The record, then the objects in it. `columns` are names and places of those that records fill, of `count` in
    /// all; `paths` are those of the columns that are nested.
    pub(super) fn tree<'a>(
        columns: impl Iterator<Item = (&'a str, usize)>,
        count: usize,
        paths: &BTreeMap<String, Vec<String>>,
    ) -> Vec<Self> {
        let mut objects = vec![Growing::default()];
        for (name, at) in columns {
            let own = [name.to_owned()];
            let path = paths.get(name).map_or(own.as_slice(), Vec::as_slice);
            let Some((last, above)) = path.split_last() else { continue };
            let mut object = 0;
            for depth in 1..=above.len() {
                object = inner(&mut objects, object, &path[..depth], count);
                objects[object].columns.push(at);
            }
            objects[object].members.push((last.clone(), at));
        }
        let object = |growing: Growing| Self {
            names: PropertyNames::new(growing.members.iter().map(|(name, at)| (name.as_str(), *at))),
            path: growing.path,
            columns: growing.columns,
        };
        objects.into_iter().map(object).collect()
    }
}

/// The object of this path, made in the one around it where it is not there yet.
fn inner(objects: &mut Vec<Growing>, around: usize, path: &[String], count: usize) -> usize {
    if let Some(found) = objects.iter().position(|object| object.path == path) {
        return found;
    }
    let made = objects.len();
    objects.push(Growing { path: path.to_vec(), ..Growing::default() });
    let name = path.last().cloned().unwrap_or_default();
    objects[around].members.push((name, count + made));
    made
}
