use std::fmt;

use serde::Serialize;
use singer::Json;

use super::limits;
use crate::interpolation::has_expression;
use crate::secrets::{MASK, is_secret_name};
use crate::settings::PIPELINE_FILE;
use crate::yaml::{Map, Node, Value};

/// What a pipeline goes by, value by value: `tapster config`.
#[derive(Debug, Clone, Serialize)]
pub struct Listing {
    /// The pipeline.
    pub pipeline: String,
    /// The environment, empty without one.
    pub environment: String,
    /// Its values: the keys in the order of their table, below them in the order of the files.
    pub values: Vec<ListedValue>,
    /// What of it is not built yet, each with its place: refused by a run, or without effect.
    pub warnings: Vec<String>,
}

/// One value.
#[derive(Debug, Clone, Serialize)]
pub struct ListedValue {
    /// `limits.idle_timeout`, `tap.config.files[0].path`, `streams."shop-*".replication_method`.
    pub path: String,
    /// What it is; starred out when it is a secret.
    pub value: Json,
    /// `tapster.yml:3`, or `built in`.
    pub place: String,
}

impl Listing {
    pub(super) fn of(pipeline: &str, environment: &str, merged: &Map) -> Self {
        let mut values = Vec::new();
        for key in PIPELINE_FILE.keys() {
            if let Some(entry) = merged.get(key.name) {
                list(&entry.node, key.name, key.name, &mut values);
            }
        }
        let said = |name: &str| merged.get("limits").is_some_and(|entry| entry.node.get(name).is_some());
        for (name, value) in limits::BUILT_IN.iter().filter(|(name, _)| !said(name)) {
            let (path, value) = (format!("limits.{name}"), Json::String((*value).to_owned()));
            values.push(ListedValue { path, value, place: "built in".to_owned() });
        }
        let (pipeline, environment) = (pipeline.to_owned(), environment.to_owned());
        Self { pipeline, environment, values, warnings: Vec::new() }
    }
}

/// Lists of plain values are one value; everything else goes into its parts.
fn list(node: &Node, path: &str, key: &str, values: &mut Vec<ListedValue>) {
    let is_flat = |node: &Node| !matches!(node.value, Value::List(_) | Value::Map(_));
    match &node.value {
        Value::Map(map) if !map.is_empty() => {
            for (key, entry) in map {
                list(&entry.node, &format!("{path}.{}", quoted(key)), key, values);
            }
        }
        Value::List(items) if !items.iter().all(is_flat) => {
            for (at, item) in items.iter().enumerate() {
                list(item, &format!("{path}[{at}]"), key, values);
            }
        }
        _ => {
            let (value, place) = (masked(node, key), node.place.file_and_line());
            values.push(ListedValue { path: path.to_owned(), value, place });
        }
    }
}

/// A literal under a name like `password` is a secret; `${…}` is none until it is resolved.
fn masked(node: &Node, key: &str) -> Json {
    let is_plain = |text: &str| !has_expression(text);
    match &node.value {
        Value::Text(text) if is_secret_name(key) && is_plain(text) => Json::String(MASK.to_owned()),
        Value::Number(_) | Value::List(_) if is_secret_name(key) => Json::String(MASK.to_owned()),
        Value::Text(text) if is_plain(text) => Json::String(without_password(text)),
        _ => node.to_json(),
    }
}

/// `postgres://user:password@host` keeps its user and host.
fn without_password(text: &str) -> String {
    let hidden = || {
        let (scheme, rest) = text.split_once("://")?;
        let (user, host) = rest.split_once('@').filter(|(user, _)| !user.contains('/'))?;
        let (user, _) = user.split_once(':')?;
        Some(format!("{scheme}://{user}:{MASK}@{host}"))
    };
    hidden().unwrap_or_else(|| text.to_owned())
}

fn quoted(key: &str) -> String {
    let is_plain = key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    if is_plain && !key.is_empty() { key.to_owned() } else { format!("\"{key}\"") }
}

/// One line a value: the value, then its place as a comment, in a column of its own.
impl fmt::Display for Listing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<(String, &str)> = self
            .values
            .iter()
            .map(|listed| {
                let value = match &listed.value {
                    Json::String(text) => text.clone(),
                    other => serde_json::to_string(other).map_err(|_| fmt::Error)?,
                };
                Ok((format!("{}: {value}", listed.path), listed.place.as_str()))
            })
            .collect::<Result<_, _>>()?;
        let width = lines.iter().map(|(line, _)| line.chars().count()).filter(|width| *width <= 72).max();
        for (line, place) in lines {
            writeln!(formatter, "{line:<0$}  # {place}", width.unwrap_or(0))?;
        }
        Ok(())
    }
}
