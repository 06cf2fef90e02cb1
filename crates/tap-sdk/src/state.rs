//! The STATE of a tap: one bookmark a stream.

use indexmap::IndexMap;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::TapError;

/// `{"bookmarks": {ID: …}, "currently_syncing": ID}`. Bookmarks and fields that the tap does not touch go out as
/// they came in.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct TapState {
    #[serde(default)]
    bookmarks: IndexMap<String, Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    currently_syncing: Option<String>,
    #[serde(flatten)]
    other: IndexMap<String, serde_json::Value>,
}

impl TapState {
    /// Reads a state file: empty text and `null` mean the first sync; Meltano's `{"singer_state": …}` is unwrapped.
    ///
    /// # Errors
    /// [`TapError::Config`] when it is something else.
    pub fn parse(text: &str) -> Result<Self, TapError> {
        #[derive(Deserialize)]
        struct Wrapped {
            singer_state: Box<RawValue>,
        }
        let text = text.trim();
        if text.is_empty() || text == "null" {
            return Ok(Self::default());
        }
        let wrapped = serde_json::from_str::<Wrapped>(text).ok().map(|wrapped| wrapped.singer_state);
        let text = wrapped.as_deref().map_or(text, RawValue::get);
        serde_json::from_str(text).map_err(|error| {
            TapError::config(format!("the state cannot be read: {error}"))
                .with_hint("a state is {\"bookmarks\": {…}}, as the tap's last STATE message had it")
        })
    }

    /// The bookmark of that id.
    ///
    /// # Errors
    /// [`TapError::Config`] when it is not of this type: another tap wrote it, or another version of this one.
    pub fn bookmark<T: DeserializeOwned>(&self, id: &str) -> Result<Option<T>, TapError> {
        let Some(raw) = self.bookmarks.get(id) else { return Ok(None) };
        serde_json::from_str(raw.get()).map_err(|error| {
            TapError::config(format!("the bookmark of `{id}` in the state cannot be read: {error}"))
                .with_hint("give the state that this tap wrote, or none to start over")
        })
    }

    /// Replaces a bookmark.
    ///
    /// # Errors
    /// [`TapError::Failed`] when it has no JSON form.
    pub fn set_bookmark(&mut self, id: &str, bookmark: &impl Serialize) -> Result<(), TapError> {
        let raw = to_raw_value(bookmark)
            .map_err(|error| TapError::failed(format!("the bookmark of `{id}` has no JSON form: {error}")))?;
        self.bookmarks.insert(id.to_owned(), raw);
        Ok(())
    }

    /// Says which stream is being synced, or that none is any more.
    pub fn set_currently_syncing(&mut self, id: Option<&str>) {
        self.currently_syncing = id.map(str::to_owned);
    }
}

#[cfg(test)]
mod tests {
    use super::TapState;

    #[test]
    fn what_is_not_touched_goes_out_as_it_came() {
        let mut state = TapState::parse(
            r#"{"bookmarks": {"a": {"v": 1.10}, "b": 2}, "currently_syncing": "a", "activate_versions": {"a": 1}}"#,
        )
        .unwrap();
        assert_eq!(state.bookmark::<u8>("b").unwrap(), Some(2));
        assert!(state.bookmark::<u8>("a").is_err());
        assert_eq!(state.bookmark::<u8>("c").unwrap(), None);
        state.set_bookmark("b", &[3]).unwrap();
        state.set_currently_syncing(None);
        let text = serde_json::to_string(&state).unwrap();
        assert_eq!(text, r#"{"bookmarks":{"a":{"v": 1.10},"b":[3]},"activate_versions":{"a":1}}"#);
    }

    #[test]
    fn empty_and_wrapped_states_are_read() {
        for text in ["", " \n", "null", "{}", r#"{"singer_state": {}}"#] {
            assert_eq!(
                serde_json::to_string(&TapState::parse(text).unwrap()).unwrap(),
                r#"{"bookmarks":{}}"#
            );
        }
        let wrapped = TapState::parse(r#"{"singer_state": {"bookmarks": {"a": 1}}}"#).unwrap();
        assert_eq!(wrapped.bookmark::<u8>("a").unwrap(), Some(1));
        assert_eq!(TapState::parse("[1").unwrap_err().exit_code(), 78);
    }
}
