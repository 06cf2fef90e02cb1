//! One session: how it is opened and set up, its transaction, and why it ended.

use std::path::Path;
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use target_api::{Result, Status, TargetError, sql::literal};
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode as Encryption;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, Error, NoTls, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::config::{Host, Settings};
use crate::{error, tls};

/// A parameter with its type: one round trip instead of two.
pub(crate) type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// An open session. The transaction, and all temporary tables, live and die with it.
pub(crate) struct Session {
    pub(crate) client: Client,
    /// `host:port/database as user`.
    pub(crate) place: String,
    /// Ends with the connection; holds what ended it.
    ended: JoinHandle<Option<Error>>,
    transaction: Option<Instant>,
}

impl Session {
    /// Connects, logs in and sets the session up.
    pub(crate) async fn open(settings: &Settings) -> Result<Self> {
        let place = settings.to_string();
        let config = client_config(settings);
        let connected = match tls::client_config(settings)? {
            None => connect_plain(&config).await,
            Some(tls) => connect_tls(&config, tls).await,
        };
        let (client, ended) = connected.map_err(|error| unreachable_server(&place, &error))?;
        let session = Self { client, place, ended, transaction: None };
        session.execute("setting the session up", &session_settings(settings)).await?;
        Ok(session)
    }

    /// Runs statements that take no parameters.
    pub(crate) async fn execute(&self, doing: &str, sql: &str) -> Result<()> {
        self.client.batch_execute(sql).await.map_err(|error| self.error(doing, &error))
    }

    /// Runs a query in one round trip.
    pub(crate) async fn query(
        &self,
        doing: &str,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>> {
        self.client.query_typed(sql, parameters).await.map_err(|error| self.error(doing, &error))
    }

    /// Runs a statement in one round trip; returns how many rows it touched.
    pub(crate) async fn change(&self, doing: &str, sql: &str, parameters: &[Parameter<'_>]) -> Result<u64> {
        self.client.execute_typed(sql, parameters).await.map_err(|error| self.error(doing, &error))
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
        self.client.batch_execute("COMMIT").await
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
        let Self { client, place, ended, .. } = self;
        drop(client);
        match tokio::time::timeout(Duration::from_secs(1), ended).await {
            Ok(Ok(Some(cause))) if cause.as_db_error().is_some() => {
                let said = error::statement(&place, "the session", &cause);
                error.caused_by(said)
            }
            _ => error,
        }
    }
}

fn client_config(settings: &Settings) -> Config {
    let mut config = Config::new();
    match &settings.host {
        Host::Socket(folder) => config.host_path::<&Path>(folder),
        Host::Name(name) => config.host(name),
    };
    config
        .port(settings.port)
        .user(&settings.user)
        .dbname(&settings.database)
        .application_name(&settings.application_name)
        .connect_timeout(settings.connect_timeout)
        .keepalives(true)
        .keepalives_idle(Duration::from_secs(30))
        .keepalives_interval(Duration::from_secs(10))
        .keepalives_retries(3)
        .tcp_user_timeout(Duration::from_mins(1));
    if let Some(password) = &settings.password {
        config.password(password);
    }
    config
}

type Connected = std::result::Result<(Client, JoinHandle<Option<Error>>), Error>;

async fn connect_plain(config: &Config) -> Connected {
    let (client, connection) = config.clone().ssl_mode(Encryption::Disable).connect(NoTls).await?;
    Ok((client, tokio::spawn(async move { connection.await.err() })))
}

async fn connect_tls(config: &Config, tls: ClientConfig) -> Connected {
    let connect = MakeRustlsConnect::new(tls);
    let (client, connection) = config.clone().ssl_mode(Encryption::Require).connect(connect).await?;
    Ok((client, tokio::spawn(async move { connection.await.err() })))
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

fn unreachable_server(place: &str, error: &Error) -> TargetError {
    if let Some(failure) = tls::failure(place, error) {
        return failure;
    }
    if error.as_db_error().is_some() {
        return error::statement(place, "logging in", error);
    }
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    let text = format!("{place} cannot be reached: {error}{cause}");
    if text.contains("password") || text.contains("authentication") {
        return TargetError::new("E0312", Status::Config, text)
            .with_hint("check `user`, `password`, and the server's pg_hba.conf");
    }
    TargetError::temporary("E0311", text).with_hint("check `host` and `port`, and that the server runs")
}
