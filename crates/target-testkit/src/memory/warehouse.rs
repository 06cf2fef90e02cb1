//! What outlives a target: the tables and the state rows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use columns::Column;
use target_api::{FullRefresh, RunIdentity, StoredState, TableName};

/// One record as text: column name to value, `None` for NULL.
pub type Record = BTreeMap<String, Option<String>>;

/// A table that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryTable {
    /// Environment, pipeline and stream that own it.
    pub owner: [String; 3],
    /// Whether its owner lets other pipelines load into it.
    pub shared: bool,
    /// The column that each property was given.
    pub given: BTreeMap<String, String>,
    /// Its columns, under their names in the warehouse.
    pub columns: Vec<Column>,
    /// Its records, in the order of their arrival.
    pub records: Vec<Record>,
}

/// A row of the state.
#[derive(Debug, Clone, Default)]
pub(super) struct StateRow {
    pub(super) tap: String,
    pub(super) state: Option<String>,
    pub(super) sequence: i64,
    pub(super) fence: i64,
    pub(super) run: String,
}

/// All that a commit changes, so that it can be swapped at once.
#[derive(Debug, Clone, Default)]
pub(super) struct Contents {
    pub(super) tables: BTreeMap<TableName, MemoryTable>,
    pub(super) states: BTreeMap<[String; 3], StateRow>,
    /// Environment, pipeline and stream of every table that was ever committed.
    pub(super) owners: BTreeSet<[String; 3]>,
}

/// What a broken target does wrong. The conformance suite must find each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// Commits although another run took the fence.
    IgnoresFence,
    /// Makes written records visible before the commit.
    VisibleBeforeCommit,
    /// Writes the STATE down anew instead of keeping its bytes.
    RewritesState,
    /// Keeps the STATE only when records come with it.
    SkipsStateAlone,
    /// Gives up the STATE at a commit that keeps it.
    KeepClears,
    /// Keeps the STATE at a commit that gives it up.
    ClearKeeps,
    /// Gives every commit the same number.
    DoesNotCount,
    /// Replaces a record wholly although the batch lacks some of the table's columns.
    ForgetsDroppedColumns,
    /// Loses values whose type is narrower than the column's.
    LosesNarrower,
    /// Finds a STATE where there is none.
    StartsWithState,
    /// Commits the records of one stream alone.
    CommitsLastStreamOnly,
    /// Starts over with every stream where one was named.
    RefreshesAll,
    /// Takes blanks from the ends of texts.
    TrimsText,
    /// Leaves the tables behind when the pipeline gets another name.
    RenamesHalf,
    /// Overwrites the STATE of a pipeline whose name another one gets.
    RenamesOver,
    /// The first record of a key wins.
    FirstOfKeyWins,
    /// Looks for a key's record only within the batch.
    MergesWithinBatch,
    /// Tells keys apart by their parts joined with a comma.
    JoinsKeys,
    /// Merges records that have no key.
    MergesKeyless,
    /// Merges although it shall append.
    IgnoresAppendOnly,
    /// Empties a table that is opened again.
    OpenEmpties,
    /// Forgets columns that come later.
    LosesNewColumns,
    /// Rounds what does not fit an older column.
    NarrowsSilently,
    /// Loads only records of the last shape of an epoch.
    LosesOlderShape,
    /// Removes the records of the version that is activated.
    ActivatesBackwards,
    /// Removes newer records than those of the version, too.
    ActivatesAgainstNewer,
    /// Empties a table that holds no record of the version.
    NoVersionGuard,
    /// Keeps older versions of a stream that was truncated where none of the new one is there.
    DoubtsTruncated,
    /// Activates at once, not with the commit.
    ActivatesEarly,
    /// Loads delete records as any other, and removes what shall be marked.
    LoadsDeletes,
    /// Takes a cell that did not come for NULL.
    NullsAbsent,
    /// Keeps cells that did not come from a record that was deleted.
    CellsOutliveDeletes,
    /// Writes into another pipeline's table.
    TakesAnyTable,
    /// Goes on from another tap's STATE.
    TakesAnyState,
    /// Keeps the STATE of those, too, that say that it is kept elsewhere.
    KeepsEveryState,
    /// Starts over at every commit of the run, not only at the first.
    RefreshesEveryCommit,
    /// Starts over when the run begins, before it has anything.
    RefreshesEarly,
    /// Keeps what a table holds from before although it is overwritten.
    AppendsToOverwritten,
    /// Empties a table that is overwritten at every commit of the run, not only at the first.
    OverwritesEveryCommit,
    /// Misses a table that has vanished although it is overwritten.
    RefusesVanishedOverwritten,
    /// Lets nobody else into a table that is shared.
    RefusesToShare,
    /// Takes a shared table for its own and empties it.
    EmptiesShared,
    /// Makes a table anew that has vanished although a STATE says that it is full.
    RecreatesVanished,
    /// Compares names without case.
    MixesCase,
    /// Cuts long names without a suffix.
    CutsNames,
    /// Keeps an empty text as NULL.
    EmptyIsNull,
    /// Cuts text at 8 KiB.
    CutsText,
    /// Writes numbers through a double.
    NumbersAsDoubles,
    /// Changes a table when it is only asked for a plan.
    PlanChanges,
}

/// A warehouse that several targets can share, one after the other or at once. Clones are the same warehouse.
#[derive(Debug, Clone, Default)]
pub struct MemoryWarehouse {
    contents: Arc<Mutex<Contents>>,
    pub(super) defect: Option<Defect>,
}

impl MemoryWarehouse {
    /// A warehouse whose targets have this defect.
    #[must_use]
    pub fn with_defect(defect: Defect) -> Self {
        Self { defect: Some(defect), ..Self::default() }
    }

    /// A table, if it is there.
    pub fn table(&self, name: &TableName) -> Option<MemoryTable> {
        self.lock().tables.get(name).cloned()
    }

    /// The names of all tables.
    pub fn tables(&self) -> Vec<TableName> {
        self.lock().tables.keys().cloned().collect()
    }

    /// Drops a table, as a person would, behind the targets' backs.
    pub fn drop_table(&self, name: &TableName) {
        self.lock().tables.remove(name);
    }

    /// Whether any state row was made.
    pub fn keeps_a_state(&self) -> bool {
        !self.lock().states.is_empty()
    }

    /// The state row of a pipeline without environment and shard.
    pub fn stored_state(&self, pipeline: &str) -> Option<StoredState> {
        let run = RunIdentity {
            environment: String::new(),
            pipeline: pipeline.to_owned(),
            shard: String::new(),
            tap: String::new(),
            run: String::new(),
            full_refresh: FullRefresh::No,
            takes_over: false,
            keeps_state: true,
        };
        self.state_of(&run)
    }

    pub(super) fn state_of(&self, run: &RunIdentity) -> Option<StoredState> {
        let contents = self.lock();
        let row = contents.states.get(&state_key(run))?;
        let StateRow { tap, state, sequence, run, .. } = row.clone();
        Some(StoredState { state, sequence, tap, run })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().expect("nothing panics under this lock")
    }

    pub(super) fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }
}

/// The key of a run's state row.
pub(super) fn state_key(run: &RunIdentity) -> [String; 3] {
    [run.environment.clone(), run.pipeline.clone(), run.shard.clone()]
}
