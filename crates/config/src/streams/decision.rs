use super::StreamSettings;
use crate::place::Place;

/// Whether a stream is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selected {
    /// The last rule that matches it is not `exclude`.
    Yes,
    /// There are rules, and none matches it, or the last is `exclude`.
    No,
    /// There are no rules.
    CatalogDecides,
}

/// What the files say of one stream.
#[derive(Debug, Clone)]
pub struct StreamDecision {
    /// Whether it is loaded.
    pub selected: Selected,
    /// With what settings.
    pub settings: StreamSettings,
    /// The rule that decided the selection.
    pub rule: Option<Place>,
}
