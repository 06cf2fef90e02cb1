use std::sync::Arc;

use super::{Limits, Listing, ProgramBlock};
use crate::place::Place;
use crate::problem::{ConfigError, Problem};
use crate::project::{Project, overlay, referenced};
use crate::secrets::{Secrets, is_secret_name};
use crate::selection::Warning;
use crate::settings::{PIPELINE_FILE, PROJECT_FILE, SettingFault, Shape, idle, not_built};
use crate::streams::StreamRules;
use crate::yaml::{Entry, Map, Node, Value};

/// One pipeline, all layers merged: built in, `tapster.yml`, its own file, each with its environment.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// `finance/orders` for `pipelines/finance/orders.yml`.
    pub name: String,
    /// Empty without one.
    pub environment: String,
    /// Its file, relative to the project folder.
    pub file: String,
    /// One line.
    pub description: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// For `run --tag`.
    pub tags: Vec<String>,
    /// What is extracted.
    pub tap: ProgramBlock,
    /// Where it is loaded.
    pub target: ProgramBlock,
    /// Time and size.
    pub limits: Limits,
    /// Which streams and columns, and how.
    pub rules: StreamRules,
    /// What has been resolved so far and must not be seen.
    pub secrets: Secrets,
    pub(crate) not_built: Vec<Problem>,
    /// What the files say and nothing acts on yet, such as a schedule. A run does all else.
    pub idle: Vec<Warning>,
    merged: Map,
}

impl Pipeline {
    /// `file` is the pipeline's own with its environment laid over it, `start` its beginning.
    pub(crate) fn resolve(
        project: &Project,
        name: &str,
        shown: &str,
        file: &Map,
        start: &Place,
    ) -> Result<Self, ConfigError> {
        let environment = project.environment().to_owned();
        let mut merged = overlay(&weaker(project.settings()), file);
        let resolver = project.resolver();
        let mut problems = Vec::new();
        let mut block = |kind: &'static str, list: &str| {
            let read = || {
                let hint = if kind == "tap" { "say what is extracted" } else { "say where it is loaded" };
                let missing = || SettingFault::Missing { inside: shown.to_owned(), missing: kind, hint };
                let entry = merged.get(kind).ok_or_else(|| Problem::new(missing(), start))?;
                let named = project.settings().get(list).map(|entry| &entry.node);
                let node = referenced(&entry.node, kind, named)?;
                ProgramBlock::extract(node, kind, resolver)
            };
            read().map_err(|error: ConfigError| problems.extend(error.into_problems())).ok()
        };
        let (tap, target) = (block("tap", "taps"), block("target", "targets"));
        let rules = StreamRules::extract(&merged, (&environment, name), resolver);
        let rules = rules.map_err(|error| problems.extend(error.into_problems())).ok();
        ConfigError::unless_none(problems)?;
        let (Some(tap), Some(target), Some(rules)) = (tap, target, rules) else {
            // Each of them is there, or has left a problem.
            return Err(Problem::new(crate::yaml::YamlFault::Empty, start).into());
        };
        for (key, block) in [("tap", &tap), ("target", &target)] {
            if let Some(entry) = merged.get_mut(key) {
                entry.node = block.node().clone();
            }
            remember_literals(block.node(), &resolver.secrets);
        }
        let text = |key: &str| merged.get(key).and_then(|entry| entry.node.as_text()).map(str::to_owned);
        let tags = merged.get("tags").and_then(|entry| entry.node.as_list()).unwrap_or_default();
        Ok(Self {
            name: name.to_owned(),
            environment,
            file: shown.to_owned(),
            description: text("description"),
            owner: text("owner"),
            tags: tags.iter().filter_map(Node::as_text).map(str::to_owned).collect(),
            limits: Limits::extract(merged.get("limits").and_then(|entry| entry.node.as_map())),
            rules,
            secrets: resolver.secrets.clone(),
            idle: [idle(file, &PIPELINE_FILE), idle(project.settings(), &PROJECT_FILE)].concat(),
            not_built: unbuilt(&merged, project.settings()),
            tap,
            target,
            merged,
        })
    }

    /// Every value that a run would go by, with its place. Secrets are starred out; `${…}` is shown as it was written
    /// and not resolved.
    pub fn listing(&self) -> Listing {
        let refused = self.not_built.iter().map(|problem| format!("{}; a run refuses it", problem.line()));
        let warnings = refused.chain(self.idle.iter().map(ToString::to_string));
        let listing = Listing::of(&self.name, &self.environment, &self.merged);
        Listing { warnings: warnings.collect(), ..listing }
    }
}

/// What of `tapster.yml` lies under every pipeline.
fn weaker(settings: &Map) -> Map {
    let inherited = ["defaults", "limits", "schedule"];
    let inherited =
        inherited.into_iter().filter_map(|key| Some((key.to_owned(), settings.get(key)?.clone())));
    inherited.collect()
}

/// What is in use and not built yet, in this pipeline or for all of them.
fn unbuilt(merged: &Map, settings: &Map) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut look = |map: Map, shape: &Shape| {
        let place = map.values().next().map(|entry| entry.key.clone());
        if let Some(place) = place {
            not_built(&Node { value: Value::Map(map), place }, shape, &mut problems);
        }
    };
    look(merged.clone(), &Shape::Block(&PIPELINE_FILE));
    let store = settings.get("store").cloned();
    look(
        store.into_iter().map(|entry: Entry| ("store".to_owned(), entry)).collect(),
        &Shape::Block(&PROJECT_FILE),
    );
    problems
}

/// A password that stands in the file in clear is kept out of logs all the same.
fn remember_literals(node: &Node, secrets: &Secrets) {
    let Value::Map(map) = &node.value else { return };
    for (key, entry) in map {
        match &entry.node.value {
            Value::Text(text) if is_secret_name(key) && !crate::interpolation::has_expression(text) => {
                secrets.remember(text);
            }
            Value::List(items) => items.iter().for_each(|item| remember_literals(item, secrets)),
            _ => remember_literals(&entry.node, secrets),
        }
    }
}

impl AsRef<Secrets> for Pipeline {
    fn as_ref(&self) -> &Secrets {
        &self.secrets
    }
}

/// The secrets of all pipelines of a project are one collection.
impl Project {
    /// What has been resolved so far in this project and must not be seen.
    pub fn secrets(&self) -> Secrets {
        Arc::clone(self.resolver()).secrets.clone()
    }
}
