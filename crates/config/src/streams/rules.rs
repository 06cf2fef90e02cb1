use indexmap::IndexMap;
use singer::{Json, JsonSchema};

use super::name_template::{NameTemplate, Names};
use super::{Deletes, LoadMethod, ReplicationMethod, Selected, StreamDecision, StreamSettings, Values};
use crate::pattern::Pattern;
use crate::place::Place;

/// The stream rules of one pipeline: `defaults:` and `streams:`.
#[derive(Debug, Clone)]
pub struct StreamRules {
    pub(crate) defaults: RuleSettings,
    /// `None` without `streams:`.
    pub(crate) rules: Option<Vec<Rule>>,
    pub(crate) environment: String,
    pub(crate) pipeline: String,
}

/// One line under `streams:`.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) pattern: Pattern,
    pub(crate) place: Place,
    pub(crate) is_exclude: bool,
    pub(crate) settings: RuleSettings,
}

/// A value with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Placed<T> {
    pub(crate) value: T,
    pub(crate) place: Place,
}

/// What one rule says, or several of them together.
#[derive(Debug, Clone, Default)]
pub(crate) struct RuleSettings {
    pub(crate) replication_method: Option<Placed<ReplicationMethod>>,
    pub(crate) replication_key: Option<Placed<String>>,
    pub(crate) key_properties: Option<Placed<Vec<String>>>,
    pub(crate) metadata: IndexMap<String, Placed<Json>>,
    pub(crate) columns: Vec<ColumnRule>,
    pub(crate) optional: Option<Placed<bool>>,
    pub(crate) target_schema: Option<Placed<NameTemplate>>,
    pub(crate) target_table: Option<Placed<NameTemplate>>,
    pub(crate) load_method: Option<Placed<LoadMethod>>,
    pub(crate) deletes: Option<Placed<Deletes>>,
    pub(crate) values: Values,
    pub(crate) metadata_columns: Option<Placed<bool>>,
    pub(crate) shared: Option<Placed<bool>>,
    pub(crate) flatten: Option<Placed<usize>>,
    pub(crate) grant_select: Option<Placed<Vec<String>>>,
}

/// One line under `columns:`.
#[derive(Debug, Clone)]
pub(crate) struct ColumnRule {
    pub(crate) pattern: Pattern,
    pub(crate) place: Place,
    pub(crate) is_exclude: bool,
    pub(crate) schema: Option<JsonSchema>,
}

impl RuleSettings {
    /// Lays another rule over this one: key by key, and its column rules after these.
    pub(crate) fn lay_over(&mut self, stronger: &Self) {
        fn take<T: Clone>(weak: &mut Option<T>, strong: Option<&T>) {
            if let Some(strong) = strong {
                *weak = Some(strong.clone());
            }
        }
        take(&mut self.replication_method, stronger.replication_method.as_ref());
        take(&mut self.replication_key, stronger.replication_key.as_ref());
        take(&mut self.key_properties, stronger.key_properties.as_ref());
        take(&mut self.optional, stronger.optional.as_ref());
        take(&mut self.target_schema, stronger.target_schema.as_ref());
        take(&mut self.target_table, stronger.target_table.as_ref());
        take(&mut self.load_method, stronger.load_method.as_ref());
        take(&mut self.deletes, stronger.deletes.as_ref());
        take(&mut self.values.dates, stronger.values.dates.as_ref());
        take(&mut self.values.nan, stronger.values.nan.as_ref());
        take(&mut self.values.nul, stronger.values.nul.as_ref());
        take(&mut self.metadata_columns, stronger.metadata_columns.as_ref());
        take(&mut self.shared, stronger.shared.as_ref());
        take(&mut self.flatten, stronger.flatten.as_ref());
        take(&mut self.grant_select, stronger.grant_select.as_ref());
        self.metadata.extend(stronger.metadata.clone());
        self.columns.extend(stronger.columns.iter().cloned());
    }

    /// The key that the tap is to go by: an inherited one does nothing under another method.
    pub(crate) fn effective_replication_key(&self) -> Option<&Placed<String>> {
        let method = self.replication_method.as_ref().map(|method| method.value);
        let is_used = method.is_none_or(|method| method == ReplicationMethod::Incremental);
        self.replication_key.as_ref().filter(|_| is_used)
    }
}

