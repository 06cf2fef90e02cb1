//! Which server, and how to connect to it: the settings that tap and target take alike.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::settings::{either, seconds, switch, text};
use crate::{Error, Result, url};

/// Their names.
pub const SERVER_SETTINGS: [&str; 15] = [
    "host",
    "port",
    "user",
    "password",
    "database",
    "dbname",
    "sqlalchemy_url",
    "sslmode",
    "ssl_mode",
    "ssl_enable",
    "ssl",
    "ssl_root_cert",
    "ssl_certificate_authority",
    "application_name",
    "connect_timeout",
];

/// Where the server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// Folder of the local socket.
    Socket(PathBuf),
    /// Name or address.
    Name(String),
}

/// How the connection is encrypted and the server proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SslMode {
    /// Not at all.
    Disable,
    /// Encrypted where the server offers it, to whoever answers: no protection from those who listen on purpose.
    Prefer,
    /// Encrypted, to whoever answers.
    Require,
    /// Whoever the authority trusts.
    VerifyCa,
    /// That, and its name must be the host's.
    VerifyFull,
}

/// A connection's settings, checked. `Debug` is not derived: it would show the password.
#[derive(Clone)]
pub struct ServerSettings {
    /// Where it listens.
    pub host: Host,
    /// Its port.
    pub port: u16,
    /// The role to log in as.
    pub user: String,
    /// Its password.
    pub password: Option<String>,
    /// The database.
    pub database: String,
    /// How the connection is encrypted.
    pub ssl_mode: SslMode,
    /// The certificates to trust instead of the system's.
    pub ssl_root_cert: Option<PathBuf>,
    /// The name shown in `pg_stat_activity`.
    pub application_name: String,
    /// How long to wait for a connection.
    pub connect_timeout: Duration,
    /// Parameters of `sqlalchemy_url` that mean nothing here, to be told to people.
    pub passed_over: Vec<String>,
}

impl fmt::Display for ServerSettings {
    /// `host:port/database as user`: all that an error says of the place.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match &self.host {
            Host::Socket(folder) => write!(f, "{}", folder.display())?,
            Host::Name(name) => f.write_str(name)?,
        }
        write!(f, ":{}/{} as {}", self.port, self.database, self.user)
    }
}

