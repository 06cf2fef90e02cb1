//! What a target can do, as plain data whose truth the testkit checks.

use columns::ValueLimits;

/// What a target can do and hold.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Capabilities {
    /// What it promises about records after a crash.
    pub promise: Promise,
    /// Whether changes of tables are part of the commit's transaction.
    pub transactional_ddl: bool,
    /// Whether records of an older version can be removed by `ACTIVATE_VERSION`.
    pub versions: bool,
    /// Whether keyed streams are merged, or everything is appended.
    pub upsert: bool,
    /// Whether several pipelines may load into one table.
    pub shared_tables: bool,
    /// Whether it lets roles read its tables.
    pub grants: bool,
    /// How it names things.
    pub identifier: IdentifierRule,
    /// The values that it can hold.
    pub limits: ValueLimits,
}

/// What is true of a table after any crash and a further run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promise {
    /// Records and STATE are committed together: each message is applied once.
    ExactlyOnce,
    /// Records after the last kept STATE may be there twice.
    AtLeastOnce,
}

/// How a warehouse compares and limits names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdentifierRule {
    /// Longest name in bytes of UTF-8.
    pub max_bytes: usize,
    /// Whether `Id` and `id` are one name.
    pub case_insensitive: bool,
}

impl IdentifierRule {
    /// A name as it is compared with others.
    pub(crate) fn folded(self, name: &str) -> String {
        if self.case_insensitive { name.to_lowercase() } else { name.to_owned() }
    }
}
