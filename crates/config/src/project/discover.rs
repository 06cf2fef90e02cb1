use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{ProjectFault, environment, files, overlaid, version::check_version};
use crate::interpolation::{EnvFile, Resolver};
use crate::pattern::Pattern;
use crate::pipeline::Pipeline;
use crate::problem::{ConfigError, Problem, did_you_mean};
use crate::settings::{Block, PIPELINE_FILE, PROJECT_FILE, Shape, check, not_built};
use crate::yaml::{Map, Node, read_file};

/// A project folder with its `tapster.yml`.
#[derive(Debug)]
pub struct Project {
    root: PathBuf,
    environment: String,
    /// `tapster.yml` as it stands; empty without one.
    file: Map,
    /// With the environment laid over it.
    settings: Map,
    pipelines: BTreeMap<String, PathBuf>,
    resolver: Arc<Resolver>,
}

impl Project {
    /// Finds the project that a folder or file lies in and reads its `tapster.yml`. Without `environment` the default
    /// of the file is taken, if there is one.
    ///
    /// # Errors
    /// No project, a bad `tapster.yml`, a version that it does not take, an `env_file` that cannot be read or that
    /// others may read.
    pub fn discover(start: &Path, environment: Option<&str>) -> Result<Self, ConfigError> {
        let root = files::root(start)?;
        let path = root.join("tapster.yml");
        // One that says nothing still marks the folder.
        let node =
            if says_something(&path) { Some(parse(&path, "tapster.yml", &PROJECT_FILE)?) } else { None };
        let environment = environment::chosen(node.as_ref(), environment);
        let file = node.as_ref().and_then(Node::as_map).cloned().unwrap_or_default();
        if let Some(required) = file.get("requires_tapster") {
            check_version(&required.node)?;
        }
        let settings = overlaid(&file, &environment);
        let named =
            settings.get("env_file").and_then(|entry| Some((entry.node.as_text()?, &entry.node.place)));
        let env_file = named
            .map_or_else(|| Ok(EnvFile::default()), |(name, place)| EnvFile::read(&root, name, place))?;
        let pipelines = files::pipelines(&root)?;
        let resolver = Arc::new(Resolver::new(root.clone(), env_file));
        Ok(Self { root, environment, file, settings, pipelines, resolver })
    }

    /// The folder that relative paths are relative to, absolute.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The environment, empty without one.
    pub fn environment(&self) -> &str {
        &self.environment
    }

    /// The names of all pipelines, sorted.
    pub fn pipeline_names(&self) -> impl Iterator<Item = &str> {
        self.pipelines.keys().map(String::as_str)
    }

    /// The names that `tapster.yml` gives to taps.
    pub fn tap_names(&self) -> impl Iterator<Item = &str> {
        self.names("taps")
    }

    /// The names that `tapster.yml` gives to targets.
    pub fn target_names(&self) -> impl Iterator<Item = &str> {
        self.names("targets")
    }

    fn names(&self, key: &str) -> impl Iterator<Item = &str> {
        let map = self.settings.get(key).and_then(|entry| entry.node.as_map());
        map.into_iter().flat_map(Map::keys).map(String::as_str)
    }

    /// The pipelines that an argument means: a name, a pattern of names, or a path that ends in `.yml` or `.yaml`
    /// (relative to the working folder, in this project's `pipelines/`).
    ///
    /// # Errors
    /// When it means none.
    pub fn matching(&self, argument: &str) -> Result<Vec<String>, ConfigError> {
        if files::is_path(argument) {
            let path =
                fs::canonicalize(argument).map_err(|error| files::folder(Path::new(argument), &error))?;
            let name = files::name(&path, &self.root);
            let path = path.display().to_string();
            return Ok(vec![name.ok_or_else(|| Problem::nowhere(ProjectFault::OutsidePipelines { path }))?]);
        }
        if self.pipelines.contains_key(argument) {
            return Ok(vec![argument.to_owned()]);
        }
        let pattern = Pattern::new(argument)?;
        let names: Vec<String> =
            self.pipeline_names().filter(|name| pattern.matches(name)).map(str::to_owned).collect();
        if names.is_empty() { Err(self.no_pipeline(argument)) } else { Ok(names) }
    }

