//! The settings: what a pipeline's `target.config` may say.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};
use target_api::{Result, TargetError};

use crate::error::settings;
use crate::url;

/// JSON Schema of the settings.
#[must_use]
pub fn settings_schema() -> &'static str {
    include_str!("settings.schema.json")
}

const KNOWN: [&str; 20] = [
    "host",
    "port",
    "user",
    "password",
    "database",
    "dbname",
    "default_target_schema",
    "schema",
    "sqlalchemy_url",
    "sslmode",
    "ssl_mode",
    "ssl_enable",
    "ssl",
    "ssl_root_cert",
    "ssl_certificate_authority",
    "application_name",
    "connect_timeout",
    "lock_timeout",
    "max_rewrite",
    "direct_load",
];

/// Where the server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    /// Folder of the local socket.
    Socket(PathBuf),
    /// Name or address.
    Name(String),
}

/// How the connection is encrypted and the server proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SslMode {
    Disable,
    Require,
    VerifyCa,
    VerifyFull,
}

/// The settings, checked. `Debug` is not derived: it would show the password.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) host: Host,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: Option<String>,
    pub(crate) database: String,
    pub(crate) default_schema: String,
    pub(crate) ssl_mode: SslMode,
    pub(crate) ssl_root_cert: Option<PathBuf>,
    pub(crate) application_name: String,
    pub(crate) connect_timeout: Duration,
    pub(crate) lock_timeout: Duration,
    pub(crate) direct_load: bool,
    /// Largest table, in bytes, that a change of a type may rewrite.
    pub(crate) max_rewrite: u64,
}

impl fmt::Display for Settings {
    /// `host:port/database as user`: all that an error says of the place.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match &self.host {
            Host::Socket(folder) => write!(f, "{}", folder.display())?,
            Host::Name(name) => f.write_str(name)?,
        }
        write!(f, ":{}/{} as {}", self.port, self.database, self.user)
    }
}

impl Settings {
    /// Reads the settings from JSON.
    pub(crate) fn parse(json: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(json)
            .map_err(|error| settings(format!("the settings of target-postgres are no JSON: {error}")))?;
        let Value::Object(mut given) = value else {
            return Err(settings("the settings of target-postgres must be a JSON object"));
        };
        if let Some(key) = given.keys().find(|key| !KNOWN.contains(&key.as_str())) {
            return Err(unknown(key));
        }
        if let Some(url) = text(&given, "sqlalchemy_url")? {
            url::spread(&url, &mut given)?;
        }
        Self::from_object(&given)
    }

    fn from_object(given: &Map<String, Value>) -> Result<Self> {
        let host = match text(given, "host")?.as_deref() {
            None => Host::Socket("/var/run/postgresql".into()),
            Some(folder) if folder.starts_with('/') => Host::Socket(folder.into()),
            Some(name) => Host::Name(name.to_owned()),
        };
        let user = match text(given, "user")? {
            Some(user) => user,
            None => std::env::var("USER")
                .or_else(|_| std::env::var("LOGNAME"))
                .map_err(|_| settings("`user` is missing: say which role to log in as"))?,
        };
        let database = either(given, "database", "dbname")?.unwrap_or_else(|| user.clone());
        let ssl_mode = ssl_mode(given, &host)?;
        Ok(Self {
            port: port(given)?,
            password: text(given, "password")?,
            default_schema: either(given, "default_target_schema", "schema")?
                .unwrap_or_else(|| "public".to_owned()),
            ssl_mode,
            ssl_root_cert: either(given, "ssl_root_cert", "ssl_certificate_authority")?.map(PathBuf::from),
            application_name: text(given, "application_name")?.unwrap_or_else(|| "tapster".to_owned()),
            connect_timeout: seconds(given, "connect_timeout", 10)?,
            lock_timeout: seconds(given, "lock_timeout", 60)?,
            direct_load: boolean(given, "direct_load", true)?,
            max_rewrite: size(given, "max_rewrite", 1 << 30)?,
            host,
            user,
            database,
        })
    }
}

/// A text; numbers are taken as they are written, empty and null as absent.
fn text(given: &Map<String, Value>, key: &str) -> Result<Option<String>> {
    match given.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(other) => Err(settings(format!("`{key}` is {}: expected a text", kind(other)))),
    }
}

/// One setting that has two names.
fn either(given: &Map<String, Value>, name: &str, alias: &str) -> Result<Option<String>> {
    match (text(given, name)?, text(given, alias)?) {
        (Some(one), Some(other)) if one != other => {
            Err(settings(format!("`{name}` and `{alias}` are one setting, and they differ: keep one")))
        }
        (one, other) => Ok(one.or(other)),
    }
}

fn port(given: &Map<String, Value>) -> Result<u16> {
    let Some(written) = text(given, "port")? else { return Ok(5432) };
    match written.parse() {
        Ok(port) if port != 0 => Ok(port),
        _ => Err(settings(format!("`port` is `{written}`: expected a whole number from 1 to 65535"))),
    }
}

