//! What taps are known to say: golden streams that a target must take whole, by what is odd about them.

use super::feed::{Fed, Feeder};
use crate::ended::ending;
use crate::report::{Findings, Rule};
use crate::{Check, ConformanceError};

/// Golden streams with something in common.
pub(super) struct Group {
    rule: Rule,
    /// Whether what is odd about them lies between messages, so that each needs an input of its own.
    alone: bool,
    /// By their names, as they are in `tests/streams`.
    streams: &'static [(&'static str, &'static str)],
}

macro_rules! golden {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../../../tests/streams/", $name, ".singer")))),+]
    };
}

/// All that tapster's own targets take whole.
pub(super) const GROUPS: [Group; 8] = [
    Group {
        rule: Rule {
            name: "framing",
            why: "taps begin with a byte order mark, write lines of 150 KB, put `type` last, or end without a line end",
        },
        alone: true,
        streams: golden![
            "framing-bom-at-the-start",
            "framing-long-line",
            "framing-type-key-last",
            "framing-without-last-newline",
        ],
    },
    Group {
        rule: Rule {
            name: "states",
            why: "a STATE is any JSON at any place: empty before the first SCHEMA, a list, or not there at all",
        },
        alone: true,
        streams: golden![
            "state-after-every-record",
            "state-empty-before-any-schema",
            "state-is-a-list",
            "state-never",
            "state-then-more-records",
            "state-with-currently-syncing-only",
            "state-without-bookmarks",
        ],
    },
    Group {
        rule: Rule {
            name: "keys",
            why: "keys have several parts, are numbers, or have an odd name, and the last record of a key is the one that counts",
        },
        alone: false,
        streams: golden![
            "key-from-file-and-line",
            "key-is-a-number",
            "key-last-record-wins",
            "key-none-appends",
            "key-of-equal-instants",
            "key-of-equal-uuids",
            "key-of-two-parts-with-commas",
            "key-property-is-empty-name",
            "key-property-with-a-bom",
        ],
    },
    Group {
        rule: Rule {
            name: "names",
            why: "sources name tables and columns as they like: quotes, blanks, 70 bytes, two that differ in case, 820 of them",
        },
        alone: false,
        streams: golden![
            "loading-columns-differ-in-case",
            "loading-name-of-70-bytes",
            "loading-name-with-quote-and-semicolon",
            "names-820-columns",
            "names-of-columns",
            "names-of-streams",
        ],
    },
    Group {
        rule: Rule {
            name: "schemas",
            why: "a SCHEMA comes again and changed, in drafts 4 to 2020-12, with references, without types or without records",
        },
        alone: false,
        streams: golden![
            "loading-key-changes",
            "loading-type-changes-both-ways",
            "schema-adds-columns-mid-stream",
            "schema-any-of-and-refs",
            "schema-draft-4-limits",
            "schema-for-a-stream-without-records",
            "schema-key-is-null-or-missing",
            "schema-null-and-untyped-properties",
            "schema-of-newer-drafts",
            "schema-refers-to-itself",
            "schema-repeated-before-each-record",
            "schema-root-type-is-a-format",
            "schema-widens-a-column",
            "schema-without-root-type",
        ],
    },
    Group {
        rule: Rule {
            name: "values",
            why: "records break their own SCHEMA every day: what can be kept without loss is no reason to stop",
        },
        alone: false,
        streams: golden![
            "value-absent-and-undeclared-properties",
            "value-absent-is-kept",
            "value-breaks-its-declared-shape",
            "value-date-in-a-date-time",
            "value-dates-and-times",
            "value-decimals-as-texts",
            "value-duplicate-json-keys",
            "value-empty-cells-of-a-csv",
            "value-empty-text-is-not-null",
            "value-nan-and-infinity",
            "value-nested",
            "value-numbers-keep-their-digits",
            "value-of-another-type-than-declared",
            "value-ragged-rows-of-a-csv",
            "value-texts-of-every-kind",
            "value-uuids",
        ],
    },
    Group {
        rule: Rule {
            name: "versions",
            why: "ACTIVATE_VERSION comes before the records, after them, or before the SCHEMA, and deletes have many forms",
        },
        alone: false,
        streams: golden![
            "deleted-at-in-a-log-based-stream",
            "deleted-at-in-many-forms",
            "deleted-at-undeclared",
            "version-before-and-after-the-records",
            "version-before-its-records-only",
            "version-before-its-schema",
            "version-of-a-stream-that-never-comes",
            "version-older-than-the-rows",
            "version-replaces-an-older-one",
            "version-sent-again-by-an-incremental-run",
            "version-truncated",
            "version-without-records",
        ],
    },
    Group {
        rule: Rule { name: "recorded", why: "taps from PyPI said exactly this, word for word" },
        alone: false,
        streams: golden![
            "recorded-ml-tap-postgres-activate-version",
            "recorded-ml-tap-postgres-incremental",
            "recorded-ml-tap-postgres-types",
            "recorded-ppw-tap-postgres-crash-midway",
            "recorded-ppw-tap-postgres-incremental-1",
            "recorded-ppw-tap-postgres-incremental-2",
            "recorded-ppw-tap-postgres-types",
            "suite-array-data",
            "suite-optional-attributes",
        ],
    },
];