    /// Reads a pipeline with all its layers, ready to run.
    ///
    /// # Errors
    /// All that is wrong with its file, and every setting in use that is not built yet.
    pub fn pipeline(&self, name: &str) -> Result<Pipeline, ConfigError> {
        let pipeline = self.pipeline_as_written(name)?;
        ConfigError::unless_none(pipeline.not_built.clone())?;
        Ok(pipeline)
    }

    /// As [`Self::pipeline`], but passes over settings that are not built yet: for listings, never for a run.
    ///
    /// # Errors
    /// All that is wrong with its file.
    pub fn pipeline_as_written(&self, name: &str) -> Result<Pipeline, ConfigError> {
        let (node, shown) = self.parsed(name)?;
        let file = node.as_map().cloned().unwrap_or_default();
        environment::check(&self.environment, &self.file, &file, &shown, || {
            self.environments_of_pipelines()
        })?;
        let file = overlaid(&file, &self.environment);
        Pipeline::resolve(self, name, &shown, &file, &node.place)
    }

    /// All that the files alone can tell, on a machine without the variables and without the choice of an
    /// environment. Gives the pipeline as a run would go by it, where nothing of that is missing.
    ///
    /// # Errors
    /// All that is wrong with its file, and every setting in use that is not built yet, as for a run.
    pub fn check_files(&self, name: &str) -> Result<Option<Pipeline>, ConfigError> {
        let error = match self.pipeline_as_written(name) {
            Ok(pipeline) => {
                ConfigError::unless_none(pipeline.not_built.clone())?;
                return Ok(Some(pipeline));
            }
            Err(error) => error,
        };
        let problems = error.into_problems().into_iter();
        let mut problems: Vec<Problem> = problems.filter(|problem| !problem.is_of_the_machine()).collect();
        if problems.is_empty() {
            let node = self.parsed(name)?.0;
            not_built(&node, &Shape::Block(&PIPELINE_FILE), &mut problems);
        }
        ConfigError::unless_none(problems)?;
        Ok(None)
    }

    /// The environments that pipelines define. A file that cannot be read is told of when it is its turn.
    fn environments_of_pipelines(&self) -> Vec<String> {
        let names = self.pipelines.keys().filter_map(|name| self.parsed(name).ok());
        names.flat_map(|(node, _)| node.as_map().map(environment::owned_names).unwrap_or_default()).collect()
    }

    /// The pipeline's file, checked, and its name for people.
    fn parsed(&self, name: &str) -> Result<(Node, String), ConfigError> {
        let path = self.pipelines.get(name).ok_or_else(|| self.no_pipeline(name))?;
        let shown = files::relative(path, &self.root);
        Ok((parse(path, &shown, &PIPELINE_FILE)?, shown))
    }

    pub(crate) fn settings(&self) -> &Map {
        &self.settings
    }

    pub(crate) fn resolver(&self) -> &Arc<Resolver> {
        &self.resolver
    }

    fn no_pipeline(&self, argument: &str) -> ConfigError {
        let known: Vec<String> = self.pipelines.keys().cloned().collect();
        let meant = did_you_mean(argument, known.iter().map(String::as_str)).map(str::to_owned);
        let (argument, root) = (argument.to_owned(), self.root.display().to_string());
        Problem::nowhere(ProjectFault::NoPipeline { argument, root, meant, known }).into()
    }
}

/// Reads a file and checks it against its table of keys.
/// Whether a file has a line that is more than a comment; one that cannot be read is told of when it is read.
fn says_something(path: &Path) -> bool {
    let is_content = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    path.is_file() && fs::read_to_string(path).map_or(true, |text| text.lines().any(is_content))
}

fn parse(path: &Path, name: &str, block: &'static Block) -> Result<Node, ConfigError> {
    let node = read_file(path, name)?;
    let mut problems = Vec::new();
    check(&node, &Shape::Block(block), "", &mut problems);
    ConfigError::unless_none(problems)?;
    Ok(node)
}
