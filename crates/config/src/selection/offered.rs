//! What a stream of the catalog offers.

use singer::CatalogStream;

/// Whether there is such a column at the top; true when the tap does not say what there is.
pub(super) fn has_column(stream: &CatalogStream, name: &str) -> bool {
    let mut names = stream.property_names().peekable();
    names.peek().is_none() || names.any(|property| property == name)
}

/// `a.b` for people.
pub(super) fn dotted<T: AsRef<str>>(path: &[T]) -> String {
    path.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(".")
}
