//! `state diff|rollback`: entries of the history, compared and gone back to.

use serde::Serialize;
use serde_json::json;
use singer::{Json, State};
use store::{RunFilter, StateCause, StateEntry, Store};
use target_api::StateChange;

use super::change::{change, confirm};
use crate::args::{Global, StateDiff, StateRollback};
use crate::commands::project;
use crate::error::CliError;
use crate::exit_code;
use crate::failure::{Failure, Outcome};
use crate::output::{Align, Printer, Table, time};

/// One place in which two STATEs differ.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Difference {
    /// The names on the way to it.
    path: Vec<String>,
    before: Option<Json>,
    after: Option<Json>,
}

/// Compares two entries of the history: by default the last two.
pub(super) fn diff(global: &Global, args: &StateDiff) -> Outcome {
    let (name, history) = history(global, &args.pipeline)?;
    let (from, to) = match (args.from, args.to) {
        (None, _) => (history.get(1), history.first()),
        (Some(from), None) => (Some(entry(&history, &name, from)?), history.first()),
        (Some(from), Some(to)) => (Some(entry(&history, &name, from)?), Some(entry(&history, &name, to)?)),
    };
    let Some(to) = to else { return Err(CliError::NoState(name).into()) };
    let mut found = Vec::new();
    differences(&mut Vec::new(), parsed(from).as_ref(), parsed(Some(to)).as_ref(), &mut found);
    let side =
        |entry: &StateEntry| json!({ "sequence": entry.sequence, "time": entry.time, "by": entry.how });
    let document = json!({ "pipeline": name, "from": from.map(side), "to": side(to), "changes": found });
    Printer::new(global).result(&document, || shown(from, to, &found))?;
    Ok(exit_code::SUCCESS)
}

fn shown(from: Option<&StateEntry>, to: &StateEntry, found: &[Difference]) -> String {
    let side =
        |entry: &StateEntry| format!("{} ({}, {})", entry.sequence, entry.how.as_str(), time(entry.time));
    let from = from.map_or_else(|| "nothing".to_owned(), side);
    let head = format!("from sequence {from}\n  to sequence {}\n\n", side(to));
    if found.is_empty() {
        return head + "They are the same.\n";
    }
    let mut table = Table::new(&[("what", Align::Left), ("before", Align::Left), ("after", Align::Left)]);
    let value = |value: &Option<Json>| value.as_ref().map_or_else(|| "–".to_owned(), Json::to_string);
    for difference in found {
        let path = if difference.path.is_empty() { "STATE".to_owned() } else { difference.path.join(".") };
        table.line([path, value(&difference.before), value(&difference.after)]);
    }
    head + &table.render(0)
}

fn parsed(entry: Option<&StateEntry>) -> Option<Json> {
    Json::parse(entry?.state.as_deref()?).ok()
}

/// Where they differ, as deep as both are objects.
fn differences(
    path: &mut Vec<String>,
    before: Option<&Json>,
    after: Option<&Json>,
    found: &mut Vec<Difference>,
) {
    let objects = before.and_then(Json::as_object).zip(after.and_then(Json::as_object));
    let Some((old, new)) = objects else {
        if before != after {
            let (before, after) = (before.cloned(), after.cloned());
            found.push(Difference { path: path.clone(), before, after });
        }
        return;
    };
    for name in old.keys().chain(new.keys().filter(|name| !old.contains_key(*name))) {
        path.push(name.clone());
        differences(path, old.get(name), new.get(name), found);
        path.pop();
    }
}

