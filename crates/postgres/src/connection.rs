//! How a connection is opened, and what ended it.

use std::path::Path;
use std::time::Duration;

use rustls::ClientConfig;
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode as Encryption;
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::tls;
use crate::{Error, ErrorKind, Host, Result, ServerSettings, SslMode};

/// An open connection. A task of the runtime that it was opened in moves its bytes.
#[derive(Debug)]
pub struct Connection {
    /// Asks the server.
    pub client: Client,
    /// Ends with the connection; holds what ended it.
    ended: JoinHandle<Option<tokio_postgres::Error>>,
}

impl Connection {
    /// Closes it, and gives what the server said if it was the one that ended it.
    pub async fn last_words(self) -> Option<tokio_postgres::Error> {
        drop(self.client);
        let ended = tokio::time::timeout(Duration::from_secs(1), self.ended).await.ok()?;
        ended.ok().flatten().filter(|cause| cause.as_db_error().is_some())
    }
}

/// Connects and logs in.
///
/// # Errors
/// [`ErrorKind::Settings`], [`ErrorKind::Untrusted`], [`ErrorKind::Login`], [`ErrorKind::Unreachable`], and what the
/// server may answer to a login.
pub async fn connect(settings: &ServerSettings) -> Result<Connection> {
    let config = client_config(settings);
    let connected = match tls::client_config(settings)? {
        None => connect_plain(&config).await,
        Some(tls) => {
            let prefers = settings.ssl_mode == SslMode::Prefer;
            connect_tls(&config, tls, if prefers { Encryption::Prefer } else { Encryption::Require }).await
        }
    };
    connected.map_err(|error| unreachable_server(&settings.to_string(), &error))
}

fn client_config(settings: &ServerSettings) -> Config {
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

type Connected = std::result::Result<Connection, tokio_postgres::Error>;

async fn connect_plain(config: &Config) -> Connected {
    let (client, connection) = config.clone().ssl_mode(Encryption::Disable).connect(NoTls).await?;
    Ok(Connection { client, ended: tokio::spawn(async move { connection.await.err() }) })
}

async fn connect_tls(config: &Config, tls: ClientConfig, encryption: Encryption) -> Connected {
    let connect = MakeRustlsConnect::new(tls);
    let (client, connection) = config.clone().ssl_mode(encryption).connect(connect).await?;
    Ok(Connection { client, ended: tokio::spawn(async move { connection.await.err() }) })
}

fn unreachable_server(place: &str, error: &tokio_postgres::Error) -> Error {
    if let Some(failure) = tls::failure(place, error) {
        return failure;
    }
    if error.as_db_error().is_some() {
        return Error::of_statement(place, "logging in", error);
    }
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    let text = format!("{place} cannot be reached: {error}{cause}");
    if text.contains("password") || text.contains("authentication") {
        return Error::new(ErrorKind::Login, text)
            .with_hint("check `user`, `password`, and the server's pg_hba.conf");
    }
    Error::new(ErrorKind::Unreachable, text).with_hint("check `host` and `port`, and that the server runs")
}
