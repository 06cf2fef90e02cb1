//! What a tap owes, and why.

use crate::report::Rule;

pub(crate) const DISCOVERY: Rule = Rule {
    name: "discovery",
    why: "`check`, `discover` and every selection rest on the catalog that --discover prints",
};
pub(crate) const CATALOG: Rule = Rule {
    name: "catalog",
    why: "keys and replication keys are looked up in the stream's schema before the first record comes",
};
pub(crate) const SCHEMAS: Rule = Rule {
    name: "schemas",
    why: "the table of a stream is made from its schema: what that does not say has no column",
};
pub(crate) const EXIT: Rule = Rule {
    name: "exit",
    why: "only exit code 0 says that everything was sent; what no STATE covers is dropped otherwise",
};
pub(crate) const MESSAGES: Rule = Rule {
    name: "messages",
    why: "stdout carries messages and nothing else: a stray line ends the run, logs belong on stderr",
};
pub(crate) const MESSAGE_TYPES: Rule = Rule {
    name: "message-types",
    why: "tapster passes unknown messages over, and most other targets end at them",
};
pub(crate) const SCHEMA_FIRST: Rule =
    Rule { name: "schema-first", why: "a record without a SCHEMA before it has no table, and ends the run" };
pub(crate) const SELECTION: Rule = Rule {
    name: "selection",
    why: "what the catalog leaves out is read in vain, and may be what nobody was to see",
};
pub(crate) const RECORDS: Rule =
    Rule { name: "records", why: "a value that its column cannot hold is a reject, or ends the run" };
pub(crate) const KEYS: Rule =
    Rule { name: "keys", why: "a record without its key cannot replace the one before it, and ends the run" };
pub(crate) const UNIQUE_KEYS: Rule = Rule {
    name: "unique-keys",
    why: "of two records with one key only the last is kept: a key that is too short loses records",
};
pub(crate) const STATE: Rule = Rule {
    name: "state",
    why: "records are committed with the STATE after them, and `bookmarks` lets one stream start over alone",
};
pub(crate) const LAST_STATE: Rule = Rule {
    name: "last-state",
    why: "what comes after the last STATE is sent again by the next run, and is there twice without a key",
};
pub(crate) const RESUME: Rule = Rule {
    name: "resume",
    why: "a run that begins anew costs time each day, and doubles records without a key",
};
pub(crate) const SIGTERM: Rule = Rule {
    name: "sigterm",
    why: "a run that is stopped asks its tap with SIGTERM, and kills it after `limits.grace`",
};
pub(crate) const CLOSED_PIPE: Rule = Rule {
    name: "closed-pipe",
    why: "when the target fails nobody reads on: a tap that waits then holds the run and its sources",
};
pub(crate) const PROCESSES: Rule =
    Rule { name: "processes", why: "what is left behind keeps connections, and meets the next run" };
