//! Whether a connection is a session.

use std::time::{SystemTime, UNIX_EPOCH};

use tokio_postgres::{Client, SimpleQueryMessage};

use crate::{Error, ErrorKind, Result, ServerSettings, connect};

const DOING: &str = "looking for a proxy";

/// Refuses a proxy that gives each transaction whichever session of the server is free. It gives itself away: what one
/// connection has set is seen by another one, or no longer by itself. Opens a second connection; where the role may have
/// only one, nothing can be told, and nothing is refused.
///
/// # Errors
/// [`ErrorKind::Pooled`], and those of [`connect`] and of a statement.
pub async fn refuse_transaction_pooling(settings: &ServerSettings, client: &Client) -> Result<()> {
    let place = settings.to_string();
    let failed = |error: tokio_postgres::Error| Error::of_statement(&place, DOING, &error);
    let token = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    let token = format!("{token}-{}", std::process::id());
    let set = format!("SELECT pg_catalog.set_config('tapster.session', '{token}', false)");
    client.batch_execute(&set).await.map_err(failed)?;
    let other = match connect(settings).await {
        Ok(connection) => connection.client,
        Err(error) if error.sql_state.as_ref().is_some_and(|state| state.code() == "53300") => return Ok(()),
        Err(error) => return Err(error),
    };
    other.batch_execute("BEGIN").await.map_err(failed)?;
    let foreign = seen(&other).await.map_err(failed)?;
    // While the other connection holds its transaction, this one cannot be given the same session.
    let own = seen(client).await.map_err(failed)?;
    other.batch_execute("ROLLBACK").await.map_err(failed)?;
    if foreign != token && own == token {
        return Ok(());
    }
    let text = format!(
        "{place} is a proxy that changes the session with each transaction: settings, snapshots and temporary tables are lost there"
    );
    Err(Error::new(ErrorKind::Pooled, text)
        .with_hint("connect to the server itself, or set the proxy to session pooling for this user"))
}

async fn seen(client: &Client) -> std::result::Result<String, tokio_postgres::Error> {
    let sql = "SELECT pg_catalog.current_setting('tapster.session', true)";
    let answer = client.simple_query(sql).await?;
    let row = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    Ok(row.unwrap_or_default().to_owned())
}
