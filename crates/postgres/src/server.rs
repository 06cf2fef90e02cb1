//! Which server, and how to connect to it: the settings that tap and target take alike.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::settings::{either, seconds, switch, text};
use crate::{Error, Pem, Result, url};

/// Their names.
pub const SERVER_SETTINGS: [&str; 19] = [
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
    "ssl_client_certificate_enable",
    "ssl_client_certificate",
    "ssl_client_private_key",
    "ssl_storage_directory",
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

/// A certificate of the client's own, with those that lead to its authority, and its private key.
#[derive(Clone)]
pub struct ClientCertificate {
    /// The certificates, its own first.
    pub chain: Pem,
    /// The key.
    pub key: Pem,
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
    pub ssl_root_cert: Option<Pem>,
    /// What proves to the server who connects.
    pub client_certificate: Option<ClientCertificate>,
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
        let client_certificate = client_certificate(given)?;
        let ssl_mode = ssl_mode(given, &host, client_certificate.is_some())?;
        Ok(Self {
            port: port(given)?,
            password: text(given, "password")?,
            ssl_mode,
            ssl_root_cert: either(given, "ssl_root_cert", "ssl_certificate_authority")?.map(Pem::from),
            client_certificate,
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

/// Where it is not asked for, what else is said of it is not looked at: Meltano hands over paths that lead nowhere.
fn client_certificate(given: &Map<String, Value>) -> Result<Option<ClientCertificate>> {
    let (certificate, key) = (text(given, "ssl_client_certificate")?, text(given, "ssl_client_private_key")?);
    if switch(given, "ssl_client_certificate_enable")? != Some(true) {
        return Ok(None);
    }
    match (certificate, key) {
        (Some(certificate), Some(key)) => {
            Ok(Some(ClientCertificate { chain: certificate.into(), key: key.into() }))
        }
        (certificate, _) => {
            let missing =
                if certificate.is_none() { "ssl_client_certificate" } else { "ssl_client_private_key" };
            Err(Error::settings(format!(
                "`{missing}` is missing: `ssl_client_certificate_enable` asks for it, as PEM or as the file that holds it"
            )))
        }
    }
}

fn ssl_mode(given: &Map<String, Value>, host: &Host, proves_client: bool) -> Result<SslMode> {
    let said = match either(given, "sslmode", "ssl_mode")?.as_deref() {
        None => None,
        Some("disable") => Some(SslMode::Disable),
        // libpq tries the one or the other first; encrypted is what both come to where the server offers it.
        Some("prefer" | "allow") => Some(SslMode::Prefer),
        Some("require") => Some(SslMode::Require),
        Some("verify-ca") => Some(SslMode::VerifyCa),
        Some("verify-full") => Some(SslMode::VerifyFull),
        Some(other) => {
            return Err(Error::settings(format!(
                "`sslmode` is `{other}`: expected disable, allow, prefer, require, verify-ca or verify-full"
            )));
        }
    };
    // The Python targets turn their `ssl_mode` off by one switch; what is left is what libpq does unasked: prefer.
    let (enabled, required) = (switch(given, "ssl_enable")?, switch(given, "ssl")?);
    if enabled == Some(false) || (required == Some(false) && enabled.is_none()) {
        return Ok(if said == Some(SslMode::Disable) { SslMode::Disable } else { SslMode::Prefer });
    }
    Ok(said.unwrap_or(match (enabled, required) {
        (Some(true), _) => SslMode::VerifyFull,
        (_, Some(true)) => SslMode::Require,
        _ if is_local(host) && proves_client => SslMode::Prefer,
        _ if is_local(host) => SslMode::Disable,
        _ => SslMode::VerifyFull,
    }))
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
    use crate::{ErrorKind, Pem};

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
        assert_eq!(mode(r#""ssl_enable":false,"ssl_mode":"verify-ca""#), SslMode::Prefer, "as there");
        assert_eq!(mode(r#""ssl_enable":false,"ssl_mode":"disable""#), SslMode::Disable);
        assert_eq!(mode(r#""ssl":"false""#), SslMode::Prefer);
        assert_eq!(mode(r#""ssl":"true""#), SslMode::Require);
        assert_eq!(mode(r#""ssl_mode":"allow""#), SslMode::Prefer);
        let url = parse(r#"{"sqlalchemy_url":"postgresql://u@db/d","ssl_certificate_authority":"/ca.pem"}"#);
        assert_eq!((url.to_string().as_str(), url.ssl_mode), ("db:5432/d as u", SslMode::VerifyFull));
        assert!(url.ssl_root_cert == Some(Pem::File("/ca.pem".into())));
        assert!(refusal(r#"{"user":"u","sslmode":"require","ssl_mode":"verify-ca"}"#).contains("keep one"));
        assert!(refusal(r#"{"user":"u","ssl_enable":"yes"}"#).contains("true or false"));
    }

    /// The defaults of the settings on Meltano's hub come with every config.
    #[test]
    fn what_meltano_hands_over_unasked_changes_nothing() {
        let unasked = r#""ssl_enable":"false","ssl_client_certificate_enable":"false","ssl_mode":"verify-full",
            "ssl_certificate_authority":"~/.postgresql/root.crl","ssl_storage_directory":".secrets",
            "ssl_client_certificate":"~/.postgresql/postgresql.crt",
            "ssl_client_private_key":"~/.postgresql/postgresql.key""#;
        let settings = parse(&format!(r#"{{"host":"db","user":"u",{unasked}}}"#));
        assert_eq!((settings.ssl_mode, settings.client_certificate.is_none()), (SslMode::Prefer, true));
        let url = "postgresql://u@db/d?sslmode=require&sslrootcert=/ca.pem&sslcert=/c.pem&sslkey=/k.pem";
        let settings = parse(&format!(r#"{{"sqlalchemy_url":"{url}",{unasked}}}"#));
        assert_eq!(settings.ssl_mode, SslMode::Require, "the URL is put over the rest");
        assert!(settings.ssl_root_cert == Some(Pem::File("/ca.pem".into())));
        let client = settings.client_certificate.unwrap();
        assert!(client.chain == Pem::File("/c.pem".into()) && client.key == Pem::File("/k.pem".into()));
    }

    #[test]
    fn a_certificate_of_the_client_comes_with_its_key_and_wants_encryption() {
        let pem = r"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
        let given = |more: &str| format!(r#"{{"user":"u","ssl_client_certificate_enable":true{more}}}"#);
        let certificate = format!(r#","ssl_client_certificate":"{pem}""#);
        assert!(refusal(&given("")).contains("`ssl_client_certificate` is missing"));
        assert!(refusal(&given(&certificate)).contains("`ssl_client_private_key` is missing"));
        let settings = parse(&given(&format!(r#"{certificate},"ssl_client_private_key":"k.pem""#)));
        let client = settings.client_certificate.unwrap();
        assert!(matches!(client.chain, Pem::Text(text) if text.lines().count() == 3));
        assert!(client.key == Pem::File("k.pem".into()));
        assert_eq!(settings.ssl_mode, SslMode::Prefer, "nearby, too");
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
