//! The preflight: whether a sync could begin.

use singer::Catalog;
use tap_sdk::TapError;

use crate::config::Config;
use crate::log_based;
use crate::plan::{Method, plans};
use crate::session::Session;

/// Has the server plan the statement of every selected stream, which names what is missing as reading it would: columns,
/// rights on what views stand on, a condition that is no SQL. No row is read.
pub(crate) async fn check(config: &Config, catalog: &Catalog) -> Result<(), TapError> {
    let session = Session::first(config).await?;
    let plans = plans(&session, config, catalog).await?;
    let logged: Vec<_> = plans.iter().filter(|plan| matches!(plan.method, Method::LogBased)).collect();
    if !logged.is_empty() {
        log_based::check(&session, config, &logged).await?;
    }
    for plan in &plans {
        let sql = format!("EXPLAIN {}", plan.select([], None));
        session.execute(&format!("planning {}", plan.id), &sql).await?;
    }
    Ok(())
}
