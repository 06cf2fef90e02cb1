//! The source's states in a Singer STATE, and back.
//!
//! `{"bookmarks": {ID: {"stream_descriptor": …, "stream_state": …, "generation_id": …, "sync_id": …}}, "global": …,
//! "legacy": …}`. A full table's bookmark has the generation that it is at; with a `stream_state`, that generation is
//! not complete yet and goes on from there. Under `global` lies what the streams share, and which sync it is of: a
//! stream that was left out since then must begin anew.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tap_sdk::TapError;

use crate::offered::Descriptor;
use crate::stream::{Method, Stream};

/// The value of a STATE message.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct SourceState {
    #[serde(default)]
    bookmarks: IndexMap<String, Bookmark>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    global: Option<Shared>,
    /// Of a source that knows no states of single streams: what is not of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    legacy: Option<IndexMap<String, Box<RawValue>>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Bookmark {
    stream_descriptor: Descriptor,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stream_state: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    generation_id: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sync_id: Option<i64>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Shared {
    #[serde(default)]
    shared_state: Option<Box<RawValue>>,
    sync_id: i64,
}

/// A STATE of the source: an `AirbyteStateMessage`.
#[derive(Debug, Deserialize)]
pub(crate) struct Said {
    #[serde(rename = "type")]
    kind: Option<String>,
    stream: Option<OfStream>,
    global: Option<Global>,
    data: Option<Box<RawValue>>,
    #[serde(rename = "sourceStats")]
    source_stats: Option<Stats>,
}

#[derive(Debug, Serialize, Deserialize)]
struct OfStream {
    stream_descriptor: Descriptor,
    #[serde(default)]
    stream_state: Option<Box<RawValue>>,
}

#[derive(Debug, Deserialize)]
struct Global {
    shared_state: Option<Box<RawValue>>,
    stream_states: Vec<OfStream>,
}

#[derive(Debug, Deserialize)]
struct Stats {
    #[serde(rename = "recordCount")]
    record_count: Option<f64>,
}

impl Said {
    /// The stream whose state it is; `None` where it is that of all.
    pub(crate) fn stream(&self) -> Option<&Descriptor> {
        let stream = self.stream.as_ref().filter(|_| self.kind.as_deref() == Some("STREAM"));
        stream.map(|stream| &stream.stream_descriptor)
    }

    /// How many records the source says it has sent since the state before.
    pub(crate) fn record_count(&self) -> Option<f64> {
        self.source_stats.as_ref()?.record_count
    }
}

impl SourceState {
    /// Reads a state file; empty text, `null` and `{}` mean the first sync.
    ///
    /// # Errors
    /// It is something else.
    pub(crate) fn parse(text: &str) -> Result<Self, TapError> {
        let text = text.trim();
        if text.is_empty() || text == "null" {
            return Ok(Self::default());
        }
        serde_json::from_str(text).map_err(|error| {
            TapError::config(format!("the state cannot be read: {error}"))
                .with_hint("give the state that this tap wrote, or none to start over")
        })
    }

    /// The generation of a full table that this sync makes: the one that is not complete, or a new one. Both may
    /// stand in for `ACTIVATE_VERSION`'s version, so it grows even if an earlier STATE is lost.
    pub(crate) fn begin(&mut self, stream: &Stream, now: i64) -> i64 {
        let goes_on = self.resumed(stream).is_some();
        let bookmark = self.bookmark(&stream.descriptor);
        if stream.method == Method::Incremental {
            // What was read as a full table so far is read anew.
            if bookmark.generation_id.take().is_some() {
                bookmark.stream_state = None;
            }
            return 0;
        }
        let before = bookmark.generation_id.unwrap_or(0);
        if goes_on {
            return before;
        }
        bookmark.stream_state = None;
        *bookmark.generation_id.insert(now.max(before + 1))
    }

