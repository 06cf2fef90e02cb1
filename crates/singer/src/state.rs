//! STATE: opaque to everybody but the tap that wrote it.

use std::sync::Arc;

use serde::de::Error as _;
use serde_json::value::RawValue;
use thiserror::Error;

use crate::{Json, RawJson};

/// Why a STATE could not be read or edited.
#[derive(Debug, Error)]
pub enum StateError {
    /// Not JSON at all.
    #[error("the STATE is not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// Its shape is not the usual one, so that a single stream's bookmark cannot be told.
    #[error(
        "this tap's STATE has no `bookmarks` object, so a single stream's bookmark cannot be changed: clear or set the whole STATE"
    )]
    NoBookmarks,
}

/// The value of a STATE message, byte for byte as the tap wrote it. Cheap to copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State(Arc<str>);

impl State {
    /// Takes JSON text as a STATE, unchanged.
    ///
    /// # Errors
    /// When the text is not one JSON value.
    pub fn parse(text: &str) -> Result<Self, StateError> {
        let raw: &RawValue = serde_json::from_str(text)?;
        Ok(Self(raw.get().into()))
    }

    pub(crate) fn from_raw(raw: RawJson) -> Self {
        Self(raw.get().into())
    }

    /// The JSON text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The entries of `bookmarks` with their ids, for people and for the state verbs. Ids are not stream names.
    #[must_use]
    pub fn bookmarks(&self) -> Vec<Bookmark> {
        let Ok(tree) = Json::parse(&self.0) else { return Vec::new() };
        let Some(entries) = tree.get("bookmarks").and_then(Json::as_object) else { return Vec::new() };
        entries.iter().map(|(id, value)| Bookmark { id: id.clone(), value: value.clone() }).collect()
    }

    /// The same STATE without the bookmarks that `drop` names.
    ///
    /// # Errors
    /// [`StateError::NoBookmarks`] when the STATE has another shape.
    pub fn without_bookmarks(&self, drop: impl Fn(&str) -> bool) -> Result<Self, StateError> {
        self.edit(|bookmarks| bookmarks.retain(|id, _| !drop(id)))
    }

    /// The same STATE with those bookmarks of `older` that it lacks and that `keep` names: a tap that ran some of
    /// its streams may have dropped the others.
    ///
    /// # Errors
    /// [`StateError::NoBookmarks`] when either STATE has another shape.
    pub fn with_bookmarks_of(&self, older: &Self, keep: impl Fn(&str) -> bool) -> Result<Self, StateError> {
        let older = Json::parse(&older.0)?;
        let entries = older.get("bookmarks").and_then(Json::as_object).ok_or(StateError::NoBookmarks)?;
        let missing: Vec<_> = entries.iter().filter(|(id, _)| keep(id)).collect();
        self.edit(|bookmarks| {
            for (id, value) in missing {
                bookmarks.entry(id.clone()).or_insert_with(|| value.clone());
            }
        })
    }

    fn edit(&self, change: impl FnOnce(&mut indexmap::IndexMap<String, Json>)) -> Result<Self, StateError> {
        let mut tree = Json::parse(&self.0)?;
        let Json::Object(members) = &mut tree else { return Err(StateError::NoBookmarks) };
        let Some(Json::Object(bookmarks)) = members.get_mut("bookmarks") else {
            return Err(StateError::NoBookmarks);
        };
        let before = bookmarks.clone();
        change(bookmarks);
        if *bookmarks == before {
            return Ok(self.clone());
        }
        let text =
            serde_json::to_string(&tree).map_err(|e| StateError::NotJson(serde_json::Error::custom(e)))?;
        Ok(Self(text.into()))
    }
}

/// One entry of a STATE's `bookmarks`: a view for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bookmark {
    /// The tap's own id of it, mostly but not always the `tap_stream_id`.
    pub id: String,
    /// What the tap remembers.
    pub value: Json,
}

#[cfg(test)]
mod tests {
    use super::State;

    #[test]
    fn the_bytes_of_a_state_are_kept() {
        let text = r#"{"bookmarks": {"a": {"v": 12345678901234567890.10}},  "x": 1e5}"#;
        assert_eq!(State::parse(text).unwrap().as_str(), text);
    }

    #[test]
    fn a_dropped_bookmark_leaves_the_others_exact() {
        let state =
            State::parse(r#"{"bookmarks":{"a":1.10,"b":{"k":[2]}},"currently_syncing":null}"#).unwrap();
        let edited = state.without_bookmarks(|id| id == "b").unwrap();
        assert_eq!(edited.as_str(), r#"{"bookmarks":{"a":1.10},"currently_syncing":null}"#);
        assert_eq!(edited.with_bookmarks_of(&state, |id| id == "b").unwrap().bookmarks().len(), 2);
        assert!(State::parse(r#"{"seen":4}"#).unwrap().without_bookmarks(|_| true).is_err());
    }
}
