//! Texts that are kept for the next run of a pipeline, the last of each kind.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, params};

use crate::{PipelineName, Result, Store, time};

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// The catalog that the tap offered when it was last asked, with what that answer was for.
    Discovery,
    /// The catalog that the last successful run went by.
    Catalog,
    /// What the tap wrote into its config.
    TapConfig,
}

impl Kept {
    fn as_str(self) -> &'static str {
        match self {
            Self::Discovery => "discovery",
            Self::Catalog => "catalog",
            Self::TapConfig => "tap_config",
        }
    }
}

/// A kept text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptText {
    /// As it was handed in.
    pub text: String,
    /// When.
    pub time: DateTime<Utc>,
}

impl Store {
    /// Keeps a text in place of the one before.
    pub fn keep(&self, name: &PipelineName, what: Kept, text: &str) -> Result<()> {
        let sql = "INSERT INTO kept VALUES (?1, ?2, ?3, ?4, ?5) \
                   ON CONFLICT DO UPDATE SET text = excluded.text, time = excluded.time";
        let values =
            params![name.environment, name.pipeline, what.as_str(), text, time::to_text(time::now())];
        self.write(|ledger| ledger.execute(sql, values).map(drop).map_err(|error| self.sqlite_error(error)))
    }

    /// The text that was kept last.
    pub fn kept(&self, name: &PipelineName, what: Kept) -> Result<Option<KeptText>> {
        let sql = "SELECT text, time FROM kept WHERE environment = ?1 AND pipeline = ?2 AND what = ?3";
        let key = params![name.environment, name.pipeline, what.as_str()];
        self.read(|ledger| {
            let read = |row: &rusqlite::Row<'_>| {
                let time = time::from_text(1, &row.get::<_, String>(1)?)?;
                Ok(KeptText { text: row.get(0)?, time })
            };
            ledger.query_row(sql, key, read).optional()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Kept;
    use crate::{NewState, PipelineName, StateCause, Store};

    #[test]
    fn the_last_text_is_kept_and_follows_a_renamed_pipeline() {
        let project = tempfile::tempdir().unwrap();
        let store = Store::open(project.path()).unwrap();
        let [old, new] = ["shop", "shop-eu"].map(|name| PipelineName::new("prod", name));
        assert_eq!(store.kept(&old, Kept::Catalog).unwrap(), None);
        store.keep(&old, Kept::Catalog, "1").unwrap();
        store.keep(&old, Kept::Catalog, "2").unwrap();
        store.keep(&old, Kept::Discovery, "3").unwrap();
        let moved = NewState { sequence: 1, run: None, state: None, how: StateCause::Move };
        store.rename_pipeline(&old, &new, &moved).unwrap();
        let kept = |name, what| store.kept(name, what).unwrap().map(|kept| kept.text);
        assert_eq!(kept(&new, Kept::Catalog).as_deref(), Some("2"));
        assert_eq!(kept(&new, Kept::Discovery).as_deref(), Some("3"));
        assert_eq!(kept(&old, Kept::Catalog), None);
    }
}