impl StreamRules {
    /// What the files say of a stream, by its `tap_stream_id`, or its name where the catalog does not hold it.
    pub fn stream(&self, id: &str) -> StreamDecision {
        let deciding = self.matching(id).last();
        let selected = match (&self.rules, deciding) {
            (None, _) => Selected::CatalogDecides,
            (Some(_), Some(rule)) if !rule.is_exclude => Selected::Yes,
            _ => Selected::No,
        };
        let settings = self.settings(&self.merged(id), id);
        StreamDecision { selected, settings, rule: deciding.map(|rule| rule.place.clone()) }
    }

    /// What the files say of a stream's columns.
    pub fn columns(&self, stream: &str) -> ColumnRules {
        ColumnRules(self.merged(stream).columns)
    }

    /// The rules in file order; none without `streams:`.
    pub(crate) fn rules(&self) -> &[Rule] {
        self.rules.as_deref().unwrap_or_default()
    }

    /// What is said of every stream.
    pub(crate) fn defaults(&self) -> &RuleSettings {
        &self.defaults
    }

    /// The rules that match a stream, in file order.
    pub(crate) fn matching(&self, id: &str) -> impl Iterator<Item = &Rule> {
        self.rules.iter().flatten().filter(move |rule| rule.pattern.matches(id))
    }

    /// The defaults and all matching rules together.
    pub(crate) fn merged(&self, id: &str) -> RuleSettings {
        let mut merged = self.defaults.clone();
        self.matching(id).for_each(|rule| merged.lay_over(&rule.settings));
        merged
    }

    pub(crate) fn settings(&self, merged: &RuleSettings, id: &str) -> StreamSettings {
        let names = Names { stream: id, environment: &self.environment, pipeline: &self.pipeline };
        let name = |template: &Option<Placed<NameTemplate>>| {
            template.as_ref().map(|template| template.value.expand(&names))
        };
        StreamSettings {
            replication_method: merged.replication_method.as_ref().map(|method| method.value),
            replication_key: merged.effective_replication_key().map(|key| key.value.clone()),
            key_properties: merged.key_properties.as_ref().map(|key| key.value.clone()),
            metadata: merged
                .metadata
                .iter()
                .map(|(key, placed)| (key.clone(), placed.value.clone()))
                .collect(),
            optional: merged.optional.as_ref().is_some_and(|optional| optional.value),
            target_schema: name(&merged.target_schema),
            target_table: name(&merged.target_table),
            load_method: merged.load_method.as_ref().map(|method| method.value),
            deletes: merged.deletes.as_ref().map(|deletes| deletes.value),
            values: merged.values,
            metadata_columns: merged.metadata_columns.as_ref().map(|placed| placed.value),
            flatten: merged.flatten.as_ref().map(|placed| placed.value),
            shared: merged.shared.as_ref().is_some_and(|placed| placed.value),
            grant_select: merged.grant_select.as_ref().map(|roles| roles.value.clone()),
        }
    }
}

/// The column rules of one stream. Keys are loaded whatever they say.
#[derive(Debug, Clone)]
pub struct ColumnRules(Vec<ColumnRule>);

impl ColumnRules {
    /// Whether a column is loaded, by its path from the top of the record.
    pub fn loads(&self, path: &[&str]) -> bool {
        (1..=path.len()).all(|length| {
            let path = path.get(..length).unwrap_or_default();
            column_rule(&self.0, path).is_none_or(|rule| !rule.is_exclude)
        })
    }

    /// The JSON Schema that the files give a column, by its path from the top of the record: that of the last rule for it that has one.
    pub fn schema(&self, path: &[&str]) -> Option<&JsonSchema> {
        let mut rules = self.0.iter().rev().filter(|rule| rule.pattern.matches_path(path));
        rules.find_map(|rule| rule.schema.as_ref())
    }

    /// Whether parts of a column may be left out while the column is loaded.
    pub fn exclude_nested(&self) -> bool {
        self.0.iter().any(|rule| rule.is_exclude && rule.pattern.is_nested())
    }
}

/// The last rule that means this column itself.
pub(crate) fn column_rule<'a>(columns: &'a [ColumnRule], path: &[&str]) -> Option<&'a ColumnRule> {
    columns.iter().rev().find(|rule| rule.pattern.matches_path(path))
}
