use crate::interpolation::InterpolationFault;
use crate::pattern::PatternFault;
use crate::project::ProjectFault;
use crate::settings::SettingFault;
use crate::streams::StreamFault;
use crate::yaml::YamlFault;

/// What is wrong, by the room that found it.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Fault {
    /// The text of a file.
    #[error(transparent)]
    Yaml(#[from] YamlFault),
    /// A key or value.
    #[error(transparent)]
    Setting(#[from] SettingFault),
    /// A pattern.
    #[error(transparent)]
    Pattern(#[from] PatternFault),
    /// A `${…}`.
    #[error(transparent)]
    Interpolation(#[from] InterpolationFault),
    /// A rule for streams.
    #[error(transparent)]
    Stream(#[from] StreamFault),
    /// The project as a whole.
    #[error(transparent)]
    Project(#[from] ProjectFault),
}

impl Fault {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Yaml(fault) => fault.code(),
            Self::Setting(fault) => fault.code(),
            Self::Pattern(_) => "E0117",
            Self::Interpolation(fault) => fault.code(),
            Self::Stream(fault) => fault.code(),
            Self::Project(fault) => fault.code(),
        }
    }

    /// Whether another machine may have what is missing here: a variable, or the choice of an environment.
    pub(crate) fn is_of_the_machine(&self) -> bool {
        matches!(self, Self::Project(ProjectFault::EnvironmentNotChosen { .. })) || self.code() == "E0115"
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Yaml(fault) => fault.hint(),
            Self::Setting(fault) => fault.hint(),
            Self::Pattern(fault) => Some(fault.hint()),
            Self::Interpolation(fault) => Some(fault.hint()),
            Self::Stream(fault) => Some(fault.hint()),
            Self::Project(fault) => Some(fault.hint()),
        }
    }
}
