use crate::problem::one_of;

/// What is wrong with a key or its value.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum SettingFault {
    #[error("unknown key `{key}` in {inside}")]
    UnknownKey { key: String, inside: &'static str, meant: Option<&'static str>, known: Vec<&'static str> },
    #[error("`{path}` must be {expected}, found {found}")]
    Value { path: String, expected: String, found: String, meant: Option<String> },
    #[error("`{0}` is not built yet")]
    NotBuilt(String),
    #[error("{inside} has no `{missing}`")]
    Missing { inside: String, missing: &'static str, hint: &'static str },
    #[error("{inside} names its program twice, with `{first}` and with `{second}`")]
    TwoPrograms { inside: String, first: &'static str, second: &'static str },
    #[error("`{path}` cannot be {found} together with `{other}`")]
    Contradiction { path: String, found: String, other: &'static str },
}

impl SettingFault {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::UnknownKey { .. } => "E0103",
            Self::Value { .. } | Self::Contradiction { .. } => "E0104",
            Self::NotBuilt(_) => "E0107",
            Self::Missing { .. } | Self::TwoPrograms { .. } => "E0109",
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::UnknownKey { meant: Some(meant), known, .. } => {
                format!("did you mean `{meant}`? there are {}", one_of(known))
            }
            Self::UnknownKey { known, .. } => format!("there are {}", one_of(known)),
            Self::Value { meant: Some(meant), .. } => format!("did you mean `{meant}`?"),
            Self::Value { .. } => return None,
            Self::NotBuilt(_) => {
                "the word is reserved for what is to come; leave it out until then".to_owned()
            }
            Self::Missing { hint, .. } => (*hint).to_owned(),
            Self::TwoPrograms { .. } => "keep one of them".to_owned(),
            Self::Contradiction { other, .. } => format!("leave `{other}` out, or change the other"),
        })
    }
}
