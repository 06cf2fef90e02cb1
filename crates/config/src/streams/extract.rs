//! From a checked tree to rules.

use super::name_template::NameTemplate;
use super::rules::{ColumnRule, Placed, Rule, RuleSettings};
use super::{Deletes, LoadMethod, OnBadValue, ReplicationMethod, StreamRules, Values};
use crate::interpolation::Resolver;
use crate::pattern::Pattern;
use crate::problem::{ConfigError, Problem};
use crate::settings::SettingFault;
use crate::yaml::{Entry, Map, Node};
use singer::JsonSchema;

impl StreamRules {
    /// Reads `defaults:` and `streams:` of a pipeline's merged file.
    pub(crate) fn extract(
        file: &Map,
        (environment, pipeline): (&str, &str),
        resolver: &Resolver,
    ) -> Result<Self, ConfigError> {
        let mut reading = Reading { resolver, flattens: flattens(file), problems: Vec::new() };
        let defaults = file.get("defaults").map(|entry| reading.settings(&entry.node)).unwrap_or_default();
        let rules = file.get("streams").and_then(|entry| entry.node.as_map());
        let rules = rules.map(|rules| {
            rules.iter().filter_map(|(pattern, entry)| reading.rule(pattern, entry)).collect::<Vec<_>>()
        });
        ConfigError::unless_none(reading.problems)?;
        let (environment, pipeline) = (environment.to_owned(), pipeline.to_owned());
        Ok(Self { defaults, rules, environment, pipeline })
    }
}

/// The tree was checked before: what does not fit is passed over here.
struct Reading<'a> {
    resolver: &'a Resolver,
    /// Whether any stream is flattened.
    flattens: bool,
    problems: Vec<Problem>,
}