impl fmt::Debug for ServerSettings {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl ServerSettings {
    /// Reads them from a config, which may hold others beside them. What `sqlalchemy_url` says is put over the rest
    /// of the config.
    ///
    /// # Errors
    /// [`ErrorKind::Settings`](crate::ErrorKind::Settings).
    pub fn take(given: &mut Map<String, Value>) -> Result<Self> {
        let passed_over = match text(given, "sqlalchemy_url")? {
            Some(url) => url::spread(&url, given)?,
            None => Vec::new(),
        };
        let host = match text(given, "host")?.as_deref() {
            None => Host::Socket("/var/run/postgresql".into()),
            Some(folder) if folder.starts_with('/') => Host::Socket(folder.into()),
            Some(name) => Host::Name(name.to_owned()),
        };
        let user = match text(given, "user")? {
            Some(user) => user,
            None => std::env::var("USER")
                .or_else(|_| std::env::var("LOGNAME"))
                .map_err(|_| Error::settings("`user` is missing: say which role to log in as"))?,
        };
        let database = either(given, "database", "dbname")?.unwrap_or_else(|| user.clone());
        let ssl_mode = ssl_mode(given, &host)?;
        Ok(Self {
            port: port(given)?,
            password: text(given, "password")?,
            ssl_mode,
            ssl_root_cert: either(given, "ssl_root_cert", "ssl_certificate_authority")?.map(PathBuf::from),
            application_name: text(given, "application_name")?.unwrap_or_else(|| "tapster".to_owned()),
            connect_timeout: seconds(given, "connect_timeout", 10)?,
            host,
            user,
            database,
            passed_over,
        })
    }
}

fn port(given: &Map<String, Value>) -> Result<u16> {
    let Some(written) = text(given, "port")? else { return Ok(5432) };
    match written.parse() {
        Ok(port) if port != 0 => Ok(port),
        _ => Err(Error::settings(format!("`port` is `{written}`: expected a whole number from 1 to 65535"))),
    }
}

fn ssl_mode(given: &Map<String, Value>, host: &Host) -> Result<SslMode> {
    // Those of the Python targets switch encryption as a whole.
    let (enabled, required) = (switch(given, "ssl_enable")?, switch(given, "ssl")?);
    if enabled == Some(false) || (required == Some(false) && enabled.is_none()) {
        return Ok(SslMode::Disable);
    }
    Ok(match either(given, "sslmode", "ssl_mode")?.as_deref() {
        None if enabled == Some(true) => SslMode::VerifyFull,
        None if required == Some(true) => SslMode::Require,
        None if is_local(host) => SslMode::Disable,
        None | Some("verify-full") => SslMode::VerifyFull,
        Some("disable") => SslMode::Disable,
        // libpq tries the one or the other first; encrypted is what both come to where the server offers it.
        Some("prefer" | "allow") => SslMode::Prefer,
        Some("require") => SslMode::Require,
        Some("verify-ca") => SslMode::VerifyCa,
        Some(other) => {
            return Err(Error::settings(format!(
                "`sslmode` is `{other}`: expected disable, prefer, require, verify-ca or verify-full"
            )));
        }
    })
}

/// A local socket or a loopback host: nobody can listen in between.
fn is_local(host: &Host) -> bool {
    match host {
        Host::Socket(_) => true,
        Host::Name(name) => {
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Host, SslMode};
    use crate::ErrorKind;

    fn taken(json: &str) -> crate::Result<super::ServerSettings> {
        super::ServerSettings::take(&mut serde_json::from_str(json).unwrap())
    }

    fn parse(json: &str) -> super::ServerSettings {
        taken(json).unwrap_or_else(|error| panic!("{json}: {error}"))
    }

    fn refusal(json: &str) -> String {
        let error = taken(json).err().unwrap();
        assert_eq!(error.kind, ErrorKind::Settings);
        error.message
    }

    #[test]
    fn strings_that_hold_numbers_and_both_names_are_taken() {
        let settings = parse(r#"{"host":"db","port":"5433","user":"u","password":12,"dbname":"d"}"#);
        assert_eq!((settings.port, settings.database.as_str()), (5433, "d"));
        assert_eq!(settings.password.as_deref(), Some("12"));
        assert_eq!(
            format!("{settings} {settings:?}"),
            "db:5433/d as u db:5433/d as u",
            "the password is never shown"
        );
    }

    #[test]
    fn only_a_socket_and_loopback_go_without_encryption() {
        for (host, mode) in [
            ("localhost", SslMode::Disable),
            ("127.0.0.9", SslMode::Disable),
            ("::1", SslMode::Disable),
            ("/tmp/pg", SslMode::Disable),
            ("localhost.evil.example", SslMode::VerifyFull),
            ("10.0.0.1", SslMode::VerifyFull),
        ] {
            assert_eq!(parse(&format!(r#"{{"host":"{host}","user":"u"}}"#)).ssl_mode, mode, "{host}");
        }
        assert_eq!(parse(r#"{"user":"u","host":""}"#).host, Host::Socket("/var/run/postgresql".into()));
    }

    #[test]
    fn the_python_targets_names_of_encryption_are_taken() {
        let mode = |more: &str| parse(&format!(r#"{{"host":"localhost","user":"u",{more}}}"#)).ssl_mode;
        assert_eq!(mode(r#""ssl_enable":true"#), SslMode::VerifyFull);
        assert_eq!(mode(r#""ssl_enable":"true","ssl_mode":"verify-ca""#), SslMode::VerifyCa);
        assert_eq!(mode(r#""ssl_enable":false,"ssl_mode":"verify-ca""#), SslMode::Disable, "as there");
        assert_eq!(mode(r#""ssl":"true""#), SslMode::Require);
        assert_eq!(mode(r#""ssl_mode":"allow""#), SslMode::Prefer);
        let url = parse(r#"{"sqlalchemy_url":"postgresql://u@db/d","ssl_certificate_authority":"/ca.pem"}"#);
        assert_eq!((url.to_string().as_str(), url.ssl_mode), ("db:5432/d as u", SslMode::VerifyFull));
        assert_eq!(url.ssl_root_cert.as_deref(), Some("/ca.pem".as_ref()));
        assert!(refusal(r#"{"user":"u","sslmode":"require","ssl_mode":"verify-ca"}"#).contains("keep one"));
        assert!(refusal(r#"{"user":"u","ssl_enable":"yes"}"#).contains("true or false"));
    }

    #[test]
    fn wrong_settings_say_what_is_right() {
        assert!(refusal(r#"{"user":"u","port":70000}"#).contains("`70000`"));
        assert!(refusal(r#"{"user":"u","port":"54a2"}"#).contains("1 to 65535"));
        assert!(refusal(r#"{"user":"u","sslmode":"on"}"#).contains("verify-full"));
        assert!(refusal(r#"{"user":["u"]}"#).contains("a list"));
        assert!(refusal(r#"{"user":"u","database":"a","dbname":"b"}"#).contains("keep one"));
    }
}