    /// Takes the source's STATE.
    ///
    /// # Errors
    /// It is not of any of the three forms, in a few words.
    pub(crate) fn take(&mut self, said: Said, streams: &[Stream], sync_id: i64) -> Result<(), &'static str> {
        let Said { kind, stream, global, data, .. } = said;
        match (kind.as_deref(), stream, global, data) {
            (Some("GLOBAL"), _, Some(global), _) => self.take_global(global, streams, sync_id),
            (Some("STREAM"), Some(stream), _, _) => {
                self.legacy = None;
                self.bookmark(&stream.stream_descriptor).stream_state = stream.stream_state;
            }
            (Some("LEGACY") | None, _, _, Some(data)) => self.take_legacy(&data, streams)?,
            _ => return Err("it sent a STATE of none of the forms STREAM, GLOBAL and LEGACY"),
        }
        Ok(())
    }

    fn take_global(&mut self, global: Global, streams: &[Stream], sync_id: i64) {
        self.legacy = None;
        // It replaces all that was before; full tables have states of their own.
        for stream in streams.iter().filter(|stream| stream.method == Method::Incremental) {
            self.bookmark(&stream.descriptor).stream_state = None;
        }
        for stream in global.stream_states {
            let bookmark = self.bookmark(&stream.stream_descriptor);
            (bookmark.stream_state, bookmark.sync_id) = (stream.stream_state, Some(sync_id));
        }
        self.global = Some(Shared { shared_state: global.shared_state, sync_id });
    }

    /// By convention its members are named by streams: those become bookmarks.
    fn take_legacy(&mut self, data: &RawValue, streams: &[Stream]) -> Result<(), &'static str> {
        let mut rest: IndexMap<String, Box<RawValue>> = serde_json::from_str(data.get())
            .map_err(|_| "it sent a STATE of the form LEGACY that is no object")?;
        for stream in streams {
            self.bookmark(&stream.descriptor).stream_state = rest.shift_remove(&stream.descriptor.name);
        }
        self.legacy = Some(rest);
        Ok(())
    }

    /// A full table is whole: the next sync begins a new generation.
    pub(crate) fn complete(&mut self, stream: &Stream) {
        self.bookmark(&stream.descriptor).stream_state = None;
    }

    /// The content of the source's `--state` file; `None` where there is nothing to go on from.
    pub(crate) fn for_source(&self, streams: &[Stream]) -> Result<Option<String>, serde_json::Error> {
        let resumed: Vec<(&Stream, &RawValue)> =
            streams.iter().filter_map(|stream| Some((stream, self.resumed(stream)?))).collect();
        let of_stream = |(stream, state): &(&Stream, &RawValue)| OfStream {
            stream_descriptor: stream.descriptor.clone(),
            stream_state: Some((*state).to_owned()),
        };
        let messages = if let Some(legacy) = &self.legacy {
            let mut data: IndexMap<&str, &RawValue> =
                legacy.iter().map(|(name, state)| (name.as_str(), &**state)).collect();
            data.extend(resumed.iter().map(|(stream, state)| (stream.descriptor.name.as_str(), *state)));
            vec![Given::Legacy { data }]
        } else if let Some(shared) = &self.global {
            let stream_states = resumed.iter().map(of_stream).collect();
            vec![Given::Global {
                global: GivenGlobal { shared_state: shared.shared_state.as_deref(), stream_states },
            }]
        } else {
            resumed.iter().map(|of| Given::Stream { stream: of_stream(of) }).collect()
        };
        if messages.is_empty() { Ok(None) } else { serde_json::to_string(&messages).map(Some) }
    }

    /// The state from which a stream goes on.
    fn resumed(&self, stream: &Stream) -> Option<&RawValue> {
        let bookmark = self.bookmarks.get(&stream.id)?;
        let fits = match (stream.method, &self.global) {
            (Method::FullTable, _) => bookmark.generation_id.is_some() && stream.is_resumable,
            (Method::Incremental, None) => bookmark.generation_id.is_none(),
            (Method::Incremental, Some(shared)) => {
                bookmark.generation_id.is_none() && bookmark.sync_id == Some(shared.sync_id)
            }
        };
        bookmark.stream_state.as_deref().filter(|_| fits)
    }

    fn bookmark(&mut self, descriptor: &Descriptor) -> &mut Bookmark {
        self.bookmarks.entry(descriptor.id()).or_insert_with(|| Bookmark {
            stream_descriptor: descriptor.clone(),
            stream_state: None,
            generation_id: None,
            sync_id: None,
        })
    }
}

/// What the source is given.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
enum Given<'a> {
    Stream { stream: OfStream },
    Global { global: GivenGlobal<'a> },
    Legacy { data: IndexMap<&'a str, &'a RawValue> },
}

#[derive(Serialize)]
struct GivenGlobal<'a> {
    shared_state: Option<&'a RawValue>,
    stream_states: Vec<OfStream>,
}

#[cfg(test)]
mod tests {
    use super::{Said, SourceState};
    use crate::stream::tests::plain;
    use crate::stream::{Method, Stream};

    const NOW: i64 = 1_000;

    fn take(state: &mut SourceState, said: &str, streams: &[Stream]) {
        state.take(serde_json::from_str::<Said>(said).unwrap(), streams, NOW).unwrap();
    }

    /// As the next sync reads it, from the STATE that this one wrote.
    fn next(state: &SourceState) -> SourceState {
        SourceState::parse(&serde_json::to_string(state).unwrap()).unwrap()
    }

