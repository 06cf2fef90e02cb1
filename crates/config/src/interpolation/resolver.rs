use std::collections::HashMap;
use std::env;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use indexmap::IndexMap;
use singer::Json;

use super::expression::{Expression, Origin, Piece};
use super::{EnvFile, InterpolationFault, command, parse, private};
use crate::problem::{ConfigError, Problem};
use crate::secrets::Secrets;
use crate::yaml::{Node, Value};

/// What stands for the run's folder in a tap's config, until the runner writes it out.
const RUN_FOLDER: &str = "${TAPSTER_RUN_FOLDER}";

/// Gives expressions their values, each once, and remembers every value as a secret.
#[derive(Debug)]
pub(crate) struct Resolver {
    root: PathBuf,
    env_file: EnvFile,
    pub(crate) secrets: Secrets,
    commands: Mutex<HashMap<String, String>>,
}

impl Resolver {
    pub(crate) fn new(root: PathBuf, env_file: EnvFile) -> Self {
        Self { root, env_file, secrets: Secrets::default(), commands: Mutex::default() }
    }

    /// A value with everything in it resolved.
    pub(crate) fn json(&self, node: &Node) -> Result<Json, ConfigError> {
        let mut problems = Vec::new();
        let json = self.resolve(node, &mut problems);
        ConfigError::unless_none(problems)?;
        Ok(json)
    }

    /// A text with everything in it resolved.
    pub(crate) fn text(&self, node: &Node) -> Result<String, ConfigError> {
        match self.json(node)? {
            Json::String(text) => Ok(text),
            other => serde_json::to_string(&other)
                .map_err(|_| Problem::new(InterpolationFault::NotJson(String::new()), &node.place).into()),
        }
    }

    fn resolve(&self, node: &Node, problems: &mut Vec<Problem>) -> Json {
        match &node.value {
            Value::Text(text) => self.expand(text).unwrap_or_else(|fault| {
                problems.push(Problem::new(fault, &node.place));
                Json::Null
            }),
            Value::List(items) => {
                Json::Array(items.iter().map(|item| self.resolve(item, problems)).collect())
            }
            Value::Map(map) => {
                let mut members = IndexMap::new();
                for (key, entry) in map {
                    members.insert(key.clone(), self.resolve(&entry.node, problems));
                }
                Json::Object(members)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => node.to_json(),
        }
    }

    fn expand(&self, text: &str) -> Result<Json, InterpolationFault> {
        let pieces = parse(text)?;
        if let [Piece::Expression(expression)] = pieces.as_slice() {
            let value = self.value(expression)?;
            if expression.is_json {
                let json =
                    Json::parse(&value).map_err(|_| InterpolationFault::NotJson(expression.text.clone()));
                return json.inspect(|json| self.remember_all(json));
            }
            return Ok(Json::String(value));
        }
        let mut whole = String::new();
        for piece in &pieces {
            match piece {
                Piece::Text(text) => whole.push_str(text),
                Piece::Expression(expression) => whole.push_str(&self.value(expression)?),
            }
        }
        Ok(Json::String(whole))
    }

    fn value(&self, expression: &Expression) -> Result<String, InterpolationFault> {
        let value = match &expression.origin {
            // What stands in the file in clear is no secret.
            Origin::Variable { name, default: Some(default) } => match self.variable(name)? {
                Some(value) if !value.is_empty() && value != *default => value,
                _ => return Ok(default.clone()),
            },
            Origin::Variable { name, default: None } => {
                self.variable(name)?.ok_or_else(|| self.variable_missing(name))?
            }
            Origin::File(path) => self.file(path)?,
            Origin::Command(line) => self.command(line)?,
            Origin::RunFolder => return Ok(RUN_FOLDER.to_owned()),
        };
        self.secrets.remember(&value);
        Ok(value)
    }

    fn variable(&self, name: &str) -> Result<Option<String>, InterpolationFault> {
        match env::var(name) {
            Ok(value) => Ok(Some(value)),
            Err(env::VarError::NotPresent) => Ok(self.env_file.get(name).map(str::to_owned)),
            Err(env::VarError::NotUnicode(_)) => Err(InterpolationFault::VariableNotText(name.to_owned())),
        }
    }

    fn variable_missing(&self, name: &str) -> InterpolationFault {
        let searched = match (self.env_file.name.as_str(), self.env_file.exists) {
            ("", _) => String::new(),
            (file, true) => format!("; nor is it in {file}"),
            (file, false) => format!("; {file} is not there"),
        };
        InterpolationFault::VariableMissing { name: name.to_owned(), searched }
    }

    /// A file of the project must be its owner's alone; one elsewhere, such as a mounted secret, has the rights that
    /// its platform gave it.
    fn file(&self, path: &str) -> Result<String, InterpolationFault> {
        let failed = |reason: String| InterpolationFault::File { path: path.to_owned(), reason };
        let whole = self.root.join(path);
        // Without links in between: one that leads out of the project is a file elsewhere.
        let real = whole.canonicalize().map_err(|error| failed(error.to_string()))?;
        let text = if real.starts_with(&self.root) {
            private::read(&whole, path).map_err(|error| failed(error.to_string()))??
        } else {
            private::read_anyway(&whole).map_err(|error| failed(error.to_string()))?
        };
        let text =
            text.strip_suffix('\n').map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
        if text.is_empty() { Err(failed("it is empty".to_owned())) } else { Ok(text.to_owned()) }
    }

    /// Each command is run once, however often its value is needed.
    fn command(&self, line: &str) -> Result<String, InterpolationFault> {
        let mut known = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = known.get(line) {
            return Ok(value.clone());
        }
        let value = command::run(line, &self.root)
            .map_err(|(program, reason)| InterpolationFault::Command { program, reason })?;
        known.insert(line.to_owned(), value.clone());
        Ok(value)
    }

    /// The texts inside of a JSON value are secrets each.
    fn remember_all(&self, json: &Json) {
        match json {
            Json::String(text) | Json::Number(text) => self.secrets.remember(text),
            Json::Array(items) => items.iter().for_each(|item| self.remember_all(item)),
            Json::Object(members) => members.values().for_each(|item| self.remember_all(item)),
            Json::Null | Json::Bool(_) => {}
        }
    }
}
