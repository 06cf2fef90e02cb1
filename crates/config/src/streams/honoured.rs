//! What the files ask of a tap or target that it says it cannot do. Found from the files alone, before anything starts.

use super::{Deletes, LoadMethod, StreamFault, StreamRules};
use crate::place::Place;
use crate::problem::{ConfigError, Problem, did_you_mean};
use crate::streams::rules::RuleSettings;

/// What a tap of ours says that it goes by in a catalog.
#[derive(Debug, Clone, Default)]
pub struct Understood {
    /// Replication methods.
    pub replication_methods: Vec<String>,
    /// Whether a replication key may be chosen.
    pub replication_key: bool,
    /// Further metadata of a stream.
    pub metadata: Vec<String>,
}

/// What of the settings a target of ours can honour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// Whether it replaces and removes records by key.
    pub upserts: bool,
    /// Whether several pipelines may load into one table.
    pub shared_tables: bool,
    /// Whether it lets roles read its tables.
    pub grants: bool,
}

impl StreamRules {
    /// Refuses what a tap would silently pass over.
    ///
    /// # Errors
    /// Every such setting, with its place.
    pub fn check_tap(&self, name: &str, understood: &Understood) -> Result<(), ConfigError> {
        let mut problems = Vec::new();
        let cannot = |what: String, known: &[String], meant: Option<&str>| {
            let (program, meant) = (name.to_owned(), meant.map(str::to_owned));
            StreamFault::Cannot { program, what, known: known.to_vec(), meant }
        };
        for settings in self.said() {
            let methods = &understood.replication_methods;
            let method = settings.replication_method.as_ref();
            if let Some(method) =
                method.filter(|method| methods.iter().all(|known| known != method.value.as_str()))
            {
                let what = format!("the replication method {}", method.value);
                problems.push(Problem::new(cannot(what, methods, None), &method.place));
            }
            if let Some(key) = settings.effective_replication_key().filter(|_| !understood.replication_key) {
                problems.push(Problem::new(cannot("a replication key".to_owned(), &[], None), &key.place));
            }
            let known = &understood.metadata;
            for (key, said) in settings.metadata.iter().filter(|(key, _)| !known.contains(key)) {
                let meant = did_you_mean(key, known.iter().map(String::as_str));
                let fault = cannot(format!("the metadata `{key}`"), known, meant);
                problems.push(Problem::new(fault, &said.place));
            }
        }
        ConfigError::unless_none(problems)
    }

    /// Refuses what a target cannot do.
    ///
    /// # Errors
    /// Every such setting, with its place.
    pub fn check_target(&self, name: &str, target: Abilities) -> Result<(), ConfigError> {
        let mut problems = Vec::new();
        let mut cannot = |what: String, known: &[&str], place: &Place| {
            let (program, known) = (name.to_owned(), known.iter().map(|&word| word.to_owned()).collect());
            problems.push(Problem::new(StreamFault::Cannot { program, what, known, meant: None }, place));
        };
        for settings in self.said() {
            let method = settings.load_method.as_ref().filter(|_| !target.upserts);
            if let Some(method) = method.filter(|method| method.value == LoadMethod::Upsert) {
                let what = format!("the load method {}", method.value.as_str());
                let known = [LoadMethod::AppendOnly, LoadMethod::Overwrite].map(LoadMethod::as_str);
                cannot(what, &known, &method.place);
            }
            let deletes = settings.deletes.as_ref().filter(|_| !target.upserts);
            if let Some(deletes) = deletes.filter(|deletes| deletes.value != Deletes::Ignore) {
                let what = format!("`deletes: {}`", deletes.value.as_str());
                cannot(what, &[Deletes::Ignore.as_str()], &deletes.place);
            }
            let shared = settings.shared.as_ref().filter(|shared| shared.value && !target.shared_tables);
            if let Some(shared) = shared {
                cannot("`shared: true`".to_owned(), &[], &shared.place);
            }
            let roles = settings.grant_select.as_ref().filter(|roles| !roles.value.is_empty());
            if let Some(roles) = roles.filter(|_| !target.grants) {
                cannot("`grant_select`".to_owned(), &[], &roles.place);
            }
        }
        ConfigError::unless_none(problems)
    }

    /// The settings of the defaults and of each rule.
    fn said(&self) -> impl Iterator<Item = &RuleSettings> {
        std::iter::once(self.defaults()).chain(self.rules().iter().map(|rule| &rule.settings))
    }
}
