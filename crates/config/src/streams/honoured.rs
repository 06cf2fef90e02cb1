//! What the files ask of a tap or target that it says it cannot do. Found from the files alone, before anything starts.

use super::{LoadMethod, StreamFault, StreamRules};
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

    /// Refuses to upsert into a target that only appends.
    ///
    /// # Errors
    /// Every `load_method: upsert`, with its place.
    pub fn check_target(&self, name: &str, upserts: bool) -> Result<(), ConfigError> {
        let methods = self.said().filter_map(|settings| settings.load_method.as_ref());
        let upsert = methods.filter(|method| !upserts && method.value == LoadMethod::Upsert);
        let problem = |method: &crate::streams::Placed<LoadMethod>| {
            let (program, what) = (name.to_owned(), "the load method upsert".to_owned());
            let known = vec![LoadMethod::AppendOnly.as_str().to_owned()];
            Problem::new(StreamFault::Cannot { program, what, known, meant: None }, &method.place)
        };
        ConfigError::unless_none(upsert.map(problem).collect())
    }

    /// The settings of the defaults and of each rule.
    fn said(&self) -> impl Iterator<Item = &RuleSettings> {
        std::iter::once(self.defaults()).chain(self.rules().iter().map(|rule| &rule.settings))
    }
}
