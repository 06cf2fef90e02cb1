use rusqlite::{OptionalExtension, params};

use crate::states::checksum;
use crate::{PipelineName, Result, Store, StoreError, time};

/// The STATE of a pipeline whose target keeps none: what is here is the truth, not a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptState {
    /// What identifies the tap that wrote it.
    pub tap: String,
    /// The STATE's JSON text, byte for byte; `None` when it was cleared.
    pub state: Option<String>,
    /// Grows by one with each change; that of a new one is not read.
    pub sequence: i64,
    /// The run that kept it.
    pub run: String,
}

impl Store {
    /// What is kept of a pipeline for this target.
    pub fn kept_state(&self, name: &PipelineName, target: &str) -> Result<Option<KeptState>> {
        let sql = "SELECT tap, state, sequence, run, sha256 FROM kept_states \
                   WHERE environment = ?1 AND pipeline = ?2 AND target = ?3";
        let found = self.read(|ledger| {
            let parameters = params![name.environment, name.pipeline, target];
            let read = |row: &rusqlite::Row<'_>| {
                let kept = KeptState {
                    tap: row.get(0)?,
                    state: row.get(1)?,
                    sequence: row.get(2)?,
                    run: row.get(3)?,
                };
                Ok((kept, row.get::<_, Option<Vec<u8>>>(4)?))
            };
            ledger.query_row(sql, parameters, read).optional()
        })?;
        match found {
            Some((kept, sum)) if checksum(kept.state.as_deref()) != sum => {
                Err(self.damaged(format!("the STATE kept of {name} does not match its checksum")))
            }
            found => Ok(found.map(|(kept, _)| kept)),
        }
    }

    /// Keeps it in place of the one before; gives its sequence number. The caller holds the pipeline's lock.
    pub fn keep_state(&self, name: &PipelineName, target: &str, new: &KeptState) -> Result<i64> {
        let sql = "INSERT INTO kept_states \
                   (environment, pipeline, target, tap, state, sha256, sequence, run, time) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?8) \
                   ON CONFLICT DO UPDATE SET tap = excluded.tap, state = excluded.state, \
                   sha256 = excluded.sha256, sequence = sequence + 1, run = excluded.run, time = excluded.time \
                   RETURNING sequence";
        self.write(|ledger| {
            let parameters = params![
                name.environment,
                name.pipeline,
                target,
                new.tap,
                new.state,
                checksum(new.state.as_deref()),
                new.run,
                time::to_text(time::now()),
            ];
            ledger.query_row(sql, parameters, |row| row.get(0)).map_err(|error| self.sqlite_error(error))
        })
    }

    /// Gives what is kept of a pipeline to its new name. What was cleared under that name gives way; a STATE does not.
    pub fn rename_kept_states(&self, from: &PipelineName, to: &PipelineName) -> Result<()> {
        let of_new = "environment = ?1 AND pipeline = ?2 AND state IS";
        let is_taken = format!("SELECT EXISTS (SELECT 1 FROM kept_states WHERE {of_new} NOT NULL)");
        let give_way = format!("DELETE FROM kept_states WHERE {of_new} NULL");
        let rename = "UPDATE kept_states SET environment = ?3, pipeline = ?4 \
                      WHERE environment = ?1 AND pipeline = ?2";
        self.write(|ledger| {
            let new = params![to.environment, to.pipeline];
            let sqlite = |error| self.sqlite_error(error);
            if ledger.query_row(&is_taken, new, |row| row.get(0)).map_err(sqlite)? {
                return Err(StoreError::NameTaken { from: from.clone(), to: to.clone() });
            }
            ledger.execute(&give_way, new).map_err(sqlite)?;
            let both = params![from.environment, from.pipeline, to.environment, to.pipeline];
            ledger.execute(rename, both).map(drop).map_err(sqlite)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::KeptState;
    use crate::{PipelineName, Store};

    #[test]
    fn each_target_of_a_pipeline_has_its_own_state_and_a_new_name_takes_it_along() {
        let project = tempfile::tempdir().unwrap();
        let store = Store::open(project.path()).unwrap();
        let (old, new) = (PipelineName::new("prod", "a"), PipelineName::new("prod", "b"));
        let kept = |state: Option<&str>, sequence| KeptState {
            tap: "tap-x".into(),
            state: state.map(str::to_owned),
            sequence,
            run: "r".into(),
        };
        assert_eq!(store.keep_state(&old, "target-x", &kept(Some(r#"{"n": 1.10}"#), 0)).unwrap(), 1);
        assert_eq!(store.keep_state(&old, "target-x", &kept(None, 0)).unwrap(), 2);
        assert_eq!(store.keep_state(&old, "target-y", &kept(Some("{}"), 0)).unwrap(), 1);
        store.rename_kept_states(&old, &new).unwrap();
        assert_eq!(store.kept_state(&old, "target-x").unwrap(), None);
        assert_eq!(store.kept_state(&new, "target-x").unwrap(), Some(kept(None, 2)));
        assert_eq!(store.kept_state(&new, "target-y").unwrap(), Some(kept(Some("{}"), 1)));
        let taken = store.rename_kept_states(&old, &new).unwrap_err();
        assert_eq!(
            (taken.code(), store.kept_state(&new, "target-y").unwrap()),
            ("E0508", Some(kept(Some("{}"), 1)))
        );
        assert_eq!(store.keep_state(&new, "target-y", &kept(None, 0)).unwrap(), 2);
        assert_eq!(store.keep_state(&old, "target-x", &kept(Some("{}"), 0)).unwrap(), 1);
        store.rename_kept_states(&old, &new).unwrap();
        assert_eq!(
            store.kept_state(&new, "target-x").unwrap(),
            Some(kept(Some("{}"), 1)),
            "cleared ones give way"
        );
    }
}
