//! What a target prints: the STATEs of the tap, and nothing else.

use singer::{Json, Message, SkipRecords, framing_excerpt};

use super::feed::Fed;
use super::rules::{LAST_STATE, STATE_BYTES, STATE_ORDER, STDOUT};
use crate::Check;
use crate::report::Findings;

/// Whether stdout carries JSON values alone.
pub(super) fn stdout(runs: &[&Fed]) -> Check {
    let mut findings = Findings::default();
    for line in runs.iter().flat_map(|fed| &fed.output) {
        if Json::parse(line).is_err() {
            findings.add(format!("a line is no JSON value: {}", framing_excerpt(line.as_bytes())));
        }
    }
    STDOUT.judged(&findings, "it carries JSON values and nothing else")
}

/// Whether every STATE that came out went in, and in that order.
pub(super) fn order(fed: &Fed) -> Check {
    let sent = sent(fed);
    let mut rest = sent.iter();
    let printed = printed(fed);
    for (at, state) in printed.iter().enumerate() {
        if !rest.any(|sent| alike(sent, state)) {
            let is_known = sent.iter().any(|sent| alike(sent, state));
            let what = if is_known { "comes after a newer one" } else { "is none that the tap said" };
            return STATE_ORDER.failed(format!("of {} STATEs, number {} {what}", printed.len(), at + 1));
        }
    }
    if printed.is_empty() {
        return STATE_ORDER.skipped("it printed no STATE");
    }
    STATE_ORDER.ok(format!("STATEs printed: {}, each one of the tap's, in their order", printed.len()))
}

/// Whether the last STATE came out at the end.
pub(super) fn last(runs: &[&Fed]) -> Check {
    for fed in runs.iter().filter(|fed| fed.ended.exit.is_some_and(|exit| exit.success())) {
        match (sent(fed).last(), printed(fed).last()) {
            (Some(_), None) => return LAST_STATE.failed("no STATE was printed"),
            (Some(sent), Some(printed)) if !alike(sent, printed) => {
                return LAST_STATE.failed("the last STATE that was printed is not the last one that went in");
            }
            _ => {}
        }
    }
    LAST_STATE.ok("the last line is the last STATE that went in")
}

/// Whether a STATE came out digit by digit.
pub(super) fn bytes(fed: &Fed) -> Check {
    let (Some(sent), Some(printed)) = (sent(fed).pop(), printed(fed).pop()) else {
        return STATE_BYTES.skipped("it printed no STATE");
    };
    if sent == printed {
        return STATE_BYTES.ok("numbers of 30 digits came out as they went in");
    }
    STATE_BYTES.failed("a STATE with numbers of 30 digits came out as another one")
}

fn sent(fed: &Fed) -> Vec<Json> {
    let messages = fed.input.lines().filter_map(|line| singer::parse(line, &mut SkipRecords).ok());
    let states = messages.filter_map(|message| match message {
        Message::State(state) => Json::parse(state.as_str()).ok(),
        _ => None,
    });
    states.collect()
}

fn printed(fed: &Fed) -> Vec<Json> {
    fed.output.iter().filter_map(|line| Json::parse(line).ok()).collect()
}

/// Alike but for the digits of numbers, which have a check of their own.
fn alike(one: &Json, other: &Json) -> bool {
    let value = |json: &Json| serde_json::to_value(json).ok();
    value(one) == value(other)
}
