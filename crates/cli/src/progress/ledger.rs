//! Keeps the copy of each committed STATE, and a run's figures.

use std::sync::Arc;

use runner::{Observer, RunEvent, RunSummary, StreamSummary};
use singer::State;
use store::{NewState, PipelineName, RunId, StateCause, Store, StreamFigures};

/// The listener that copies STATEs into the store. The truth is in the target: a copy that fails is a warning.
pub(crate) fn ledger(store: Arc<Store>, name: PipelineName, run: RunId) -> Observer {
    Arc::new(move |event: &RunEvent| {
        let kept = match event {
            RunEvent::Resumed { state } => store.record_state_before(&run, state.as_deref()),
            RunEvent::Checkpointed { state: Some(state), sequence } => {
                let state = Some(state.clone());
                store.put_state(
                    &name,
                    &NewState { sequence: *sequence, run: Some(run), state, how: StateCause::Run },
                )
            }
            _ => return,
        };
        if let Err(error) = kept {
            tracing::warn!(%error, "the copy of the STATE in .tapster is not kept; the one in the target is");
        }
    })
}

/// The ledger's figures of a run.
pub(crate) fn figures(summary: &RunSummary) -> Vec<StreamFigures> {
    let (before, after) =
        (bookmarks(summary.state_before.as_deref()), bookmarks(summary.state_after.as_deref()));
    let figures = |stream: &StreamSummary| StreamFigures {
        stream: stream.stream.clone(),
        place: stream.place.clone(),
        records_read: stream.records_read,
        records_written: stream.records_written,
        records_rejected: 0,
        bytes: stream.bytes,
        seconds: stream.seconds,
        bookmark_before: bookmark(&before, &stream.stream),
        bookmark_after: bookmark(&after, &stream.stream),
    };
    summary.streams.iter().map(figures).collect()
}

fn bookmarks(state: Option<&str>) -> Vec<singer::Bookmark> {
    state.and_then(|text| State::parse(text).ok()).map(|state| state.bookmarks()).unwrap_or_default()
}

fn bookmark(bookmarks: &[singer::Bookmark], stream: &str) -> Option<String> {
    let found = bookmarks.iter().find(|bookmark| bookmark.id == stream)?;
    serde_json::to_string(&found.value).ok()
}
