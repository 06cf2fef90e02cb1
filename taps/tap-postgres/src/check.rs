//! The preflight: whether a sync could begin.

use singer::Catalog;
use tap_sdk::TapError;

use crate::config::Config;
use crate::plan::plans;
use crate::session::Session;

/// Has the server plan the statement of every selected stream, which names what is missing as reading it would: columns,
/// rights on what views stand on, a condition that is no SQL. No row is read.
pub(crate) async fn check(config: &Config, catalog: &Catalog) -> Result<(), TapError> {
    let session = Session::first(config).await?;
    for plan in &plans(&session, config, catalog).await? {
        let sql = format!("EXPLAIN {}", plan.select([], None));
        session.execute(&format!("planning {}", plan.id), &sql).await?;
    }
    Ok(())
}