/// Makes an earlier STATE the present one: what it does not cover is read again.
pub(super) fn rollback(global: &Global, args: &StateRollback) -> Outcome {
    let (name, history) = history(global, &args.pipeline)?;
    let chosen = entry(&history, &name, args.sequence)?;
    let told = change(global, &args.pipeline, StateCause::Rollback, |work, present| {
        let doubled = doubled(&work.store, &history, chosen)?;
        let latest = history.first().and_then(|entry| entry.state.as_deref());
        if present.as_ref().map(State::as_str) != latest {
            confirm(global, &format!("go back past commits of {name} that this folder knows nothing of"))?;
        } else if !doubled.is_empty() {
            let streams = doubled.join(", ");
            Printer::new(global).note(&format!(
                "Records of {streams} are appended: those loaded since sequence {} will be there twice.",
                chosen.sequence
            ));
            confirm(global, &format!("roll the STATE of {name} back"))?;
        }
        Ok(chosen.state.as_deref().map_or(StateChange::Clear, |state| StateChange::Set(state.into())))
    })?;
    let document = json!({ "pipeline": name, "sequence": told.sequence, "back_to": chosen.sequence });
    Printer::new(global).result(&document, || {
        format!(
            "The STATE of sequence {} is back, as sequence {}: the next run reads again what came after it.\n\n\
             next: tapster run {name}\n",
            chosen.sequence, told.sequence
        )
    })?;
    Ok(exit_code::SUCCESS)
}

/// Streams that later runs appended to: reading them again doubles records. Into a target that is a program of its own
/// a failed run may have loaded all that it has read.
fn doubled(store: &Store, history: &[StateEntry], chosen: &StateEntry) -> Result<Vec<String>, Failure> {
    let later: Vec<_> = history.iter().take_while(|entry| *entry != chosen).collect();
    let filter = RunFilter {
        environment: Some(chosen.name.environment.clone()),
        pipeline: Some(chosen.name.pipeline.clone()),
        ..RunFilter::default()
    };
    let mut streams: Vec<String> = Vec::new();
    for run in store.list_runs(&filter)? {
        let id = run.id.to_string();
        if !later.iter().any(|entry| entry.run.as_ref() == Some(&id)) {
            continue;
        }
        let appended = run.streams.into_iter().filter(|stream| !stream.merged && stream.records_read > 0);
        streams.extend(appended.map(|stream| stream.stream));
    }
    streams.sort();
    streams.dedup();
    Ok(streams)
}

/// The pipeline's name and its history, newest first.
fn history(global: &Global, argument: &str) -> Result<(String, Vec<StateEntry>), Failure> {
    let (project, name) = project::open_one(global, argument)?;
    let environment = project.environment().to_owned();
    let key = store::PipelineName::new(environment, &name);
    let history = match project::existing_store(global)? {
        Some(store) => store.state_history(&key, None)?,
        None => Vec::new(),
    };
    Ok((name, history))
}

fn entry<'a>(history: &'a [StateEntry], pipeline: &str, sequence: i64) -> Result<&'a StateEntry, CliError> {
    let found = history.iter().find(|entry| entry.sequence == sequence);
    found.ok_or_else(|| CliError::NoEntry { pipeline: pipeline.to_owned(), sequence })
}

#[cfg(test)]
mod tests {
    use singer::Json;

    use super::differences;

    #[test]
    fn differences_are_told_where_they_are() {
        let before = Json::parse(r#"{"bookmarks":{"a":{"at":1,"k":[1]},"b":2},"x":1}"#).unwrap();
        let after = Json::parse(r#"{"bookmarks":{"a":{"at":2,"k":[1]},"c":3},"x":1}"#).unwrap();
        let mut found = Vec::new();
        differences(&mut Vec::new(), Some(&before), Some(&after), &mut found);
        let value = |value: &Option<Json>| value.as_ref().map(Json::to_string).unwrap_or_default();
        let told: Vec<_> =
            found.iter().map(|it| (it.path.join("."), value(&it.before), value(&it.after))).collect();
        let wanted = [("bookmarks.a.at", "1", "2"), ("bookmarks.b", "2", ""), ("bookmarks.c", "", "3")];
        assert_eq!(told, wanted.map(|(path, before, after)| (path.into(), before.into(), after.into())));
    }
}
