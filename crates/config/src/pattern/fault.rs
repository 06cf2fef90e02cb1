/// Why a text is no pattern.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum PatternFault {
    #[error("a pattern cannot be empty")]
    Empty,
    #[error("the pattern `{0}` has a `{{` without its `}}`")]
    OpenBrace(String),
    #[error("the pattern `{0}` ends in a `\\` that escapes nothing")]
    LoneEscape(String),
    #[error("the pattern `{0}` stands for more than 1,000 alternatives")]
    TooMany(String),
}

impl PatternFault {
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Empty => "write `*` for all".to_owned(),
            Self::OpenBrace(_) => "write \\{ where the name itself has a brace".to_owned(),
            Self::LoneEscape(_) => "write \\\\ where the name itself has a backslash".to_owned(),
            Self::TooMany(_) => "write several patterns, or `*`".to_owned(),
        }
    }
}
