use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::interpolation::{InterpolationFault, Resolver, has_expression};
use crate::pipeline::JsonText;
use crate::place::Place;
use crate::problem::{ConfigError, Problem, did_you_mean};
use crate::project::{PROGRAMS, ProjectFault};
use crate::settings::{SettingFault, parse_duration};
use crate::yaml::Node;

/// Which program a tap or target is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// One of tapster's own, by its name: found beside the `tapster` binary.
    Named(String),
    /// Anybody's, in any language: program and arguments, started without a shell in the project folder.
    Command(Vec<String>),
    /// That of a Python package, in an environment that tapster keeps.
    Package(Package),
    /// A way to name a program that is reserved and not built yet, such as `pip` of a target: the key. Never in a
    /// pipeline that may run.
    NotBuilt(&'static str),
}

/// A program of a Python package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// As pip takes them, the package of the program first. Not looked into here.
    pub requirements: Vec<String>,
    /// Which of its programs.
    pub executable: Option<String>,
    /// The version of Python, as written.
    pub python: Option<String>,
}

/// What a tap speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Protocol {
    /// Singer messages.
    Singer,
    /// It is an Airbyte source.
    Airbyte {
        /// The manifest of a manifest-only one, relative to the project folder.
        manifest: Option<PathBuf>,
    },
}

/// Where a tap's catalog comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CatalogFrom {
    /// The tap is asked, with `--discover`.
    Discovery,
    /// A fixed file, relative to the project folder.
    File(PathBuf),
    /// There is none: the tap has no discovery, takes no catalog, and sends what it sends.
    Nowhere,
}

/// A tap or a target.
#[derive(Clone)]
pub struct ProgramBlock {
    /// The program.
    pub program: Program,
    /// What it speaks. Targets speak Singer.
    pub protocol: Protocol,
    /// Where the catalog comes from. Taps alone have one.
    pub catalog: CatalogFrom,
    /// How long a discovered catalog is good; `None`: the tap is asked each time.
    pub discovery_cache: Option<Duration>,
    /// Folders where the files of BATCH messages may lie, relative to the project folder. Taps alone have them.
    pub batch_roots: Vec<PathBuf>,
    /// Where the program is named.
    pub place: Place,
    node: Node,
    resolver: Arc<Resolver>,
}

impl fmt::Debug for ProgramBlock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Its config may hold a password.
        write!(formatter, "ProgramBlock({:?}, {})", self.program, self.place)
    }
}

impl ProgramBlock {
    /// Reads a checked block in which `use:` is resolved. `kind` is `tap` or `target`.
    pub(super) fn extract(
        node: Node,
        kind: &'static str,
        resolver: &Arc<Resolver>,
    ) -> Result<Self, ConfigError> {
        let named: Vec<_> = PROGRAMS.iter().filter_map(|key| Some((*key, node.get(key)?))).collect();
        let inside = format!("the {kind}");
        let (key, value) = match named.as_slice() {
            [] => {
                let hint = "name its program, with name:, command: or pip:, a tap with airbyte:, or use: one of tapster.yml";
                let missing = "name";
                return Err(Problem::new(SettingFault::Missing { inside, missing, hint }, &node.place).into());
            }
            [one] => *one,
            [(first, _), (second, value), ..] => {
                let fault = SettingFault::TwoPrograms { inside, first, second };
                return Err(Problem::new(fault, &value.place).into());
            }
        };
        let program = match key {
            "name" => Program::Named(plain_text(value)?),
            "command" => {
                let words = value.as_list().unwrap_or_default().iter().map(plain_text);
                Program::Command(words.collect::<Result<_, _>>()?)
            }
            "pip" => Program::Package(package(&node, value)?),
            "airbyte" if kind == "tap" => Program::Package(package(&node, value)?),
            other => Program::NotBuilt(other),
        };
        let protocol = protocol(&node, key, resolver)?;
        let goes = |path: &&str| match *path {
            "executable" | "python" => matches!(key, "pip" | "airbyte"),
            _ => protocol != Protocol::Singer,
        };
        refuse(&node, key, ["executable", "python", "manifest"].iter().filter(|path| !goes(path)))?;
        if program == Program::Command(Vec::new()) {
            let (missing, hint) =
                ("program", "write its program and arguments: command: [python3, taps/mine.py]");
            let fault = SettingFault::Missing { inside: "`command`".to_owned(), missing, hint };
            return Err(Problem::new(fault, &value.place).into());
        }
        let catalog = match node.get("catalog") {
            None => CatalogFrom::Discovery,
            Some(said) if said.as_bool() == Some(false) => CatalogFrom::Nowhere,
            Some(file) => CatalogFrom::File(PathBuf::from(resolver.text(file)?)),
        };
        let cached = node.get("discovery_cache");
        if let Some(cached) = cached.filter(|_| catalog != CatalogFrom::Discovery) {
            let path = "discovery_cache".to_owned();
            let fault = SettingFault::Contradiction { path, found: "given".to_owned(), other: "catalog" };
            return Err(Problem::new(fault, &cached.place).into());
        }
        let discovery_cache = cached.and_then(Node::as_text).and_then(parse_duration);
        let roots = node.get("batch_roots").and_then(Node::as_list).unwrap_or_default();
        let batch_roots =
            roots.iter().map(|root| resolver.text(root).map(PathBuf::from)).collect::<Result<_, _>>()?;
        let place = value.place.clone();
        let resolver = Arc::clone(resolver);
        Ok(Self { program, protocol, catalog, discovery_cache, batch_roots, place, node, resolver })
    }