impl Group {
    /// Feeds them, into tables of their own. Together where that says the same; one by one to tell which it refuses.
    pub(super) async fn check(&self, target: &Feeder<'_>) -> Result<Check, ConformanceError> {
        let all = self.streams.iter().enumerate();
        let all: Vec<_> = all.map(|(at, (name, text))| (*name, self.renamed(at, text))).collect();
        let count = all.len();
        if !self.alone {
            let together = all.iter().map(|(_, text)| text.as_str()).collect();
            if is_taken(&target.feed(together).await?) {
                return Ok(self.rule.ok(format!("all {count} streams of this kind are taken")));
            }
        }
        let mut findings = Findings::default();
        for (name, text) in all {
            let fed = target.feed(text).await?;
            match fed.ended.exit {
                Some(exit) if exit.success() => {}
                Some(exit) => findings.add(format!("{name}: {}{}", ending(exit), fed.ended.said())),
                None => findings.add(format!("{name}: it did not end")),
            }
        }
        // Each by itself is taken, all in one input are not.
        if findings.is_empty() && !self.alone {
            findings.add("one after the other in one input they are not taken, each by itself they are");
        }
        Ok(self.rule.judged(&findings, format!("all {count} streams of this kind are taken")))
    }

    /// The same under names of its own, since most golden streams have the same few.
    fn renamed(&self, at: usize, text: &str) -> String {
        let prefix = format!("{}_{}_", self.rule.name, at + 1);
        ["\"stream\":\"", "\"stream\": \""]
            .iter()
            .fold(text.to_owned(), |text, member| text.replace(member, &format!("{member}{prefix}")))
    }
}

fn is_taken(fed: &Fed) -> bool {
    fed.ended.exit.is_some_and(|exit| exit.success())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::GROUPS;

    /// Golden streams that are fed by a check of their own, or not at all.
    const ELSEWHERE: [&str; 19] = [
        // Fed by other checks.
        "framing-crlf-and-blank-lines",
        "framing-half-a-line",
        "framing-print-on-stdout",
        "framing-unknown-message-type",
        "key-value-missing",
        "record-before-schema",
        "recorded-tap-jsonl",
        "state-between-records-of-another-stream",
        "state-keeps-every-digit",
        // Refused by tapster's targets; others may have their reasons to take them.
        "batch-message",
        "framing-nested-200-deep",
        "framing-not-utf-8",
        "key-value-null",
        "names-two-streams-one-table",
        "record-of-another-stream-than-schema",
        "record-with-a-wrong-date",
        "record-with-a-wrong-integer",
        "record-with-nan-in-an-integer",
        "schema-without-properties",
    ];

    #[test]
    fn every_golden_stream_is_fed_or_named_here() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/streams");
        let there: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        let fed = GROUPS.iter().flat_map(|group| group.streams).map(|(name, _)| *name);
        let named: BTreeSet<String> = fed.chain(ELSEWHERE).map(str::to_owned).collect();
        assert_eq!(there, named);
    }

    #[test]
    fn streams_of_one_input_do_not_meet_in_a_table() {
        let [.., values, _, _] = &GROUPS;
        let renamed = values.renamed(6, r#"{"stream":"a"} {"type": "RECORD", "stream": "b-c"}"#);
        assert_eq!(renamed, r#"{"stream":"values_7_a"} {"type": "RECORD", "stream": "values_7_b-c"}"#);
    }
}
