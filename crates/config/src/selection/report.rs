use crate::place::Place;
use crate::streams::StreamSettings;

/// What came of applying the rules.
#[derive(Debug, Clone, Default)]
pub struct SelectionReport {
    /// The streams that are loaded, in the order of the catalog.
    pub selected: Vec<SelectedStream>,
    /// What is probably not as it was meant.
    pub warnings: Vec<Warning>,
}

/// A stream that is loaded.
#[derive(Debug, Clone)]
pub struct SelectedStream {
    /// Its id in the catalog.
    pub tap_stream_id: String,
    /// The name that its messages mostly carry.
    pub stream: String,
    /// The rule that selected it; `None` when the catalog did.
    pub rule: Option<Place>,
    /// Its settings.
    pub settings: StreamSettings,
    /// Its key: the settings' or the catalog's; empty without one.
    pub key_properties: Vec<String>,
    /// The columns that are not loaded, and those that are whatever is said. A tap may send the former all the same.
    pub columns: Vec<ColumnDecision>,
}

/// Whether a column is loaded, and what decided it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDecision {
    /// Its path from the top.
    pub path: Vec<String>,
    /// Whether it is loaded.
    pub is_loaded: bool,
    /// What decided it.
    pub by: DecidedBy,
}

/// What decided about a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecidedBy {
    /// A rule leaves it out.
    Rule(Place),
    /// The column of this path, which holds it, is left out.
    Holder(Vec<String>),
    /// The tap cannot give it (`inclusion: unsupported`).
    Unsupported,
    /// The catalog does not select it.
    Catalog,
    /// The tap gives it whatever is selected (`inclusion: automatic`).
    Automatic,
    /// It is of the key, which stays although the wildcard of this rule would leave it out.
    Key(Place),
}

/// Something that is legal and probably a mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// What.
    pub message: String,
    /// Where.
    pub place: Place,
}

impl std::fmt::Display for Warning {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.place, self.message)
    }
}
