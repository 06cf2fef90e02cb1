//! How a stream is read: method, replication key, key.

use singer::{CatalogStream, Json};

use super::apply::names_to_json;
use super::offered::has_column;
use crate::problem::{Problem, did_you_mean, one_of};
use crate::streams::{Placed, RuleSettings, StreamFault};

/// Writes them into the metadata and into the fields that old taps read.
pub(super) fn write(stream: &mut CatalogStream, merged: &RuleSettings, problems: &mut Vec<Problem>) {
    if let Some(method) = &merged.replication_method {
        let wanted = method.value.as_str();
        let forced = root_text(stream, "forced-replication-method");
        if let Some(forced) = forced.filter(|forced| forced != wanted) {
            let reason = format!("the tap reads it with {forced} and nothing else");
            problems.push(Problem::new(not_honoured(stream, wanted, reason), &method.place));
        }
        stream.set_metadata(&[], "replication-method", Json::String(wanted.to_owned()));
        stream.replication_method = Some(wanted.to_owned());
    }
    if let Some(key) = merged.effective_replication_key() {
        check_column(stream, key, &key.value, problems);
        check_valid_key(stream, key, problems);
        stream.set_metadata(&[], "replication-key", Json::String(key.value.clone()));
        stream.replication_key = Some(key.value.clone());
    }
    if let Some(key) = &merged.key_properties {
        let flattened = flattened(stream, merged.flatten.as_ref().map_or(0, |depth| depth.value));
        let at_the_top = key.value.iter().filter(|column| !flattened.contains(column));
        at_the_top.for_each(|column| check_column(stream, key, column, problems));
        // A view's key is read from the one, a table's from the other.
        for name in ["table-key-properties", "view-key-properties"] {
            if name.starts_with("table") || root_text(stream, name).is_some() || has_list(stream, name) {
                stream.set_metadata(&[], name, names_to_json(&key.value));
            }
        }
        stream.key_properties = Some(key.value.clone());
    }
}

/// A tap may say which keys it can go by.
fn check_valid_key(stream: &CatalogStream, key: &Placed<String>, problems: &mut Vec<Problem>) {
    let valid = stream.metadata(&[]).and_then(|root| root.get("valid-replication-keys"));
    let valid: Vec<&str> =
        valid.and_then(Json::as_array).unwrap_or_default().iter().filter_map(Json::as_str).collect();
    if !valid.is_empty() && !valid.contains(&key.value.as_str()) {
        let reason = format!("the tap can go by {}", one_of(&valid));
        let wanted = format!("the replication key `{}`", key.value);
        problems.push(Problem::new(not_honoured(stream, &wanted, reason), &key.place));
    }
}

fn check_column<T>(stream: &CatalogStream, said: &Placed<T>, column: &str, problems: &mut Vec<Problem>) {
    if has_column(stream, column) {
        return;
    }
    let fault = StreamFault::NoColumn {
        stream: stream.tap_stream_id.clone(),
        column: column.to_owned(),
        meant: did_you_mean(column, stream.property_names()).map(str::to_owned),
    };
    problems.push(Problem::new(fault, &said.place));
}

/// The names of the nested columns that so many levels make.
fn flattened(stream: &CatalogStream, depth: usize) -> Vec<String> {
    let made = stream.property_paths().into_iter().filter(|path| (2..=depth + 1).contains(&path.len()));
    made.map(|path| path.join("__")).collect()
}

fn not_honoured(stream: &CatalogStream, wanted: &str, reason: String) -> StreamFault {
    StreamFault::NotHonoured { stream: stream.tap_stream_id.clone(), wanted: wanted.to_owned(), reason }
}

/// A text of the stream's metadata. The Meltano SDK writes an empty one where it has nothing to say.
fn root_text(stream: &CatalogStream, name: &str) -> Option<String> {
    stream.metadata(&[])?.get(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn has_list(stream: &CatalogStream, name: &str) -> bool {
    stream
        .metadata(&[])
        .and_then(|root| root.get(name))
        .and_then(Json::as_array)
        .is_some_and(|list| !list.is_empty())
}
