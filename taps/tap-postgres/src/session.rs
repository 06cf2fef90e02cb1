//! One session: read-only, in UTC, with the settings that values are read under.

use postgres::{Connection, Error};
use tap_sdk::TapError;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::OnceCell;
use tokio_postgres::types::{FromSql, ToSql, Type};
use tokio_postgres::{Client, Row};

use crate::config::Config;
use crate::error::from_server;
use crate::statement::literal;

/// Where connections live. Bytes are moved by its workers while the main thread writes records.
pub(crate) fn runtime() -> Result<Runtime, TapError> {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| TapError::failed(format!("threads cannot be started: {error}")))
}

/// A parameter with its type: one round trip instead of two.
pub(crate) type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// An open session.
#[derive(Debug)]
pub(crate) struct Session {
    connection: Connection,
    /// `host:port/database as user`.
    place: String,
    system: OnceCell<Option<i64>>,
}

impl Session {
    /// The first session of a run. It refuses a proxy whose sessions are not ours, before any setting reaches them.
    pub(crate) async fn first(config: &Config) -> Result<Self, TapError> {
        let connection = postgres::connect(&config.server).await.map_err(from_server)?;
        let pooled = postgres::refuse_transaction_pooling(&config.server, &connection.client).await;
        pooled.map_err(from_server)?;
        Self::set_up(connection, config).await
    }

    /// Connects, logs in and sets the session up.
    pub(crate) async fn open(config: &Config) -> Result<Self, TapError> {
        Self::set_up(postgres::connect(&config.server).await.map_err(from_server)?, config).await
    }

    async fn set_up(connection: Connection, config: &Config) -> Result<Self, TapError> {
        let session = Self { connection, place: config.server.to_string(), system: OnceCell::new() };
        session.execute("setting the session up", &settings(config)).await?;
        Ok(session)
    }

    /// Asks the server.
    pub(crate) fn client(&self) -> &Client {
        &self.connection.client
    }

    /// `host:port/database as user`.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// Runs statements that take no parameters.
    pub(crate) async fn execute(&self, doing: &str, sql: &str) -> Result<(), TapError> {
        self.client().batch_execute(sql).await.map_err(|error| self.error(doing, &error))
    }

    /// Runs a query in one round trip.
    pub(crate) async fn query(
        &self,
        doing: &str,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, TapError> {
        self.client().query_typed(sql, parameters).await.map_err(|error| self.error(doing, &error))
    }

    /// The number that tells the server's data from those of all others, where the role may know it.
    pub(crate) async fn system(&self) -> Result<Option<i64>, TapError> {
        const DOING: &str = "asking which server it is";
        let ask = async || {
            let may = "SELECT pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')";
            let rows = self.query(DOING, may, &[]).await?;
            if !rows.first().map_or(Ok(false), |row| cell(row, 0))? {
                return Ok(None);
            }
            let sql = "SELECT system_identifier FROM pg_catalog.pg_control_system()";
            self.query(DOING, sql, &[]).await?.first().map(|row| cell(row, 0)).transpose()
        };
        self.system.get_or_try_init(ask).await.copied()
    }

    /// The number of the process at the server.
    pub(crate) async fn process(&self) -> Result<i32, TapError> {
        let rows = self.query("asking for the process", "SELECT pg_catalog.pg_backend_pid()", &[]).await?;
        rows.first().map_or(Ok(0), |row| cell(row, 0))
    }

    /// Ends what another session of the same role is doing.
    pub(crate) async fn cancel(&self, process: i32) -> Result<(), TapError> {
        let sql = "SELECT pg_catalog.pg_cancel_backend($1)";
        self.query("ending a statement", sql, &[(&process, Type::INT4)]).await?;
        Ok(())
    }

    /// What an error means here.
    pub(crate) fn error(&self, doing: &str, error: &tokio_postgres::Error) -> TapError {
        from_server(Error::of_statement(&self.place, doing, error))
    }
}

/// A cell of a row of our own queries.
pub(crate) fn cell<'a, T: FromSql<'a>>(row: &'a Row, column: usize) -> Result<T, TapError> {
    row.try_get(column)
        .map_err(|error| TapError::failed(format!("the server's catalog has an unexpected shape: {error}")))
}

/// Our own settings, whatever the server, the database or the role says.
fn settings(config: &Config) -> String {
    let timeout = config.statement_timeout.map_or(0, |timeout| timeout.as_millis()).to_string();
    let mut sql = String::new();
    for (name, value) in [
        ("client_min_messages", "error"),
        ("default_transaction_read_only", "on"),
        ("TimeZone", "UTC"),
        ("DateStyle", "ISO, MDY"),
        ("IntervalStyle", "postgres"),
        ("bytea_output", "hex"),
        ("extra_float_digits", "3"),
        ("standard_conforming_strings", "on"),
        ("statement_timeout", &timeout),
        ("idle_in_transaction_session_timeout", "0"),
        ("tcp_keepalives_idle", "30"),
        ("tcp_keepalives_interval", "10"),
        ("tcp_keepalives_count", "3"),
    ] {
        sql.extend(["SET ", name, " = ", &literal(value), ";"]);
    }
    // These are not known to every version. No `tcp_user_timeout`: a target that is busy for a minute makes us leave
    // the server's bytes unread, which it would take for our end. Keepalives tell the two apart. A server that works on a
    // long statement sees only by looking that we are gone, which not every system lets it do.
    sql + "SELECT pg_catalog.set_config(name, value, false) FROM (VALUES ('idle_session_timeout', '0'), ('transaction_timeout', '0'), \
           ('tcp_user_timeout', '0'), ('jit', 'off'), ('client_connection_check_interval', '5s')) AS wanted (name, value) \
           JOIN pg_catalog.pg_settings USING (name) \
           WHERE name <> 'client_connection_check_interval' OR pg_catalog.version() ~ 'linux'"
}
