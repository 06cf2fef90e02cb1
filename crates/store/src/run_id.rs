use std::fmt;

use serde::{Serialize, Serializer};
use uuid::Uuid;

/// Identifies one run: a UUID of version 7, so that ids sort by the time they were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(Uuid);

impl RunId {
    /// A new id, later in order than every one made before it by this process.
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }

    /// Reads an id in its full form; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }

    /// The form for people: the first 13 characters, which say the millisecond.
    /// Every command takes it, as it takes any other unique beginning.
    pub fn short(&self) -> String {
        self.to_string().chars().take(13).collect()
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(formatter)
    }
}

impl Serialize for RunId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::RunId;

    #[test]
    fn ids_sort_by_the_time_they_were_made() {
        let ids: Vec<_> = (0..1000).map(|_| RunId::generate().to_string()).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn the_full_form_reads_back_and_the_short_form_begins_it() {
        let id = RunId::generate();
        assert_eq!(RunId::parse(&id.to_string()), Some(id));
        assert!(id.to_string().starts_with(&id.short()));
        assert_eq!(RunId::parse("flights"), None);
    }
}
