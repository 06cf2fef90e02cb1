//! `tap:` and `target:`.

use crate::settings::{Block, Key, Shape, Word};

const TEXTS: Shape = Shape::List(&Shape::Text);

pub(super) static TAP_BLOCK: Block = Block::new(
    "a tap block",
    &[
        &[
            Key::new("use", Shape::Text, "a tap of tapster.yml, whose settings these are laid over"),
            Key::new("name", Shape::Text, "one of tapster's own taps: tap-csv, tap-postgres"),
            Key::new("command", TEXTS, "any program and its arguments; no shell"),
        ],
        &[PIP, EXECUTABLE, PYTHON],
        &[
            Key::new("airbyte", Shape::Text, "an Airbyte source from PyPI, with its version"),
            Key::new("manifest", Shape::Text, "the manifest of a manifest-only Airbyte source"),
            Key::new(
                "protocol",
                Shape::Word(&[Word::new("singer"), Word::new("airbyte")]),
                "what `command` speaks",
            ),
        ],
        SETTINGS,
        &[
            Key::new(
                "catalog",
                Shape::Either(&[Shape::Text, Shape::False]),
                "a fixed catalog file instead of discovery; false: the program has no discovery",
            ),
            Key::new(
                "discovery_cache",
                Shape::Duration { zero: true },
                "how long a discovered catalog is good",
            ),
            Key::new(
                "batch_roots",
                TEXTS,
                "folders where files of BATCH messages may lie, besides the run's own",
            ),
        ],
    ],
);

pub(super) static TARGET_BLOCK: Block = Block::new(
    "a target block",
    &[
        &[
            Key::new("use", Shape::Text, "a target of tapster.yml, whose settings these are laid over"),
            Key::new("name", Shape::Text, "one of tapster's own targets: target-duckdb"),
            Key::new("command", TEXTS, "any Singer target and its arguments; no shell"),
        ],
        &[PIP, EXECUTABLE, PYTHON],
        SETTINGS,
    ],
);

const PIP: Key =
    Key::new("pip", Shape::Either(&[Shape::Text, TEXTS]), "a Python package with its version, or several");
const EXECUTABLE: Key =
    Key::new("executable", Shape::Text, "the program of the package, when it has several");
const PYTHON: Key = Key::new("python", Shape::Text, "the version of Python, in quotes");

const SETTINGS: &[Key] = &[
    Key::new("config", Shape::JsonMap, "its own settings, as config.json"),
    Key::new(
        "env",
        Shape::Named(&Shape::Text),
        "environment variables for it, besides PATH, HOME, LANG, TZ, TMPDIR",
    ),
];
