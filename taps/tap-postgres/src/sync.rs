//! Sends the selected streams: SCHEMA, the records, a STATE now and then.

use std::sync::Arc;

use tap_sdk::{Output, SyncRequest, TapError, TapState};

use crate::bookmark::Bookmark;
use crate::config::Config;
use crate::copy::Pieces;
use crate::incremental::LastKey;
use crate::plan::{Method, plans};
use crate::record::malformed;
use crate::row::RowReader;
use crate::sender::Sender;
use crate::session::Session;
use crate::{full_table, incremental, log_based};

/// Sends everything that is selected.
pub(crate) async fn sync(request: SyncRequest<'_, Config>) -> Result<(), TapError> {
    let SyncRequest { config, catalog, state, output } = request;
    let session = Arc::new(Session::first(config).await?);
    // All mistakes in the catalog are found before the first message.
    let plans = plans(&session, config, catalog).await?;
    let mut run = Run { config, session, state, output };
    let (logged, plans): (Vec<_>, Vec<_>) =
        plans.into_iter().partition(|plan| matches!(plan.method, Method::LogBased));
    for plan in &plans {
        let bookmark = run.state.bookmark::<Bookmark>(&plan.id)?;
        run.state.set_currently_syncing(Some(&plan.id));
        match &plan.method {
            Method::FullTable | Method::LogBased => {
                full_table::run(plan, bookmark, None, &mut run).await?;
            }
            Method::Incremental(key) => {
                incremental::run(plan, key, bookmark.unwrap_or_default(), &mut run).await?;
            }
        }
    }
    run.state.set_currently_syncing(None);
    if !logged.is_empty() {
        log_based::run(logged, catalog, &mut run).await?;
    }
    run.output.state(&run.state)
}

/// What all streams share.
pub(crate) struct Run<'a> {
    pub(crate) config: &'a Config,
    pub(crate) session: Arc<Session>,
    pub(crate) state: TapState,
    pub(crate) output: &'a mut Output,
}

impl Run<'_> {
    /// Sends the records that a COPY gives, and a STATE now and then. `last` follows the replication key, if the
    /// stream goes by one.
    pub(crate) async fn records(
        &mut self,
        sender: &mut Sender<'_>,
        mut pieces: Pieces,
        mut last: Option<&mut LastKey<'_>>,
        bookmark: &mut Bookmark,
    ) -> Result<(), TapError> {
        let id = &sender.plan().id;
        let mut rows = RowReader::new();
        while let Some(piece) = pieces.recv().await {
            rows.push(piece?);
            while let Some(row) = rows.next_row().map_err(|fault| malformed(id, fault))? {
                sender.send(&row, self.output)?;
                if let Some(last) = &mut last {
                    last.see(&row);
                }
                if sender.is_due() && last.as_ref().is_none_or(|last| last.is_past_nulls()) {
                    last.as_ref().map_or(Ok(()), |last| last.remember(bookmark))?;
                    self.send_state(sender, bookmark)?;
                }
            }
        }
        if rows.is_at_end() {
            return last.map_or(Ok(()), |last| last.remember(bookmark));
        }
        Err(TapError::temporary(format!("{id}: the rows ended before their end"))
            .with_hint("the sync goes on from its last STATE when it is tried again"))
    }

    /// Everything so far is covered by the bookmark.
    pub(crate) fn send_state(
        &mut self,
        sender: &mut Sender<'_>,
        bookmark: &Bookmark,
    ) -> Result<(), TapError> {
        sender.end_part(self.output)?;
        self.state.set_bookmark(&sender.plan().id, bookmark)?;
        self.output.state(&self.state)
    }
}