    /// The program's own settings with everything in them resolved: files read, commands run, the values remembered
    /// as secrets. `{}` when none are given.
    ///
    /// # Errors
    /// A value that is missing.
    pub fn config(&self) -> Result<JsonText, ConfigError> {
        let json = match self.node.get("config") {
            Some(config) => self.resolver.json(config)?,
            None => singer::Json::Object(indexmap::IndexMap::new()),
        };
        let not_json = |_| Problem::new(InterpolationFault::NotJson("config".to_owned()), &self.place);
        Ok(JsonText::new(&json).map_err(not_json)?)
    }

    /// The environment variables that it is given, resolved.
    ///
    /// # Errors
    /// A value that is missing.
    pub fn env(&self) -> Result<Vec<(String, String)>, ConfigError> {
        let entries = self.node.get("env").and_then(Node::as_map).into_iter().flatten();
        entries.map(|(name, entry)| Ok((name.clone(), self.resolver.text(&entry.node)?))).collect()
    }

    /// The program's own settings with each `${…}` as it stands in the file: nothing is read or run. `{}` when none
    /// are given.
    pub fn config_as_written(&self) -> singer::Json {
        let none = || singer::Json::Object(indexmap::IndexMap::new());
        self.node.get("config").map_or_else(none, Node::to_json)
    }

    /// Whether it keeps to what tapster's own taps promise: one of them stands between it and the run.
    pub fn is_ours(&self) -> bool {
        matches!(self.program, Program::Named(_)) || self.protocol != Protocol::Singer
    }

    /// The error for a `name:` that is none of the programs there are. `kind` is `tap` or `target`.
    pub fn unknown(&self, kind: &'static str, known: Vec<String>) -> ConfigError {
        let Program::Named(name) = &self.program else {
            return Problem::new(SettingFault::NotBuilt(kind.to_owned()), &self.place).into();
        };
        let meant = did_you_mean(name, known.iter().map(String::as_str)).map(str::to_owned);
        Problem::new(ProjectFault::NoProgram { kind, name: name.clone(), meant, known }, &self.place).into()
    }

    pub(super) fn node(&self) -> &Node {
        &self.node
    }
}

fn package(node: &Node, pip: &Node) -> Result<Package, ConfigError> {
    let requirements = match pip.as_list() {
        Some(list) => list.iter().map(plain_text).collect::<Result<_, _>>()?,
        None => vec![plain_text(pip)?],
    };
    let text = |key: &str| node.get(key).map(plain_text).transpose();
    Ok(Package { requirements, executable: text("executable")?, python: text("python")? })
}

/// `airbyte:` says it; beside `command:` it is said by `protocol:`.
fn protocol(node: &Node, program: &'static str, resolver: &Resolver) -> Result<Protocol, ConfigError> {
    let said = node.get("protocol");
    let is_airbyte = said.map(|word| word.as_text() == Some("airbyte"));
    match (program, is_airbyte) {
        ("airbyte", None | Some(true)) | ("command", Some(true)) => {}
        ("command", _) | (_, None) => return Ok(Protocol::Singer),
        _ => return refuse(node, program, ["protocol"].iter()).map(|()| Protocol::Singer),
    }
    let manifest = node.get("manifest").map(|path| resolver.text(path)).transpose()?.map(PathBuf::from);
    Ok(Protocol::Airbyte { manifest })
}

/// Refuses what would mean nothing beside the program.
fn refuse<'a>(
    node: &Node,
    program: &'static str,
    mut meaningless: impl Iterator<Item = &'a &'static str>,
) -> Result<(), ConfigError> {
    let Some((path, said)) = meaningless.find_map(|path| Some((path, node.get(path)?))) else {
        return Ok(());
    };
    let path = (*path).to_owned();
    let fault = SettingFault::Contradiction { path, found: "given".to_owned(), other: program };
    Err(Problem::new(fault, &said.place).into())
}

/// A text of a command line, which everybody on the machine can read.
fn plain_text(node: &Node) -> Result<String, ConfigError> {
    let text = node.as_text().unwrap_or_default();
    if has_expression(text) {
        return Err(Problem::new(InterpolationFault::InCommandLine, &node.place).into());
    }
    Ok(text.to_owned())
}
