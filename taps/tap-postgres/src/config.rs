//! The config file.

use std::time::Duration;

use postgres::settings::{seconds, text, unknown};
use postgres::{Error, Result, SERVER_SETTINGS, ServerSettings};
use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::{Map, Value};
use tap_sdk::log;

/// Those beside [`SERVER_SETTINGS`].
const OURS: [&str; 9] = [
    "filter_schemas",
    "statement_timeout",
    "parallel",
    "queries",
    "dates",
    "send",
    "replication_slot",
    "publication",
    "slot_warning_mb",
];
const MOST_CONNECTIONS: u64 = 16;

/// The names of all settings; `settings.json` describes them.
pub(crate) fn known_settings() -> Vec<&'static str> {
    [&SERVER_SETTINGS[..], &OURS].concat()
}

/// Settings of the tap.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) server: ServerSettings,
    /// The schemas to look into; all when there are none.
    pub(crate) filter_schemas: Vec<String>,
    pub(crate) statement_timeout: Option<Duration>,
    /// Connections that read a table.
    pub(crate) parallel: usize,
    /// Name and SQL of further streams.
    pub(crate) queries: Vec<(String, String)>,
    pub(crate) dates: DatePolicy,
    /// Whether a reader that takes columns gets them.
    pub(crate) sends_columns: bool,
    /// What keeps the log for `LOG_BASED` streams.
    pub(crate) replication_slot: String,
    pub(crate) publication: String,
    /// Warn where the slot holds more of the log.
    pub(crate) slot_warning_mb: i64,
}

/// What becomes of days and instants that ISO 8601's four digits do not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DatePolicy {
    /// They go out in the server's form: `0044-03-15 BC`, `infinity`.
    Keep,
    /// The sync ends with an error.
    Fail,
    /// They become null.
    SetNull,
    /// They become the first or last day that has four digits.
    Clamp,
}

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let given = Map::deserialize(deserializer)?;
        Self::take(given).map_err(|error| {
            let hint = error.hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
            D::Error::custom(format!("{}{hint}", error.message))
        })
    }
}

impl Config {
    fn take(mut given: Map<String, Value>) -> Result<Self> {
        let known = known_settings();
        if let Some(key) = given.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(unknown(key, &known, "tap-postgres"));
        }
        let statement_timeout = match text(&given, "statement_timeout")? {
            None => None,
            Some(_) => Some(seconds(&given, "statement_timeout", 1)?),
        };
        let server = ServerSettings::take(&mut given)?;
        for name in &server.passed_over {
            log::warning(&format!("parameter `{name}` of `sqlalchemy_url` is passed over"));
        }
        Ok(Self {
            filter_schemas: schemas(given.get("filter_schemas"))?,
            statement_timeout,
            parallel: parallel(&given)?,
            queries: queries(given.get("queries"))?,
            dates: dates(&given)?,
            sends_columns: sends_columns(&given)?,
            replication_slot: slot_name(&given)?,
            publication: text(&given, "publication")?.unwrap_or_else(|| "tapster".to_owned()),
            slot_warning_mb: slot_warning(&given)?,
            server,
        })
    }
}

fn schemas(given: Option<&Value>) -> Result<Vec<String>> {
    let wrong = || Error::settings("`filter_schemas` is neither a list of names nor a text with commas");
    let names: Vec<&str> = match given {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(text)) => text.split(',').map(str::trim).collect(),
        Some(Value::Array(items)) => {
            items.iter().map(|item| item.as_str().ok_or_else(wrong)).collect::<Result<_>>()?
        }
        Some(_) => return Err(wrong()),
    };
    Ok(names.into_iter().filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

fn parallel(given: &Map<String, Value>) -> Result<usize> {
    let Some(written) = text(given, "parallel")? else { return Ok(usual_connections()) };
    let number = written.parse::<u64>().ok().filter(|number| (1..=MOST_CONNECTIONS).contains(number));
    number.and_then(|number| usize::try_from(number).ok()).ok_or_else(|| {
        Error::settings(format!(
            "`parallel` is `{written}`: expected a whole number from 1 to {MOST_CONNECTIONS}"
        ))
    })
}

/// Two, where there are processors for both beside what takes their rows.
fn usual_connections() -> usize {
    std::thread::available_parallelism().map_or(1, |processors| (processors.get() / 2).clamp(1, 2))
}

fn queries(given: Option<&Value>) -> Result<Vec<(String, String)>> {
    let wrong = || Error::settings("`queries` is not an object of names with the SQL text of each");
    let members = match given {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Object(members)) => members,
        Some(_) => return Err(wrong()),
    };
    let query = |(name, sql): (&String, &Value)| {
        // A semicolon at the end is none of the statement that it is put into.
        let sql = sql.as_str().ok_or_else(wrong)?.trim().trim_end_matches(';').trim_end();
        if sql.is_empty() {
            return Err(Error::settings(format!("the query `{name}` is empty")));
        }
        Ok((name.clone(), sql.to_owned()))
    };
    members.iter().map(query).collect()
}

