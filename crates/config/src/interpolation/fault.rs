use std::path::{Path, PathBuf};

/// Why a `${…}` has no value.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum InterpolationFault {
    #[error("a `${{` without its `}}`")]
    NotClosed,
    #[error("`${{{expression}}}` is none of `${{env:NAME}}`, `${{file:path}}`, `${{cmd:program}}`")]
    UnknownKind { expression: String, meant: Option<String> },
    #[error("`${{{0}}}` names nothing")]
    Empty(String),
    #[error("`${{{0}}}` gives a value, not a text: it must stand alone in its text")]
    JsonInText(String),
    #[error("`${{matrix:…}}` is not built yet")]
    Matrix,
    #[error("the environment variable {name} is not set, and an empty one is not assumed{searched}")]
    VariableMissing { name: String, searched: String },
    #[error("the environment variable {0} is not UTF-8")]
    VariableNotText(String),
    #[error("cannot read {path} for `${{file:…}}`: {reason}")]
    File { path: String, reason: String },
    #[error("`{program}` for `${{cmd:…}}` {reason}")]
    Command { program: String, reason: String },
    #[error("what `${{{0}}}` gives is not JSON")]
    NotJson(String),
    #[error("`${{…}}` has no place in a command line, where everybody on this machine can read it")]
    InCommandLine,
    #[error("this line is neither NAME=value nor a comment")]
    EnvFileLine,
    #[error("cannot read {path}: {reason}")]
    EnvFileUnreadable { path: String, reason: String },
    #[error(
        "{name} holds secrets, and others than its owner have rights on it: its mode is {mode:04o}, expected 0600"
    )]
    SharedFile { name: String, path: PathBuf, mode: u32 },
}

impl InterpolationFault {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::NotClosed
            | Self::UnknownKind { .. }
            | Self::Empty(_)
            | Self::JsonInText(_)
            | Self::InCommandLine => "E0114",
            Self::Matrix => "E0107",
            Self::VariableMissing { .. }
            | Self::VariableNotText(_)
            | Self::File { .. }
            | Self::Command { .. }
            | Self::NotJson(_) => "E0115",
            Self::EnvFileLine | Self::EnvFileUnreadable { .. } => "E0124",
            Self::SharedFile { .. } => "E0126",
        }
    }

    pub(crate) fn hint(&self) -> String {
        match self {
            Self::NotClosed => "close it with }, or write $${ for the characters themselves".to_owned(),
            Self::UnknownKind { meant: Some(meant), .. } => format!("did you mean ${{{meant}}}?"),
            Self::UnknownKind { .. } => "write $${ for the characters themselves".to_owned(),
            Self::Empty(_) => "write the name after the colon, as in ${env:NAME}".to_owned(),
            Self::JsonInText(_) => "leave `json:` out, or take the text around it away".to_owned(),
            Self::Matrix => "write one pipeline file for each value until then".to_owned(),
            Self::VariableMissing { name, .. } => {
                format!("set {name}, or write a default: ${{env:{name}:-text}}")
            }
            Self::VariableNotText(_) => "give it a value in UTF-8".to_owned(),
            Self::File { .. } => "relative paths are relative to the project folder".to_owned(),
            Self::Command { .. } => {
                "try it by hand in the project folder; it is run without a shell, so no pipes and no $VARIABLES"
                    .to_owned()
            }
            Self::NotJson(_) => "leave `json:` out to take it as a text".to_owned(),
            Self::InCommandLine => "hand it over in `config` or `env`".to_owned(),
            Self::EnvFileLine => "write NAME=value, with quotes around a value with spaces".to_owned(),
            Self::EnvFileUnreadable { .. } => "check that you may read it".to_owned(),
            Self::SharedFile { path, .. } => format!("chmod 600 {}", shell_word(path)),
        }
    }
}

/// A path as it is typed in a shell.
fn shell_word(path: &Path) -> String {
    let path = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%,:=".contains(c);
    if path.chars().all(is_plain) { path } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_of_a_hint_can_be_typed_as_it_is() {
        assert_eq!(shell_word(Path::new("/srv/app/.env")), "/srv/app/.env");
        assert_eq!(shell_word(Path::new("/srv/o'neil/my app/.env")), r"'/srv/o'\''neil/my app/.env'");
    }
}
