//! `tapster.yml`.

use super::pipeline::LIMITS;
use super::program::{TAP_BLOCK, TARGET_BLOCK};
use super::{schedule::SCHEDULE, stream::STREAM};
use crate::settings::{Block, Key, Shape, Word};

const TEXTS: Shape = Shape::List(&Shape::Text);

/// The project file.
pub(crate) static PROJECT_FILE: Block = Block {
    what: "tapster.yml",
    keys: &[
        &[
            Key::new("requires_tapster", Shape::Text, "versions of tapster that can read this, \">=0.2\""),
            Key::new("default_environment", Shape::Text, "the environment when none is chosen"),
        ],
        PROJECT,
        &[Key::new(
            "environments",
            Shape::Named(&Shape::Block(&OVERLAY)),
            "laid over this file by --environment",
        )],
    ],
    takes_own_keys: true,
};

static OVERLAY: Block = Block::new("an environment of tapster.yml", &[PROJECT]);

static PROJECT: &[Key] = &[
    Key::new("env_file", Shape::Text, "a file of NAME=value lines for ${env:NAME}"),
    Key::new("taps", Shape::Named(&Shape::Block(&TAP_BLOCK)), "taps that pipelines name"),
    Key::new("targets", Shape::Named(&Shape::Block(&TARGET_BLOCK)), "targets that pipelines name"),
    Key::new("defaults", Shape::Block(&STREAM), "settings of every stream of every pipeline"),
    Key::new("limits", Shape::Block(&LIMITS), "limits of every pipeline"),
    Key::new("schedule", Shape::Block(&SCHEDULE), "settings of every schedule; schedules nothing"),
    Key::new(
        "store",
        Shape::Either(&[Shape::Text, Shape::Block(&STORE)]),
        "where runs are remembered; .tapster/",
    )
    .later(),
    Key::new("serve", Shape::Block(&SERVE), "the server").idle("there is no server yet"),
    Key::new("channels", Shape::Named(&Shape::Block(&CHANNEL)), "where alerts go").idle("nothing is sent"),
    Key::new("alerts", Shape::List(&Shape::Block(&ALERT)), "who is told of what")
        .idle("nobody is told of a failure"),
];

static STORE: Block = Block::new(
    "`store`",
    &[&[
        Key::new("url", Shape::Text, "postgres://…"),
        Key::new("keep_runs", Shape::Duration { zero: false }, "how long runs are remembered"),
        Key::new("keep_logs", Shape::Duration { zero: false }, "how long logs are kept"),
    ]],
);

static SERVE: Block = Block::new(
    "`serve`",
    &[&[
        Key::new("listen", Shape::Text, "address and port"),
        Key::new("schedules", Shape::Boolean, "whether it starts runs"),
        Key::new("max_runs", Shape::Integer { least: 1, most: 10_000 }, "runs at once"),
        Key::new(
            "max_runs_per_target",
            Shape::Integer { least: 1, most: 10_000 },
            "runs into one target at once",
        ),
        Key::new("heartbeat", Shape::Block(&HEARTBEAT), "tells another service that it is alive"),
    ]],
);

static HEARTBEAT: Block = Block::new(
    "`heartbeat`",
    &[&[
        Key::new("url", Shape::Text, "what is called"),
        Key::new("every", Shape::Duration { zero: false }, "how often"),
    ]],
);

static CHANNEL: Block = Block::new(
    "a channel",
    &[&[
        Key::new("slack", Shape::Text, "an incoming webhook of Slack"),
        Key::new("email", TEXTS, "addresses"),
        Key::new("webhook", Shape::Text, "a URL that takes JSON"),
        Key::new("command", TEXTS, "a program and its arguments"),
    ]],
);

static ALERT: Block = Block::new(
    "an alert",
    &[&[
        Key::new("pipelines", Shape::Text, "a pattern of their names"),
        Key::new("tags", TEXTS, "their tags"),
        Key::new("when", Shape::List(&EVENT), "what is told"),
        Key::new("to", TEXTS, "channels"),
        Key::new("remind", Shape::Duration { zero: false }, "again after this, while it lasts"),
    ]],
);

const EVENT: Shape = Shape::Word(&[
    Word::new("failed"),
    Word::new("late"),
    Word::new("recovered"),
    Word::new("no_records"),
    Word::new("rejects"),
    Word::new("paused"),
    Word::new("drift"),
]);
