//! Rules for streams and their columns.

use crate::settings::{Block, Key, Shape, Word};

const TEXTS: Shape = Shape::List(&Shape::Text);
const SELECTION: Shape = Shape::Word(&[Word::new("include"), Word::new("exclude")]);
const POLICY: Shape = Shape::Word(&[Word::new("evolve"), Word::new("freeze"), Word::new("discard")]);

/// `streams:`
pub(super) const STREAM_RULES: Shape = Shape::Patterns(&Shape::Either(&[SELECTION, Shape::Block(&STREAM)]));

/// What is said of a stream.
pub(super) static STREAM: Block = Block::new(
    "a stream's settings",
    &[&[
        Key::new(
            "replication_method",
            Shape::Word(&[Word::new("FULL_TABLE"), Word::new("INCREMENTAL"), Word::new("LOG_BASED")]),
            "how the tap reads the stream",
        ),
        Key::new("replication_key", Shape::Text, "the column that INCREMENTAL goes by"),
        Key::new("key_properties", TEXTS, "the columns that tell one record from another"),
        Key::new("metadata", Shape::JsonMap, "any further catalog metadata that this tap understands"),
        Key::new("columns", COLUMN_RULES, "what of the stream's columns is loaded, and how"),
        Key::new("optional", Shape::Boolean, "the tap need not offer it"),
        Key::new("target_schema", Shape::NameTemplate, "{schema} {table} {stream} {environment} {pipeline}"),
        Key::new("target_table", Shape::NameTemplate, "{schema} {table} {stream} {environment} {pipeline}"),
        Key::new(
            "load_method",
            Shape::Word(&[
                Word::new("upsert"),
                Word::new("append-only"),
                Word::new("overwrite"),
                Word::later("history"),
                Word::later("insert"),
                Word::later("update"),
                Word::later("mirror"),
            ]),
            "what becomes of records whose key the table already has",
        ),
        Key::new("metadata_columns", Shape::Boolean, "whether the table has the _sdc_ columns"),
        Key::new(
            "deletes",
            Shape::Word(&[Word::new("hard"), Word::new("soft"), Word::new("ignore")]),
            "what a record with `_sdc_deleted_at` does: removes the one of its key, marks it, or is loaded as any other",
        ),
        Key::new(
            "flatten",
            Shape::Integer { least: 0, most: 32 },
            "how many levels of nested objects become columns: a__b",
        ),
        Key::new("shared", Shape::Boolean, "several pipelines may write this table; each of them says so"),
        Key::new("grant_select", TEXTS, "roles that may read the table"),
        Key::new("indexes", Shape::List(&TEXTS), "indexes of the table").later(),
        Key::new("filter", Shape::Text, "which records are loaded").later(),
        Key::new("values", Shape::Block(&VALUES), "what becomes of values that the target cannot hold"),
        Key::new("rejects", Shape::Block(&REJECTS), "what becomes of records that the target refuses")
            .later(),
        Key::new("schema_policy", Shape::Block(&SCHEMA_POLICY), "what becomes of a changed schema").later(),
    ]],
);

const COLUMN_RULES: Shape = Shape::Patterns(&Shape::Either(&[SELECTION, Shape::Block(&COLUMN)]));

static COLUMN: Block = Block::new(
    "a column's settings",
    &[&[
        Key::new(
            "hash",
            Shape::Either(&[
                Shape::Word(&[Word::new("sha256"), Word::new("hmac-sha256")]),
                Shape::Block(&HASH),
            ]),
            "loads the value's hash",
        )
        .later(),
        Key::new(
            "mask",
            Shape::Either(&[
                Shape::Word(&[
                    Word::new("hidden"),
                    Word::new("zero"),
                    Word::new("set_null"),
                    Word::new("first_of_year"),
                ]),
                Shape::Block(&MASK),
            ]),
            "loads something else for the value",
        )
        .later(),
        Key::new("rename", Shape::Text, "the column's name in the table").later(),
        Key::new("when", Shape::List(&Shape::Block(&WHEN)), "the records that this is done to").later(),
        Key::new("schema", Shape::JsonMap, "the column's JSON Schema, instead of the tap's"),
    ]],
);

static HASH: Block = Block::new(
    "a hash",
    &[&[
        Key::new(
            "algorithm",
            Shape::Word(&[Word::new("sha256"), Word::new("hmac-sha256")]),
            "the hash function",
        ),
        Key::new("key", Shape::Text, "the secret of hmac-sha256"),
        Key::new("skip_first", Shape::Integer { least: 0, most: u64::MAX }, "characters that stay"),
    ]],
);

static MASK: Block = Block::new(
    "a mask",
    &[&[Key::new(
        "keep_ends",
        Shape::Integer { least: 0, most: u64::MAX },
        "characters that stay at each end",
    )]],
);

static WHEN: Block = Block::new(
    "a condition",
    &[&[
        Key::new("column", Shape::Text, "the column that is looked at"),
        Key::new("equals", Shape::Json, "what it must be"),
    ]],
);

static VALUES: Block = Block::new(
    "`values`",
    &[&[
        Key::new(
            "dates",
            Shape::Word(&[Word::new("fail"), Word::new("set_null"), Word::new("clamp")]),
            "dates that do not exist or are out of range",
        ),
        Key::new(
            "nan",
            Shape::Word(&[Word::new("fail"), Word::new("set_null")]),
            "NaN and infinity in columns that cannot hold them",
        ),
        Key::new(
            "nul",
            Shape::Word(&[Word::new("fail"), Word::new("replace"), Word::new("strip")]),
            "the character NUL",
        ),
    ]],
);

static REJECTS: Block = Block::new(
    "`rejects`",
    &[&[
        Key::new("policy", Shape::Word(&[Word::new("fail"), Word::new("keep")]), "fail, or keep and go on"),
        Key::new("max", Shape::Integer { least: 0, most: u64::MAX }, "how many, before the run fails"),
    ]],
);

static SCHEMA_POLICY: Block = Block::new(
    "`schema_policy`",
    &[&[Key::new("columns", POLICY, "new and vanished columns"), Key::new("types", POLICY, "changed types")]],
);