fn dates(given: &Map<String, Value>) -> Result<DatePolicy> {
    Ok(match text(given, "dates")?.as_deref() {
        None | Some("keep") => DatePolicy::Keep,
        Some("fail") => DatePolicy::Fail,
        Some("set_null") => DatePolicy::SetNull,
        Some("clamp") => DatePolicy::Clamp,
        Some(other) => {
            return Err(Error::settings(format!(
                "`dates` is `{other}`: expected keep, fail, set_null or clamp"
            )));
        }
    })
}

fn slot_name(given: &Map<String, Value>) -> Result<String> {
    let name = text(given, "replication_slot")?.unwrap_or_else(|| "tapster".to_owned());
    let usual = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if name.len() <= 63 && name.bytes().all(usual) {
        return Ok(name);
    }
    Err(Error::settings(format!(
        "`replication_slot` is `{name}`: expected at most 63 lower-case letters, digits and underscores"
    )))
}

fn slot_warning(given: &Map<String, Value>) -> Result<i64> {
    let Some(written) = text(given, "slot_warning_mb")? else { return Ok(1024) };
    written.parse::<u32>().map(i64::from).map_err(|_| {
        Error::settings(format!("`slot_warning_mb` is `{written}`: expected a whole number of MiB"))
    })
}

fn sends_columns(given: &Map<String, Value>) -> Result<bool> {
    match text(given, "send")?.as_deref() {
        None | Some("columns") => Ok(true),
        Some("records") => Ok(false),
        Some(other) => Err(Error::settings(format!("`send` is `{other}`: expected columns or records"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> std::result::Result<Config, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn schemas_may_be_a_list_or_a_text() {
        let schemas =
            |text: &str| parse(&format!(r#"{{"user":"u","filter_schemas":{text}}}"#)).unwrap().filter_schemas;
        assert_eq!(schemas(r#""a, b""#), ["a", "b"]);
        assert_eq!(schemas(r#"["a","b c"]"#), ["a", "b c"]);
        assert!(schemas("\"\"").is_empty());
    }

    #[test]
    fn a_query_loses_its_semicolon() {
        let config = parse(r#"{"user":"u","queries":{"q":" SELECT 1 ; \n"}}"#).unwrap();
        assert_eq!(config.queries, [("q".to_owned(), "SELECT 1".to_owned())]);
    }

    #[test]
    fn a_mistake_is_named_without_secrets() {
        let refusal = |json: &str| parse(json).unwrap_err();
        assert!(refusal(r#"{"usr":"u"}"#).contains("did you mean `user`?"));
        assert!(refusal(r#"{"user":"u","parallel":0}"#).contains("from 1 to 16"));
        assert!(refusal(r#"{"user":"u","dates":"drop"}"#).contains("set_null"));
        assert!(refusal(r#"{"user":"u","send":"rows"}"#).contains("columns or records"));
        assert!(refusal(r#"{"user":"u","replication_slot":"My-slot"}"#).contains("underscores"));
        assert!(refusal(r#"{"user":"u","queries":{"q":" ;"}}"#).contains("`q` is empty"));
        let url = refusal(r#"{"sqlalchemy_url":"postgresql://u:secret@[::1/d"}"#);
        assert!(url.contains("sqlalchemy_url") && !url.contains("secret"), "{url}");
    }
}
