//! What a stream of the catalog offers.

use singer::{CatalogStream, Json};

/// The paths of all columns, nested ones after the one that holds them. Empty when the tap does not say.
pub(super) fn columns(stream: &CatalogStream) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    nested(&stream.schema, &mut Vec::new(), &mut paths);
    paths
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

/// Whether there is such a column at the top; true when the tap does not say what there is.
pub(super) fn has_column(stream: &CatalogStream, name: &str) -> bool {
    let mut names = stream.property_names().peekable();
    names.peek().is_none() || names.any(|property| property == name)
}

/// `a.b` for people.
pub(super) fn dotted<T: AsRef<str>>(path: &[T]) -> String {
    path.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(".")
}
