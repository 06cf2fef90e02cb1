//! What every target refuses in the same words, with one code and one page each.

use std::fmt::Display;

use columns::StreamName;

use crate::{LoadMethod, RunIdentity, Status, Table, TargetError};

/// A run that another one has overtaken. `by` names that run.
#[must_use]
pub fn fenced(pipeline: &str, place: impl Display, by: Option<&str>) -> TargetError {
    let by = by.map(|run| format!(" (run {run})")).unwrap_or_default();
    let text = format!(
        "another run of pipeline `{pipeline}` has taken over at {place}{by}: this run may not commit any more"
    );
    TargetError::new("E0321", Status::Busy, text)
        .with_hint("nothing of the refused commit was kept; let the other run finish, then start again")
}

/// A STATE that another tap wrote.
#[must_use]
pub fn foreign_state(pipeline: &str, place: impl Display, found: &str, own: &str) -> TargetError {
    let text = format!(
        "the STATE of pipeline `{pipeline}` at {place} was written by the tap `{found}`, not by `{own}`"
    );
    TargetError::new("E0322", Status::Config, text).with_hint(
        "`--full-refresh` gives it up and loads everything anew; `tapster state import` puts one that this tap understands",
    )
}

/// A table, or a file, that somebody else has. `by` says who: "stream `a` of this pipeline".
#[must_use]
pub fn taken(what: impl Display, by: &str) -> TargetError {
    let text = format!("{what} belongs to {by}: two that write one table would undo each other's work");
    TargetError::new("E0323", Status::Config, text).with_hint(
        "give the stream another table with `target_table` or `target_schema`; after renaming a pipeline: `tapster state move OLD NEW`",
    )
}

/// What would remove the records that other pipelines have put into a shared table. `what` is the setting or message.
#[must_use]
pub fn shared(what: &str, table: impl Display) -> TargetError {
    let text = format!(
        "{what} would empty table {table}, which is `shared`: the records of other pipelines would go, too"
    );
    TargetError::new("E0333", Status::Config, text).with_hint(
        "load the stream with `upsert` or `append-only`, or give it a table of its own without `shared`",
    )
}

/// Refuses to empty a table that is shared, by a setting of the stream or of the run.
///
/// # Errors
/// [`shared`].
pub fn refuse_emptying(run: &RunIdentity, table: &Table) -> Result<(), TargetError> {
    let overwrites = table.load_method == LoadMethod::Overwrite;
    let what = match (overwrites, run.full_refresh.covers(table.schema.stream.as_str())) {
        _ if !table.shared => return Ok(()),
        (true, _) => "`load_method: overwrite`",
        (_, true) => "`--full-refresh`",
        _ => return Ok(()),
    };
    Err(shared(what, &table.name))
}

/// Another key than that by which other pipelines merge into a shared table.
#[must_use]
pub fn shared_key(table: impl Display, other: &[String], own: &[String]) -> TargetError {
    let (other, own) = (key_text(other), key_text(own));
    let text =
        format!("table {table} is shared, and its records are merged by the key {other}, not by {own}");
    TargetError::new("E0334", Status::Config, text).with_hint(
        "give the stream the same `key_properties` and `load_method` in all pipelines that share the table",
    )
}

/// Whose a table is, for [`taken`]: a stream of a pipeline, or of the stand-alone targets, which belong to none.
#[must_use]
pub fn owner(environment: &str, pipeline: &str, stream: &str) -> String {
    match (environment, pipeline) {
        (_, "") => format!("stream `{stream}` of a target that ran by itself"),
        ("", _) => format!("stream `{stream}` of pipeline `{pipeline}`"),
        _ => format!("stream `{stream}` of pipeline `{pipeline}` of environment `{environment}`"),
    }
}

/// The same for another stream of this run.
#[must_use]
pub fn own_stream(run: &RunIdentity, stream: &str) -> String {
    let whose = if run.pipeline.is_empty() { "" } else { " of this pipeline" };
    format!("stream `{stream}`{whose}")
}

/// A table that is not where the STATE says. `what` goes on from "the table of stream `a`".
#[must_use]
pub fn vanished(stream: &StreamName, what: impl Display) -> TargetError {
    let text =
        format!("the table of stream `{stream}` {what}, but the STATE says that its records were loaded");
    TargetError::new("E0324", Status::Config, text).with_hint(format!(
        "load the stream anew with `--full-refresh --select {stream}`, or put the table (or the setting) back as it was"
    ))
}

/// A column whose type cannot hold what comes. `place` is its table, `actual` and `sent` are the two types, `why`
/// says why no third is taken.
#[must_use]
pub fn conflict(
    column: &str,
    place: impl Display,
    actual: &str,
    sent: impl Display,
    why: &str,
) -> TargetError {
    let text =
        format!("column `{column}` of {place} has the type {actual}, and the stream sends {sent}: {why}");
    TargetError::new("E0325", Status::Config, text)
}

/// A key that the records do not allow. `old` is the one before, as far as it is known.
#[must_use]
pub fn repeated_key(
    stream: &StreamName,
    place: impl Display,
    old: Option<&[String]>,
    new: &[String],
) -> TargetError {
    let old = old.map(|old| format!("was {} and ", key_text(old))).unwrap_or_default();
    let text = format!(
        "the key of stream `{stream}` {old}is now {}, and the records that are in {place} do not allow it: some have the same key, or none",
        key_text(new)
    );
    TargetError::new("E0326", Status::Config, text).with_hint(format!(
        "load the stream anew with `--full-refresh --select {stream}`, or set its `key_properties` back"
    ))
}

/// A key for people.
pub(crate) fn key_text(key: &[String]) -> String {
    if key.is_empty() { "none".to_owned() } else { format!("({})", key.join(", ")) }
}

/// What is there, and cannot be loaded into: a view, a column that the server writes.
#[must_use]
pub fn unloadable(text: impl Into<String>) -> TargetError {
    TargetError::new("E0327", Status::Config, text)
}

/// One record that cannot be kept. `record` counts the stream's records of this run from 1; `why` holds no value.
#[must_use]
pub fn record(stream: &StreamName, record: u64, why: &str) -> TargetError {
    let status = Status::Record { stream: stream.clone(), record };
    TargetError::new("E0328", status, format!("record {record} of stream `{stream}`: {why}"))
        .with_hint("mend the value at the source, exclude its column, or relax what the table asks of it")
}

/// A new name for a pipeline under which there is a STATE.
#[must_use]
pub fn name_taken(pipeline: &str, place: impl Display) -> TargetError {
    let text = format!("pipeline `{pipeline}` already has a STATE at {place}: it was not overwritten");
    TargetError::new("E0329", Status::Config, text).with_hint(format!(
        "choose another name, or forget that STATE with `tapster state clear {pipeline}`: its tables stay, and are no \
         pipeline's then"
    ))
}
