//! `pipelines/NAME.yml`.

use super::program::{TAP_BLOCK, TARGET_BLOCK};
use super::{schedule::SCHEDULE, stream::STREAM, stream::STREAM_RULES};
use crate::settings::{Block, Key, Shape};

const TEXTS: Shape = Shape::List(&Shape::Text);

/// A pipeline file.
pub(crate) static PIPELINE_FILE: Block = Block {
    what: "a pipeline file",
    keys: &[
        PIPELINE,
        &[Key::new(
            "environments",
            Shape::Named(&Shape::Block(&OVERLAY)),
            "laid over this file by --environment",
        )],
    ],
    takes_own_keys: true,
};

static OVERLAY: Block = Block::new("an environment of a pipeline file", &[PIPELINE]);

static PIPELINE: &[Key] = &[
    Key::new("description", Shape::Text, "one line"),
    Key::new("owner", Shape::Text, "who answers for it"),
    Key::new("tags", TEXTS, "for `run --tag` and rules of alerts"),
    Key::new("freshness", Shape::Duration { zero: false }, "a success at least this often")
        .idle("nothing watches how old the data is"),
    Key::new("tap", Shape::Either(&[Shape::Text, Shape::Block(&TAP_BLOCK)]), "what is extracted"),
    Key::new("target", Shape::Either(&[Shape::Text, Shape::Block(&TARGET_BLOCK)]), "where it is loaded"),
    Key::new("defaults", Shape::Block(&STREAM), "settings of every stream; selects nothing"),
    Key::new("streams", STREAM_RULES, "pattern: include, exclude or settings; the last that matches decides"),
    Key::new("limits", Shape::Block(&LIMITS), "time and size"),
    Key::new("schedule", Shape::Block(&SCHEDULE), "when it runs")
        .idle("nothing starts this pipeline by itself"),
    Key::new("hooks", Shape::Block(&HOOKS), "what runs before and after").later(),
    Key::new("parallel", Shape::Block(&PARALLEL), "several connections at once").later(),
    Key::new("matrix", Shape::Named(&TEXTS), "one pipeline for each value").later(),
];

/// `limits:`
pub(super) static LIMITS: Block = Block::new(
    "`limits`",
    &[&[
        Key::new(
            "timeout",
            Shape::Duration { zero: false },
            "the longest a run may take; no limit by default",
        ),
        Key::new("idle_timeout", Shape::Duration { zero: false }, "the longest the tap may be silent; 1h"),
        Key::new("grace", Shape::Duration { zero: true }, "from asking the tap to stop to ending it; 30s"),
        Key::new("line_bytes", Shape::Size { zero: false }, "the longest line of a tap; 64MiB"),
        Key::new(
            "batch_bytes",
            Shape::Size { zero: false },
            "how much is handed to the target at once; 32MiB",
        ),
        Key::new(
            "checkpoint_every",
            Shape::Duration { zero: true },
            "commit at the first STATE after this; 5s",
        ),
        Key::new(
            "checkpoint_bytes",
            Shape::Size { zero: true },
            "commit at the first STATE after this; 64MiB",
        ),
        Key::new("max_staged", Shape::Size { zero: false }, "the most that may wait for a STATE; 20GiB"),
    ]],
);

static HOOKS: Block = Block::new(
    "`hooks`",
    &[&[
        Key::new("before", Shape::List(&Shape::Json), "before the run"),
        Key::new("after", Shape::List(&Shape::Json), "after it"),
    ]],
);

static PARALLEL: Block = Block::new(
    "`parallel`",
    &[&[
        Key::new("streams", Shape::Integer { least: 1, most: 1_000 }, "streams at once"),
        Key::new("shards", Shape::Integer { least: 1, most: 1_000 }, "parts of the pipeline"),
    ]],
);