fn seconds(given: &Map<String, Value>, key: &str, default: u64) -> Result<Duration> {
    let Some(written) = text(given, key)? else { return Ok(Duration::from_secs(default)) };
    let seconds = written.parse::<f64>().ok().filter(|seconds| (0.001..=86_400.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| {
        settings(format!("`{key}` is `{written}`: expected seconds, more than 0 and at most 86400"))
    })
}

/// Bytes, written with their unit.
fn size(given: &Map<String, Value>, key: &str, default: u64) -> Result<u64> {
    let Some(written) = text(given, key)? else { return Ok(default) };
    let digits = written.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(written.len());
    let (number, unit) = written.split_at(digits);
    let unit: Option<u64> = match unit {
        "KiB" => Some(1 << 10),
        "MiB" => Some(1 << 20),
        "GiB" => Some(1 << 30),
        "TiB" => Some(1 << 40),
        _ => None,
    };
    let size = unit.and_then(|unit| number.parse::<u64>().ok()?.checked_mul(unit));
    size.ok_or_else(|| settings(format!("`{key}` is `{written}`: expected a size such as 512MiB or 1GiB")))
}

fn boolean(given: &Map<String, Value>, key: &str, default: bool) -> Result<bool> {
    Ok(switch(given, key)?.unwrap_or(default))
}

fn switch(given: &Map<String, Value>, key: &str) -> Result<Option<bool>> {
    match given.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(value)) => Ok(Some(*value)),
        Some(Value::String(text)) if text == "true" => Ok(Some(true)),
        Some(Value::String(text)) if text == "false" => Ok(Some(false)),
        Some(other) => Err(settings(format!("`{key}` is {}: expected true or false", kind(other)))),
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
        Some("require") => SslMode::Require,
        Some("verify-ca") => SslMode::VerifyCa,
        Some(other) => {
            return Err(settings(format!(
                "`sslmode` is `{other}`: expected disable, require, verify-ca or verify-full"
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

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn unknown(key: &str) -> TargetError {
    let nearest = KNOWN.iter().min_by_key(|known| distance(key, known));
    let error = settings(format!("`{key}` is no setting of target-postgres; there are {}", KNOWN.join(", ")));
    match nearest.filter(|known| distance(key, known) <= 1 + known.len() / 3) {
        Some(known) => error.with_hint(format!("did you mean `{known}`?")),
        None => error,
    }
}

/// Letters to add, drop or change to get from one word to the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut previous: Vec<usize> = (0..=to.len()).collect();
    for (row, letter) in from.chars().enumerate() {
        let mut diagonal = row;
        let mut left = row + 1;
        for (above, other) in previous.iter_mut().skip(1).zip(&to) {
            let change = diagonal + usize::from(letter != *other);
            diagonal = *above;
            left = change.min(left + 1).min(*above + 1);
            *above = left;
        }
        if let Some(first) = previous.first_mut() {
            *first = row + 1;
        }
    }
    previous.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Host, SslMode, distance, settings_schema};
    use target_api::Status;

    fn parse(json: &str) -> super::Settings {
        super::Settings::parse(json).unwrap_or_else(|error| panic!("{json}: {error}"))
    }

    fn refusal(json: &str) -> String {
        let error = super::Settings::parse(json).err().unwrap();
        assert_eq!((error.code, &error.status), ("E0310", &Status::Config));
        format!("{} {}", error.message, error.hint.unwrap_or_default())
    }

    #[test]
    fn strings_that_hold_numbers_and_both_names_are_taken() {
        let settings =
            parse(r#"{"host":"db","port":"5433","user":"u","password":12,"dbname":"d","schema":"s"}"#);
        assert_eq!((settings.port, settings.database.as_str()), (5433, "d"));
        assert_eq!((settings.password.as_deref(), settings.default_schema.as_str()), (Some("12"), "s"));
        assert_eq!(settings.to_string(), "db:5433/d as u", "the password is never shown");
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
        let url = parse(r#"{"sqlalchemy_url":"postgresql://u@db/d","ssl_certificate_authority":"/ca.pem"}"#);
        assert_eq!((url.to_string().as_str(), url.ssl_mode), ("db:5432/d as u", SslMode::VerifyFull));
        assert_eq!(url.ssl_root_cert.as_deref(), Some("/ca.pem".as_ref()));
        assert!(refusal(r#"{"user":"u","sslmode":"require","ssl_mode":"verify-ca"}"#).contains("keep one"));
        assert!(refusal(r#"{"user":"u","ssl_enable":"yes"}"#).contains("true or false"));
    }

    #[test]
    fn wrong_settings_say_what_is_right() {
        assert!(refusal(r#"{"usr":"u"}"#).contains("did you mean `user`?"));
        assert!(refusal(r#"{"user":"u","port":70000}"#).contains("`70000`"));
        assert!(refusal(r#"{"user":"u","port":"54a2"}"#).contains("1 to 65535"));
        assert!(refusal(r#"{"user":"u","sslmode":"prefer"}"#).contains("verify-full"));
        assert!(refusal(r#"{"user":"u","max_rewrite":"much"}"#).contains("1GiB"));
        assert!(refusal(r#"{"user":["u"]}"#).contains("a list"));
        assert!(refusal("[]").contains("object"));
        assert!(refusal(r#"{"user":"u","database":"a","dbname":"b"}"#).contains("keep one"));
    }

    #[test]
    fn the_schema_names_every_setting() {
        let schema: serde_json::Value = serde_json::from_str(settings_schema()).unwrap();
        let mut named: Vec<&str> =
            schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        let mut known = super::KNOWN;
        named.sort_unstable();
        known.sort_unstable();
        assert_eq!(named, known);
    }

    #[test]
    fn distance_counts_letters() {
        assert_eq!((distance("", "abc"), distance("kitten", "sitting"), distance("same", "same")), (3, 3, 0));
    }
}
