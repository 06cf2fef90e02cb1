//! When a pipeline runs. Kept for the server that is to come.

use crate::settings::{Block, Key, Shape, Word};

const TEXTS: Shape = Shape::List(&Shape::Text);

pub(super) static SCHEDULE: Block = Block::new(
    "`schedule`",
    &[&[
        Key::new(
            "cron",
            Shape::Either(&[Shape::Cron, Shape::List(&Shape::Cron)]),
            "five fields, or several such",
        ),
        Key::new("every", Shape::Duration { zero: false }, "an interval instead of cron"),
        Key::new("continuous", Shape::Boolean, "the tap does not end"),
        Key::new("after", TEXTS, "pipelines whose success starts this one"),
        Key::new("timezone", Shape::Text, "of cron, UTC by default"),
        Key::new("jitter", Shape::Duration { zero: true }, "a random delay up to this"),
        Key::new(
            "overlap",
            Shape::Word(&[Word::new("skip"), Word::new("queue"), Word::new("kill")]),
            "when the last run still goes on",
        ),
        Key::new(
            "catch_up",
            Shape::Word(&[Word::new("latest"), Word::new("skip"), Word::new("all")]),
            "runs that were missed",
        ),
        Key::new("catch_up_max", Shape::Integer { least: 1, most: u64::MAX }, "the most that are made up"),
        Key::new("retries", Shape::Block(&RETRIES), "after a failure"),
        Key::new("pause_after", Shape::Integer { least: 1, most: u64::MAX }, "failures in a row"),
        Key::new("enabled", Shape::Boolean, "false: no scheduled runs"),
    ]],
);

static RETRIES: Block = Block::new(
    "`retries`",
    &[&[
        Key::new("attempts", Shape::Integer { least: 0, most: 100 }, "how often"),
        Key::new("backoff", Shape::Duration { zero: true }, "the first wait; it doubles"),
    ]],
);
