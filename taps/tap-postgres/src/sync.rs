//! Sends the selected streams: SCHEMA, the records, a STATE now and then.

use std::sync::Arc;

use singer::Envelope;
use tap_sdk::{Output, SyncRequest, TapError, TapState};

use crate::bookmark::Bookmark;
use crate::config::Config;
use crate::copy::Pieces;
use crate::incremental::LastKey;
use crate::plan::{Method, StreamPlan, plans};
use crate::record::{RecordWriter, malformed};
use crate::row::RowReader;
use crate::session::Session;
use crate::{full_table, incremental};

/// Bytes of records from one STATE to the next.
const STATE_EVERY: usize = 4 << 20;

/// Sends everything that is selected.
pub(crate) async fn sync(request: SyncRequest<'_, Config>) -> Result<(), TapError> {
    let SyncRequest { config, catalog, state, output } = request;
    let session = Arc::new(Session::open(config).await?);
    // All mistakes in the catalog are found before the first message.
    let plans = plans(&session, config, catalog).await?;
    let mut run = Run { config, session, state, output, bytes: 0 };
    for plan in &plans {
        let bookmark = run.state.bookmark::<Bookmark>(&plan.id)?;
        run.state.set_currently_syncing(Some(&plan.id));
        match &plan.method {
            Method::FullTable => full_table::run(plan, bookmark, &mut run).await?,
            Method::Incremental(key) => {
                incremental::run(plan, key, bookmark.unwrap_or_default(), &mut run).await?;
            }
        }
    }
    run.state.set_currently_syncing(None);
    run.output.state(&run.state)
}

/// What all streams share.
pub(crate) struct Run<'a> {
    pub(crate) config: &'a Config,
    pub(crate) session: Arc<Session>,
    pub(crate) state: TapState,
    pub(crate) output: &'a mut Output,
    /// Of records since the last STATE.
    bytes: usize,
}

impl Run<'_> {
    /// Sends the records that a COPY gives, and a STATE now and then. `last` follows the replication key, if the
    /// stream goes by one.
    pub(crate) async fn records(
        &mut self,
        plan: &StreamPlan,
        envelope: &Envelope,
        mut pieces: Pieces,
        mut last: Option<&mut LastKey<'_>>,
        bookmark: &mut Bookmark,
    ) -> Result<(), TapError> {
        let writer = RecordWriter::new(plan, self.config.dates);
        let mut rows = RowReader::new();
        let mut json = Vec::new();
        while let Some(piece) = pieces.recv().await {
            rows.push(piece?);
            while let Some(row) = rows.next_row().map_err(|fault| malformed(&plan.id, fault))? {
                writer.write(&row, &mut json)?;
                self.output.record_text(envelope, &json)?;
                self.bytes += json.len();
                if let Some(last) = &mut last {
                    last.see(&row);
                }
                if self.bytes >= STATE_EVERY {
                    last.as_ref().map_or(Ok(()), |last| last.remember(bookmark))?;
                    self.send_state(plan, bookmark)?;
                }
            }
        }
        if rows.is_at_end() {
            return last.map_or(Ok(()), |last| last.remember(bookmark));
        }
        Err(TapError::temporary(format!("{}: the rows ended before their end", plan.id))
            .with_hint("the sync goes on from its last STATE when it is tried again"))
    }

    /// Everything so far is covered by the bookmark.
    pub(crate) fn send_state(&mut self, plan: &StreamPlan, bookmark: &Bookmark) -> Result<(), TapError> {
        self.bytes = 0;
        self.state.set_bookmark(&plan.id, bookmark)?;
        self.output.state(&self.state)
    }
}
