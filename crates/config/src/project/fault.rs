use crate::problem::one_of;

/// What is wrong with the project as a whole.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum ProjectFault {
    #[error("no project: neither {start} nor a folder above it has a tapster.yml or pipelines/")]
    NoProject { start: String },
    #[error("cannot open {path}: {reason}")]
    Folder { path: String, reason: String },
    #[error("no pipeline `{argument}` in {root}")]
    NoPipeline { argument: String, root: String, meant: Option<String>, known: Vec<String> },
    #[error("the pipeline `{name}` has two files, {first} and {second}")]
    TwoFiles { name: String, first: String, second: String },
    #[error("{path} is not in the folder pipelines/ of a project")]
    OutsidePipelines { path: String },
    #[error("no environment `{name}`, neither in tapster.yml nor in {file}")]
    NoEnvironment { name: String, file: String, known: Vec<String>, meant: Option<String> },
    #[error("no file of this project has an environment `{name}`")]
    NoDefault { name: String, known: Vec<String>, meant: Option<String> },
    #[error("{file} has environments, and none is chosen")]
    EnvironmentNotChosen { file: String, known: Vec<String> },
    #[error("there is no {kind} `{name}` in tapster.yml")]
    NoReference { kind: &'static str, name: String, meant: Option<String>, known: Vec<String> },
    #[error("no {kind} `{name}` lies beside the tapster program")]
    NoProgram { kind: &'static str, name: String, meant: Option<String>, known: Vec<String> },
    #[error("the {kind} `{name}` refers to itself")]
    CircularReference { kind: &'static str, name: String },
    #[error("`{0}` is no requirement on a version")]
    BadRequirement(String),
    #[error("this project requires tapster {required}, and this is {version}")]
    WrongVersion { required: String, version: &'static str },
}

impl ProjectFault {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::NoProject { .. } | Self::Folder { .. } => "E0110",
            Self::NoPipeline { .. } | Self::TwoFiles { .. } | Self::OutsidePipelines { .. } => "E0111",
            Self::NoEnvironment { .. } | Self::NoDefault { .. } | Self::EnvironmentNotChosen { .. } => {
                "E0112"
            }
            Self::NoProgram { .. } => "E0185",
            Self::NoReference { .. } | Self::CircularReference { .. } => "E0113",
            Self::BadRequirement(_) | Self::WrongVersion { .. } => "E0116",
        }
    }

    pub(crate) fn hint(&self) -> String {
        match self {
            Self::NoProject { .. } => {
                "`tapster init` makes one; `--project DIR` names another folder".to_owned()
            }
            Self::Folder { .. } => "check the path and your rights on it".to_owned(),
            Self::NoPipeline { meant: Some(meant), .. }
            | Self::NoEnvironment { meant: Some(meant), .. }
            | Self::NoReference { meant: Some(meant), .. } => format!("did you mean `{meant}`?"),
            Self::NoPipeline { known, .. } if known.is_empty() => {
                "`tapster new pipeline` writes one".to_owned()
            }
            Self::NoPipeline { known, .. } => format!("there are {}", shortened(known)),
            Self::TwoFiles { .. } => "remove one of them".to_owned(),
            Self::OutsidePipelines { .. } => {
                "move it there: its path under pipelines/ is the name that its STATE is kept by".to_owned()
            }
            Self::NoProgram { kind, known, meant, .. } => {
                let meant =
                    meant.as_ref().map(|meant| format!("did you mean `{meant}`? ")).unwrap_or_default();
                let known = if known.is_empty() {
                    String::new()
                } else {
                    format!("there are {}; ", shortened(known))
                };
                format!("{meant}{known}for anybody else's write {kind}: {{ command: [PROGRAM] }}")
            }
            Self::NoDefault { meant, known, .. } => {
                let meant =
                    meant.as_ref().map(|meant| format!("did you mean `{meant}`? ")).unwrap_or_default();
                let known = if known.is_empty() {
                    "none is defined: leave it out".to_owned()
                } else {
                    format!("there are {}", shortened(known))
                };
                meant + &known
            }
            Self::NoReference { kind, name, .. } if name.starts_with(&format!("{kind}-")) => {
                format!("for tapster's own program write {kind}: {{ name: {name} }}")
            }
            Self::NoEnvironment { known, .. } | Self::NoReference { known, .. } if known.is_empty() => {
                "none is defined".to_owned()
            }
            Self::NoEnvironment { known, .. } | Self::NoReference { known, .. } => {
                format!("there are {}", shortened(known))
            }
            Self::EnvironmentNotChosen { known, .. } => format!(
                "choose with --environment or TAPSTER_ENVIRONMENT: {}; or set default_environment in tapster.yml",
                one_of(known)
            ),
            Self::CircularReference { .. } => "one of them must name a program".to_owned(),
            Self::BadRequirement(_) => "write for example \">=0.2\" or \">=0.2, <1\"".to_owned(),
            Self::WrongVersion { .. } => "install that version, or change requires_tapster".to_owned(),
        }
    }
}

fn shortened(known: &[String]) -> String {
    match known.get(..12) {
        Some(first) if known.len() > 12 => format!("{} and {} more", one_of(first), known.len() - 12),
        _ => one_of(known),
    }
}