    #[test]
    fn a_streams_state_goes_back_byte_for_byte_and_others_are_kept() {
        let streams = ["a", "b"].map(|id| plain(id, Method::Incremental, false));
        let mut state = SourceState::default();
        take(
            &mut state,
            r#"{"type":"STREAM","stream":{"stream_descriptor":{"name":"a"},"stream_state":{"v": 1.10}}}"#,
            &streams,
        );
        take(
            &mut state,
            r#"{"type":"STREAM","stream":{"stream_descriptor":{"name":"b"},"stream_state":1}}"#,
            &streams,
        );
        let state = next(&state);
        assert_eq!(
            state.for_source(&streams[..1]).unwrap().unwrap(),
            r#"[{"type":"STREAM","stream":{"stream_descriptor":{"name":"a"},"stream_state":{"v": 1.10}}}]"#
        );
        assert!(serde_json::to_string(&state).unwrap().contains(r#""b":{"#));
        let mut state = state;
        take(
            &mut state,
            r#"{"type":"STREAM","stream":{"stream_descriptor":{"name":"a"},"stream_state":null}}"#,
            &streams,
        );
        assert_eq!(state.for_source(&streams[..1]).unwrap(), None);
    }

    #[test]
    fn a_global_state_leaves_no_stream_behind_that_was_left_out() {
        let streams = ["a", "b"].map(|id| plain(id, Method::Incremental, false));
        let mut state = SourceState::default();
        let of = |name: &str| format!(r#"{{"stream_descriptor":{{"name":"{name}"}},"stream_state":{{}}}}"#);
        let global = |lsn: u8, states: &str| {
            format!(
                r#"{{"type":"GLOBAL","global":{{"shared_state":{{"lsn":{lsn}}},"stream_states":[{states}]}}}}"#
            )
        };
        take(&mut state, &global(1, &format!("{},{}", of("a"), of("b"))), &streams);
        let mut state = next(&state);
        assert!(state.for_source(&streams).unwrap().unwrap().contains(r#""lsn":1"#));
        let said = serde_json::from_str(&global(2, &of("a"))).unwrap();
        state.take(said, &streams[..1], NOW + 1).unwrap();
        let given = next(&state).for_source(&streams).unwrap().unwrap();
        assert_eq!(given, format!("[{}]", global(2, &of("a"))), "the log has gone on without b");
    }

    #[test]
    fn a_legacy_state_is_split_by_stream_and_put_together_again() {
        let streams = ["a", "b"].map(|id| plain(id, Method::Incremental, false));
        let mut state = SourceState::default();
        take(&mut state, r#"{"data":{"a":{"v":1},"page":7,"b":2}}"#, &streams);
        let text = serde_json::to_string(&state).unwrap();
        assert!(text.contains(r#""legacy":{"page":7}"#), "{text}");
        let given = next(&state).for_source(&streams[..1]).unwrap().unwrap();
        assert_eq!(given, r#"[{"type":"LEGACY","data":{"page":7,"a":{"v":1}}}]"#);
        take(
            &mut state,
            r#"{"type":"STREAM","stream":{"stream_descriptor":{"name":"a"},"stream_state":9}}"#,
            &streams,
        );
        assert!(!state.for_source(&streams).unwrap().unwrap().contains("LEGACY"));
    }

    #[test]
    fn a_generation_goes_on_until_it_is_complete_where_it_can() {
        let said =
            r#"{"type":"STREAM","stream":{"stream_descriptor":{"name":"a"},"stream_state":{"page":2}}}"#;
        for (resumable, second) in [(true, NOW), (false, NOW + 1)] {
            let streams = [plain("a", Method::FullTable, resumable)];
            let mut state = SourceState::default();
            assert_eq!(state.begin(&streams[0], NOW), NOW);
            take(&mut state, said, &streams);
            let mut state = next(&state);
            assert_eq!(state.begin(&streams[0], NOW - 5), second);
            assert_eq!(state.for_source(&streams).unwrap().is_some(), resumable);
            state.complete(&streams[0]);
            let mut state = next(&state);
            assert_eq!(
                state.begin(&streams[0], NOW - 5),
                second + 1,
                "a clock that goes back does not matter"
            );
            assert_eq!(state.for_source(&streams).unwrap(), None);
        }
    }

    #[test]
    fn a_state_of_the_other_method_is_not_gone_on_from() {
        let (full, read_on) = (plain("a", Method::FullTable, true), plain("a", Method::Incremental, true));
        let said =
            r#"{"type":"STREAM","stream":{"stream_descriptor":{"name":"a"},"stream_state":{"page":2}}}"#;
        let mut state = SourceState::default();
        assert_eq!(state.begin(&read_on, NOW), 0);
        take(&mut state, said, std::slice::from_ref(&read_on));
        assert_eq!(state.begin(&full, NOW), NOW);
        assert_eq!(state.for_source(std::slice::from_ref(&full)).unwrap(), None);
        take(&mut state, said, std::slice::from_ref(&full));
        assert_eq!(state.begin(&read_on, NOW), 0);
        assert_eq!(state.for_source(std::slice::from_ref(&read_on)).unwrap(), None);
        take(&mut state, said, std::slice::from_ref(&read_on));
        assert!(state.for_source(std::slice::from_ref(&read_on)).unwrap().is_some());
    }
}