impl Reading<'_> {
    fn rule(&mut self, pattern: &str, entry: &Entry) -> Option<Rule> {
        let pattern = Pattern::parse(pattern).ok()?;
        let is_exclude = entry.node.as_text() == Some("exclude");
        Some(Rule { pattern, place: entry.key.clone(), is_exclude, settings: self.settings(&entry.node) })
    }

    fn settings(&mut self, node: &Node) -> RuleSettings {
        let method = |node: &Node| ReplicationMethod::parse(node.as_text()?);
        let settings = RuleSettings {
            replication_method: placed(node, "replication_method", method),
            replication_key: self.text(node, "replication_key"),
            key_properties: self.texts(node, "key_properties"),
            metadata: self.metadata(node),
            columns: self.columns(node),
            optional: placed(node, "optional", Node::as_bool),
            target_schema: self.template(node, "target_schema"),
            target_table: self.template(node, "target_table"),
            load_method: placed(node, "load_method", |node| LoadMethod::parse(node.as_text()?)),
            deletes: placed(node, "deletes", |node| Deletes::parse(node.as_text()?)),
            values: values(node),
            metadata_columns: placed(node, "metadata_columns", Node::as_bool),
            shared: placed(node, "shared", Node::as_bool),
            flatten: placed(node, "flatten", depth),
            grant_select: self.texts(node, "grant_select"),
        };
        if let (Some(method), Some(key)) = (&settings.replication_method, &settings.replication_key)
            && method.value == ReplicationMethod::FullTable
        {
            let fault = SettingFault::Contradiction {
                path: "replication_method".to_owned(),
                found: method.value.to_string(),
                other: "replication_key",
            };
            self.problems.push(Problem::new(fault, &method.place).and("set here", &key.place));
        }
        settings
    }

    fn text(&mut self, node: &Node, key: &str) -> Option<Placed<String>> {
        let node = node.get(key)?;
        let value = self.keep(self.resolver.text(node))?;
        Some(Placed { value, place: node.place.clone() })
    }

    fn texts(&mut self, node: &Node, key: &str) -> Option<Placed<Vec<String>>> {
        let node = node.get(key)?;
        let items = node.as_list()?.iter().map(|item| self.resolver.text(item));
        let value = self.keep(items.collect())?;
        Some(Placed { value, place: node.place.clone() })
    }

    fn template(&mut self, node: &Node, key: &str) -> Option<Placed<NameTemplate>> {
        let text = self.text(node, key)?;
        match NameTemplate::parse(&text.value) {
            Ok(value) => Some(Placed { value, place: text.place }),
            Err(fault) => {
                self.problems.push(Problem::new(fault, &text.place));
                None
            }
        }
    }

    fn metadata(&mut self, node: &Node) -> indexmap::IndexMap<String, Placed<singer::Json>> {
        let entries = node.get("metadata").and_then(Node::as_map).into_iter().flatten();
        let mut metadata = indexmap::IndexMap::new();
        for (key, entry) in entries {
            if let Some(value) = self.keep(self.resolver.json(&entry.node)) {
                metadata.insert(key.clone(), Placed { value, place: entry.node.place.clone() });
            }
        }
        metadata
    }

    fn columns(&mut self, node: &Node) -> Vec<ColumnRule> {
        let entries = node.get("columns").and_then(Node::as_map).into_iter().flatten();
        let rule = |(pattern, entry): (&String, &Entry)| {
            let pattern = Pattern::parse(pattern).ok()?;
            let is_exclude = entry.node.as_text() == Some("exclude");
            let schema = entry.node.get("schema").and_then(|node| self.schema(&pattern, node));
            Some(ColumnRule { pattern, place: entry.key.clone(), is_exclude, schema })
        };
        entries.filter_map(rule).collect()
    }

    /// The schema of a column; of a part of one there is none to override, unless it is flattened into a column.
    fn schema(&mut self, pattern: &Pattern, node: &Node) -> Option<JsonSchema> {
        let json = self.keep(self.resolver.json(node))?;
        let read = match JsonSchema::from_json(&json) {
            Ok(_) if pattern.is_nested() && !self.flattens => {
                Err("one of a nested property, which is no column without `flatten`".to_owned())
            }
            Ok(_) if !names_types(&json) => Err("an unknown `type`".to_owned()),
            read => read.map_err(|error| error.to_string()),
        };
        let wrong = |found| SettingFault::Value {
            path: "schema".to_owned(),
            expected: "the JSON Schema of a column".to_owned(),
            found,
            meant: None,
        };
        read.map_err(|found| self.problems.push(Problem::new(wrong(found), &node.place))).ok()
    }

    fn keep<T>(&mut self, result: Result<T, ConfigError>) -> Option<T> {
        result.map_err(|error| self.problems.extend(error.into_problems())).ok()
    }
}

fn placed<T>(node: &Node, key: &str, read: impl Fn(&Node) -> Option<T>) -> Option<Placed<T>> {
    let node = node.get(key)?;
    Some(Placed { value: read(node)?, place: node.place.clone() })
}

fn flattens(file: &Map) -> bool {
    let rules = file.get("streams").and_then(|entry| entry.node.as_map()).into_iter().flatten();
    let rules = rules.map(|(_, entry)| entry).chain(file.get("defaults"));
    rules.filter_map(|entry| depth(entry.node.get("flatten")?)).any(|depth| depth > 0)
}

fn depth(node: &Node) -> Option<usize> {
    node.to_json().as_number()?.parse().ok()
}

fn values(node: &Node) -> Values {
    let said = |key| OnBadValue::parse(node.get("values")?.get(key)?.as_text()?);
    Values { dates: said("dates"), nan: said("nan"), nul: said("nul") }
}

/// Whether a schema's `type`, when it has one, is a type of JSON, or a list of them.
fn names_types(schema: &singer::Json) -> bool {
    const TYPES: [&str; 7] = ["null", "boolean", "integer", "number", "string", "array", "object"];
    let is_type = |json: &singer::Json| json.as_str().is_some_and(|word| TYPES.contains(&word));
    schema
        .get("type")
        .is_none_or(|said| said.as_array().map_or_else(|| is_type(said), |list| list.iter().all(is_type)))
}
