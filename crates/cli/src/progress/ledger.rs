//! Keeps the copy of each committed STATE, and a run's figures.

use std::sync::{Arc, Mutex, PoisonError};

use runner::{Observer, RunEvent, RunSummary, StreamSummary};
use singer::{Bookmark, State};
use store::{NewState, PipelineName, RunId, StateCause, Store, StreamFigures};

use super::tally::{StreamTally, Tally};

/// The listener that copies STATEs and figures into the store, one write a checkpoint: a run that is killed is told
/// by its last commit. The truth is in the target: a copy that fails is a warning.
pub(crate) fn ledger(store: Arc<Store>, name: PipelineName, run: RunId) -> Observer {
    let so_far = Mutex::new(SoFar::default());
    Arc::new(move |event: &RunEvent| {
        let mut so_far = so_far.lock().unwrap_or_else(PoisonError::into_inner);
        so_far.tally.hear(event);
        let kept = match event {
            RunEvent::Resumed { state } => {
                if !so_far.resumed {
                    so_far.resumed = true;
                    so_far.before = bookmarks(state.as_deref());
                }
                so_far.after = bookmarks(state.as_deref());
                store.record_state_before(&run, state.as_deref())
            }
            RunEvent::Checkpointed { state, sequence } => {
                if state.is_some() {
                    so_far.after = bookmarks(state.as_deref());
                }
                let state = state.clone().map(|state| NewState {
                    sequence: *sequence,
                    run: Some(run),
                    state: Some(state),
                    how: StateCause::Run,
                });
                store.record_checkpoint(&name, &run, state.as_ref(), &so_far.figures())
            }
            RunEvent::StateKept { state, sequence } => {
                so_far.after = bookmarks(Some(state));
                let (sequence, state) = (*sequence, Some(state.clone()));
                let state = NewState { sequence, run: Some(run), state, how: StateCause::Run };
                store.record_checkpoint(&name, &run, Some(&state), &so_far.figures())
            }
            _ => return,
        };
        if let Err(error) = kept {
            tracing::warn!(%error, "the copy of the STATE in the ledger's history is not kept; the STATE itself is");
        }
    })
}

/// What of a run is known before its summary.
#[derive(Default)]
struct SoFar {
    tally: Tally,
    resumed: bool,
    before: Vec<Bookmark>,
    after: Vec<Bookmark>,
}

impl SoFar {
    /// The figures as of a commit: all that was read is written.
    fn figures(&self) -> Vec<StreamFigures> {
        let figures = |stream: &StreamTally| StreamFigures {
            stream: stream.stream.clone(),
            place: stream.place.clone(),
            merged: stream.merged,
            records_read: stream.records,
            records_written: stream.records - stream.open_records,
            records_rejected: 0,
            bytes: stream.bytes,
            seconds: stream.span.as_secs_f64(),
            bookmark_before: bookmark(&self.before, &stream.stream),
            bookmark_after: bookmark(&self.after, &stream.stream),
        };
        self.tally.streams().iter().map(figures).collect()
    }
}

/// The ledger's figures of a run.
pub(crate) fn figures(summary: &RunSummary) -> Vec<StreamFigures> {
    let (before, after) =
        (bookmarks(summary.state_before.as_deref()), bookmarks(summary.state_after.as_deref()));
    let figures = |stream: &StreamSummary| StreamFigures {
        stream: stream.stream.clone(),
        place: stream.place.clone(),
        merged: stream.merged,
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

fn bookmarks(state: Option<&str>) -> Vec<Bookmark> {
    state.and_then(|text| State::parse(text).ok()).map(|state| state.bookmarks()).unwrap_or_default()
}

fn bookmark(bookmarks: &[Bookmark], stream: &str) -> Option<String> {
    let found = bookmarks.iter().find(|bookmark| bookmark.id == stream)?;
    serde_json::to_string(&found.value).ok()
}
