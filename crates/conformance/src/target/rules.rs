//! What a target owes, and why.

use crate::report::Rule;

pub(super) const HELP: Rule =
    Rule { name: "help", why: "runners and people ask --help for what a program takes" };
pub(super) const ABOUT: Rule = Rule {
    name: "about",
    why: "settings and version are asked for by --about and --version before a first load",
};
pub(super) const EXIT: Rule = Rule {
    name: "exit",
    why: "only exit code 0 says that everything is loaded; whoever waits longer stops it",
};
pub(super) const STDOUT: Rule =
    Rule { name: "stdout", why: "each line there is kept as STATE; logs belong on stderr" };
pub(super) const STATE_ORDER: Rule = Rule {
    name: "state-order",
    why: "a STATE that the tap never said, or an older one after a newer, makes the next run leave records out or double them",
};
pub(super) const LAST_STATE: Rule =
    Rule { name: "last-state", why: "without the last STATE the next run loads again what is there already" };
pub(super) const STATE_BYTES: Rule = Rule {
    name: "state-bytes",
    why: "a STATE belongs to the tap: a digit that is lost is another place in its log",
};
pub(super) const BLANK_LINES: Rule =
    Rule { name: "blank-lines", why: "taps on Windows end lines with CRLF, and others leave blank ones" };
pub(super) const UNKNOWN_MESSAGES: Rule =
    Rule { name: "unknown-messages", why: "Singer allows further message types: they are passed over" };
pub(super) const HALF_LINE: Rule =
    Rule { name: "half-line", why: "a tap that was killed leaves half a line: that is no clean end" };
pub(super) const NOT_JSON: Rule =
    Rule { name: "not-json", why: "what cannot be read may be a record: passed over, it is lost in silence" };
pub(super) const RECORD_BEFORE_SCHEMA: Rule =
    Rule { name: "record-before-schema", why: "a record without a table is lost if it is passed over" };
pub(super) const MISSING_KEY: Rule =
    Rule { name: "missing-key", why: "a record without its key replaces the wrong one, or none" };
pub(super) const SIGTERM: Rule =
    Rule { name: "sigterm", why: "a run that is stopped asks its target with SIGTERM, and kills it later" };
pub(super) const CLOSED_STDOUT: Rule = Rule {
    name: "closed-stdout",
    why: "when nobody takes the STATE any more, a target that waits holds the run",
};
pub(super) const PROCESSES: Rule = Rule {
    name: "processes",
    why: "what is left behind keeps connections and locks, and meets the next run",
};
