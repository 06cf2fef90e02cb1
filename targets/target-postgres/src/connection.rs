//! One session: how it is opened and set up, its transaction, and why it ended.

use std::time::{Duration, Instant};

use postgres::Connection;
use target_api::{Result, TargetError, sql::literal};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, Row};

use crate::config::Settings;
use crate::error;

/// A parameter with its type: one round trip instead of two.
pub(crate) type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// An open session. The transaction, and all temporary tables, live and die with it.
pub(crate) struct Session {
    connection: Connection,
    /// `host:port/database as user`.
    pub(crate) place: String,
    transaction: Option<Instant>,
}

impl Session {
    /// Connects, logs in and sets the session up.
    pub(crate) async fn open(settings: &Settings) -> Result<Self> {
        let connection = postgres::connect(&settings.server).await.map_err(error::from_server)?;
        let session = Self { connection, place: settings.to_string(), transaction: None };
        session.execute("setting the session up", &session_settings(settings)).await?;
        Ok(session)
    }

    /// Asks the server.
    pub(crate) fn client(&self) -> &Client {
        &self.connection.client
    }

    /// Runs statements that take no parameters.
    pub(crate) async fn execute(&self, doing: &str, sql: &str) -> Result<()> {
        self.client().batch_execute(sql).await.map_err(|error| self.error(doing, &error))
    }

    /// Runs a query in one round trip.
    pub(crate) async fn query(
        &self,
        doing: &str,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>> {
        self.client().query_typed(sql, parameters).await.map_err(|error| self.error(doing, &error))
    }

    /// Runs a statement in one round trip; returns how many rows it touched.
    pub(crate) async fn change(&self, doing: &str, sql: &str, parameters: &[Parameter<'_>]) -> Result<u64> {
        self.client().execute_typed(sql, parameters).await.map_err(|error| self.error(doing, &error))
    }

    /// Opens the transaction unless it is open.
    pub(crate) async fn begin(&mut self) -> Result<()> {
        if self.transaction.is_none() {
            self.execute("opening a transaction", "BEGIN").await?;
            self.transaction = Some(Instant::now());
        }
        Ok(())
    }

    /// Gives the transaction up.
    pub(crate) async fn rollback(&mut self) -> Result<()> {
        self.transaction = None;
        self.execute("rolling back", "ROLLBACK").await
    }

    /// Sends COMMIT. An error does not say that nothing was committed.
    pub(crate) async fn commit(&mut self) -> std::result::Result<(), Error> {
        self.transaction = None;
        self.client().batch_execute("COMMIT").await
    }

    /// How long the transaction has been open, when one is.
    pub(crate) fn transaction_age(&self) -> Option<Duration> {
        self.transaction.map(|since| since.elapsed())
    }

    /// What an error means here.
    pub(crate) fn error(&self, doing: &str, error: &Error) -> TargetError {
        error::statement(&self.place, doing, error)
    }

    /// Adds to a lost connection what the server said when it ended it.
    pub(crate) async fn explained(self, error: TargetError) -> TargetError {
        if error.code != "E0316" {
            return error;
        }
        match self.connection.last_words().await {
            Some(cause) => error.caused_by(error::statement(&self.place, "the session", &cause)),
            None => error,
        }
    }
}

/// Our own settings, whatever the server, the database or the role says. The server, too, looks whether we are
/// still there, so that a vanished run does not keep its locks.
fn session_settings(settings: &Settings) -> String {
    let mut sql = String::new();
    for (name, value) in [
        ("client_min_messages", "error"),
        ("synchronous_commit", "on"),
        ("TimeZone", "UTC"),
        ("DateStyle", "ISO, MDY"),
        ("IntervalStyle", "postgres"),
        ("bytea_output", "hex"),
        ("extra_float_digits", "3"),
        ("standard_conforming_strings", "on"),
        ("default_transaction_isolation", "read committed"),
        ("default_transaction_read_only", "off"),
        ("default_transaction_deferrable", "off"),
        ("statement_timeout", "0"),
        ("idle_in_transaction_session_timeout", "0"),
        ("work_mem", "64MB"),
        ("tcp_keepalives_idle", "30"),
        ("tcp_keepalives_interval", "10"),
        ("tcp_keepalives_count", "3"),
        ("lock_timeout", &settings.lock_timeout.as_millis().to_string()),
    ] {
        sql.extend(["SET ", name, " = ", &literal(value), ";"]);
    }
    // These are not known to every version.
    sql + "SELECT pg_catalog.set_config(name, value, false) FROM (VALUES ('idle_session_timeout', '0'), \
           ('tcp_user_timeout', '60000'), ('jit', 'off'), ('row_security', 'on')) AS wanted (name, value) \
           JOIN pg_catalog.pg_settings USING (name)"
}
