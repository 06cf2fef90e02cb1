//! `sqlalchemy_url`: all settings of the connection in one text, as the Python taps and targets take it.

use serde_json::{Map, Value};

use crate::{Error, Result};

/// The parameters of a URL that are settings, under libpq's names and ours.
const PARAMETERS: [(&str, &str); 8] = [
    ("sslmode", "sslmode"),
    ("sslrootcert", "ssl_root_cert"),
    ("sslcert", "ssl_client_certificate"),
    ("sslkey", "ssl_client_private_key"),
    ("host", "host"),
    ("port", "port"),
    ("application_name", "application_name"),
    ("connect_timeout", "connect_timeout"),
];

/// Settings that would say something else than a parameter of the URL.
const OVERRULED: [(&str, &str); 4] = [
    ("sslmode", "ssl_mode"),
    ("sslmode", "ssl_enable"),
    ("sslmode", "ssl"),
    ("sslrootcert", "ssl_certificate_authority"),
];

/// Puts what a URL says into the settings, over what they say themselves:
/// `postgresql+DRIVER://user:password@host:port/database?sslmode=require`. No error shows any of it, since it holds a
/// password. Returns the names of the parameters that mean nothing here.
pub(crate) fn spread(url: &str, given: &mut Map<String, Value>) -> Result<Vec<String>> {
    let wrong = |what: &str| {
        Error::settings(format!(
            "`sqlalchemy_url` {what}: expected postgresql://user:password@host:port/database"
        ))
    };
    let (scheme, rest) = url.split_once("://").ok_or_else(|| wrong("has no scheme"))?;
    if !matches!(scheme.split('+').next(), Some("postgresql" | "postgres")) {
        return Err(wrong("is not of PostgreSQL"));
    }
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (server, database) = place.split_once('/').unwrap_or((place, ""));
    let (login, server) = server.rsplit_once('@').unwrap_or(("", server));
    let (user, password) = login.split_once(':').map_or((login, None), |(user, word)| (user, Some(word)));
    // An address of IPv6 has colons of its own.
    let (host, number) = match server.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or_else(|| wrong("has an unclosed `[`"))?;
            (host, rest.strip_prefix(':'))
        }
        None => server.split_once(':').map_or((server, None), |(host, port)| (host, Some(port))),
    };
    let parts = [("user", Some(user)), ("password", password), ("host", Some(host)), ("port", number)];
    for (name, part) in parts.into_iter().chain([("database", Some(database))]) {
        let Some(part) = part.filter(|part| !part.is_empty()) else { continue };
        let decoded = decoded(part).ok_or_else(|| wrong("has a broken percent sign"))?;
        given.insert(name.to_owned(), Value::String(decoded));
    }
    if !database.is_empty() {
        given.remove("dbname");
    }
    let mut passed_over = Vec::new();
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        let Some((_, setting)) = PARAMETERS.iter().find(|(parameter, _)| *parameter == name) else {
            passed_over.push(name.to_owned());
            continue;
        };
        let decoded = decoded(value).ok_or_else(|| wrong("has a broken percent sign"))?;
        given.insert((*setting).to_owned(), Value::String(decoded));
        if name == "sslcert" {
            given.insert("ssl_client_certificate_enable".to_owned(), Value::Bool(true));
        }
        for (_, overruled) in OVERRULED.iter().filter(|(parameter, _)| *parameter == name) {
            given.remove(*overruled);
        }
    }
    Ok(passed_over)
}

/// Percent signs resolved.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        bytes.push(digit(rest.next()?)? * 16 + digit(rest.next()?)?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::spread;
    use serde_json::{Map, Value, json};

    fn spread_over(url: &str, mut given: Value) -> Result<Value, String> {
        let map: &mut Map<String, Value> = given.as_object_mut().unwrap();
        spread(url, map).map(|_| given.clone()).map_err(|error| error.message)
    }

    #[test]
    fn a_url_wins_over_the_other_settings() {
        let url = "postgresql+psycopg2://me:p%40ss%2Fw%C3%A9:rd@db.example:5433/d%20b?sslmode=require&sslrootcert=/c.pem&x=1";
        let found = spread_over(url, json!({"host": "other", "dbname": "other", "schema": "s"})).unwrap();
        let expected = json!({
            "user": "me", "password": "p@ss/wé:rd", "host": "db.example", "port": "5433", "database": "d b",
            "sslmode": "require", "ssl_root_cert": "/c.pem", "schema": "s",
        });
        assert_eq!(found, expected);
    }

    #[test]
    fn parts_may_be_absent() {
        let found = spread_over("postgres://[::1]/d", json!({"user": "u", "port": 1})).unwrap();
        assert_eq!(found, json!({"user": "u", "port": 1, "host": "::1", "database": "d"}));
        let socket = spread_over("postgresql:///d?host=/tmp/pg", json!({})).unwrap();
        assert_eq!(socket, json!({"host": "/tmp/pg", "database": "d"}));
    }

    #[test]
    fn a_wrong_url_is_refused_without_being_shown() {
        for url in
            ["secret", "mysql://u:secret@h/d", "postgresql://u:secret%4@h/d", "postgresql://u:secret@[::1/d"]
        {
            let error = spread_over(url, json!({})).unwrap_err();
            assert!(error.contains("expected postgresql://") && !error.contains("secret"), "{error}");
        }
    }
}
