use crate::problem::one_of;

/// What is wrong with the rules for streams, mostly seen only beside the tap's catalog.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum StreamFault {
    #[error("`{template}` has no end of its `{{`")]
    OpenPlaceholder { template: String },
    #[error("`{{{placeholder}}}` is unknown")]
    UnknownPlaceholder { placeholder: String, meant: Option<&'static str>, known: Vec<&'static str> },
    #[error("the stream `{stream}` has no schema in its name, which `{template}` needs")]
    NoSchema { stream: String, template: String },
    #[error("the tap offers no stream `{stream}`")]
    NotOffered { stream: String, meant: Option<String> },
    #[error("the stream `{stream}` has no column `{column}`")]
    NoColumn { stream: String, column: String, meant: Option<String> },
    #[error("this rule does nothing: a later one overrules it for every stream that it matches")]
    Hidden,
    #[error("`{column}` is a key of the stream `{stream}` and cannot be excluded")]
    KeyExcluded { stream: String, column: String },
    #[error("0 streams selected; nothing would be loaded")]
    NothingSelected { offered: usize },
    #[error("--exclude leaves out all that this pipeline loads; nothing would be loaded")]
    NothingLeft { loaded: usize },
    #[error("the stream `{stream}` cannot be read with {wanted}: {reason}")]
    NotHonoured { stream: String, wanted: String, reason: String },
    #[error("{program} does not go by {what}")]
    Cannot { program: String, what: String, known: Vec<String>, meant: Option<String> },
    #[error("the stream `{0}` has no key, and without one there is nothing to upsert by")]
    NoKey(String),
    #[error(
        "the stream `{stream}` is read with {method}, which sends only what is new, and `overwrite` removes the rest"
    )]
    OverwriteInParts { stream: String, method: String },
    #[error(
        "the stream `{0}` has a table that is `shared`, and `overwrite` would remove the records of other pipelines"
    )]
    OverwriteShared(String),
    #[error("the streams `{}` and `{}` would both load into the table {table}", streams[0], streams[1])]
    OneTable { streams: [String; 2], table: String },
    #[error("--select {0} names no stream that this pipeline loads")]
    SelectsNothing(String),
}

impl StreamFault {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::OpenPlaceholder { .. } | Self::UnknownPlaceholder { .. } | Self::NoSchema { .. } => "E0125",
            Self::NotOffered { .. } => "E0118",
            Self::NoColumn { .. } => "E0119",
            Self::Hidden => "E0120",
            Self::KeyExcluded { .. } => "E0121",
            Self::NothingSelected { .. } | Self::NothingLeft { .. } | Self::SelectsNothing(_) => "E0122",
            Self::NotHonoured { .. }
            | Self::Cannot { .. }
            | Self::NoKey(_)
            | Self::OverwriteInParts { .. }
            | Self::OverwriteShared(_) => "E0123",
            Self::OneTable { .. } => "E0127",
        }
    }

    pub(crate) fn hint(&self) -> String {
        match self {
            Self::OpenPlaceholder { .. } => "close it: {table}".to_owned(),
            Self::UnknownPlaceholder { meant: Some(meant), .. } => format!("did you mean {{{meant}}}?"),
            Self::UnknownPlaceholder { known, .. } => format!("there are {}", one_of(known)),
            Self::NoSchema { .. } => "give this stream a target_schema without {schema}".to_owned(),
            Self::NotOffered { meant: Some(meant), .. } | Self::NoColumn { meant: Some(meant), .. } => {
                format!("did you mean `{meant}`?")
            }
            Self::NotOffered { .. } => {
                "see `tapster discover`; say `optional: true` for a stream that may be missing".to_owned()
            }
            Self::NoColumn { .. } => {
                "see `tapster discover`; say `optional: true` if it may be missing".to_owned()
            }
            Self::Hidden => "the last rule that matches wins: put this one below it, or remove it".to_owned(),
            Self::KeyExcluded { .. } => "leave it in: without it records cannot be told apart".to_owned(),
            Self::NothingSelected { offered: 0 } => {
                "the tap offers no stream at all: check its config".to_owned()
            }
            Self::NothingSelected { offered } => {
                format!("the tap offers {offered}: see `tapster discover`, and select some under `streams:`")
            }
            Self::Cannot { meant: Some(meant), .. } => format!("did you mean `{meant}`?"),
            Self::Cannot { known, .. } if known.is_empty() => "remove the setting".to_owned(),
            Self::Cannot { known, .. } => format!("it takes {}", one_of(known)),
            Self::NoKey(_) => {
                "give it `key_properties`, or leave `load_method` out: it is then appended".to_owned()
            }
            Self::OverwriteShared(_) => "take another `load_method`, or a table of its own".to_owned(),
            Self::OverwriteInParts { .. } => {
                "read it with `replication_method: FULL_TABLE`, or take another `load_method`".to_owned()
            }
            Self::OneTable { .. } => "give one of them another `target_table` or `target_schema`".to_owned(),
            Self::NothingLeft { loaded } => format!(
                "the pipeline loads {loaded} of the tap's streams, see `tapster discover`: exclude fewer of them"
            ),
            Self::NotHonoured { .. } => "change or remove the setting".to_owned(),
            Self::SelectsNothing(_) => "it narrows what the pipeline selects and never widens it".to_owned(),
        }
    }
}
