/// What is wrong with the text of a file.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum YamlFault {
    #[error("cannot read {file}: {reason}")]
    Unreadable { file: String, reason: String },
    #[error("{file} is not UTF-8: byte {at} is 0x{byte:02x}")]
    NotUtf8 { file: String, at: usize, byte: u8 },
    #[error("{file} has {bytes} bytes, at most 1 MiB is read")]
    TooLarge { file: String, bytes: usize },
    #[error("this is not YAML: {0}")]
    Syntax(String),
    #[error("the key `{0}` stands twice in this map")]
    DuplicateKey(String),
    #[error("a key must be a word, found {0}")]
    KeyIsNoWord(&'static str),
    #[error("{what}: put it in quotes")]
    NeedsQuotes { what: String, example: String },
    #[error("`{found}` is no number that every reader takes for the same: {reason}: quote it")]
    Number { found: String, reason: &'static str },
    #[error("tags such as `{0}` are not taken")]
    Tag(String),
    #[error("alias expansion over 1,000 nodes; refused")]
    AliasExpansion,
    #[error("nested deeper than 32 levels; refused")]
    TooDeep,
    #[error("there is no anchor `&{0}` above this in the file")]
    UnknownAnchor(String),
    #[error("`<<` takes a map or a list of maps, found {0}")]
    MergeKey(String),
    #[error("a second document begins here; a file holds one")]
    SecondDocument,
    #[error("the file is empty")]
    Empty,
}

impl YamlFault {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } | Self::NotUtf8 { .. } => "E0108",
            Self::Syntax(_)
            | Self::KeyIsNoWord(_)
            | Self::UnknownAnchor(_)
            | Self::MergeKey(_)
            | Self::SecondDocument
            | Self::Empty => "E0101",
            Self::DuplicateKey(_) => "E0102",
            Self::NeedsQuotes { .. } | Self::Number { .. } | Self::Tag(_) => "E0105",
            Self::TooLarge { .. } | Self::AliasExpansion | Self::TooDeep => "E0106",
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unreadable { file, .. } => format!("check that {file} is there and that you may read it"),
            Self::NotUtf8 { .. } => "save the file as UTF-8".to_owned(),
            Self::TooLarge { .. } => "split it into several pipelines".to_owned(),
            Self::Syntax(reason) if reason.contains("tab") => {
                "indent with spaces: YAML takes no tabs there".to_owned()
            }
            Self::Syntax(_) => {
                "check the indentation, the `:` and the brackets there and on the line above".to_owned()
            }
            Self::DuplicateKey(_) => {
                "keep one of them; patterns of streams can be joined: \"{a,b}\"".to_owned()
            }
            Self::NeedsQuotes { example, .. } => format!("write {example}"),
            Self::Number { found, .. } => {
                format!("write \"{found}\" for a text, or the plain digits for a number")
            }
            Self::Tag(tag) => format!("leave {tag} out; put the value in quotes if it is a text"),
            Self::AliasExpansion | Self::TooDeep => {
                "write it out, or with fewer anchors and levels; no file of tapster's needs so many"
                    .to_owned()
            }
            Self::UnknownAnchor(name) => {
                format!("write \"*{name}\" in quotes if it is a pattern; aliases work inside one file only")
            }
            Self::MergeKey(_) => "write `<<: *name`, where `&name` stands before a map".to_owned(),
            Self::SecondDocument => "put each pipeline into its own file in pipelines/".to_owned(),
            Self::Empty => "see `tapster init` for a file that works".to_owned(),
            Self::KeyIsNoWord(_) => return None,
        })
    }
}
