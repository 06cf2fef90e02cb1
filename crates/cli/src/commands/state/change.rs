//! `state get|set|clear|move`, and what all verbs that change it go through: the STATE in the target. Changes are
//! commits there, under lock and fence.

use std::io::{IsTerminal, Read, Write};
use std::path::Path;
use std::sync::Arc;

use config::{Pipeline, Project};
use serde_json::json;
use singer::State;
use store::{NewState, PipelineName, RunId, StateCause, Store};
use target_api::{Checkpoint, RunIdentity, StateChange, StoredState, Target};

use crate::args::{Global, StateClear, StateGet, StateMove, StateSet};
use crate::commands::run::pattern;
use crate::commands::{in_runtime, project, scratch};
use crate::error::CliError;
use crate::failure::{Failure, Outcome};
use crate::output::{Printer, print_bytes};
use crate::wiring::{TapUse, Wired};

/// A pipeline and its row in the target.
pub(super) struct Stored {
    pub(super) name: String,
    pub(super) environment: String,
    pub(super) row: Option<StoredState>,
}

/// Reads the row; takes and changes nothing.
pub(super) fn stored(global: &Global, argument: &str) -> Result<Stored, Failure> {
    let (project, name) = project::open_one(global, argument)?;
    let pipeline = project.pipeline(&name)?;
    let scratch = scratch(&project)?;
    let wired = Wired::new(&project, &pipeline, scratch.path().join("tap.log"), TapUse::Named)?;
    let identity = wired.identity(&pipeline, "state-get");
    let row = in_runtime(async |_| {
        let mut target = (wired.target)()?;
        target.check().await?;
        Ok(target.stored_state(&identity).await?)
    })?;
    Ok(Stored { name, environment: pipeline.environment, row })
}

/// The STATE as the target has it, byte for byte.
pub(super) fn get(global: &Global, args: &StateGet) -> Outcome {
    if let Some(state) = stored(global, &args.pipeline)?.row.and_then(|row| row.state) {
        print_bytes(format!("{state}\n").as_bytes())?;
        return Ok(0);
    }
    Printer::new(global)
        .note(&format!("{} has no STATE: its next run begins at the beginning", args.pipeline));
    if global.json {
        print_bytes(b"null\n")?;
    }
    Ok(0)
}

/// Replaces the STATE.
pub(super) fn set(global: &Global, args: &StateSet) -> Outcome {
    let state = as_state(&read(&args.file)?, &args.file)?;
    confirm(global, &format!("replace the STATE of {}", args.pipeline))?;
    let edit = |_: &Work, _| Ok(StateChange::Set(state.as_str().into()));
    let Changed { name, sequence } = change(global, &args.pipeline, StateCause::Set, edit)?;
    Printer::new(global).result(&json!({ "pipeline": name, "sequence": sequence }), || {
        format!("Set as sequence {sequence}.\n\nnext: tapster run {name}\n")
    })?;
    Ok(0)
}

/// Forgets the STATE, or some bookmarks of it.
pub(super) fn clear(global: &Global, args: &StateClear) -> Outcome {
    let patterns = args.select.iter().map(|text| pattern(text)).collect::<Result<Vec<_>, _>>()?;
    Printer::new(global).note(
        "The next run reads everything again, and what streams without a key hold is then there twice: \
         `run --full-refresh` replaces it instead.",
    );
    confirm(global, &format!("clear the STATE of {}", args.pipeline))?;
    let Changed { name, sequence } =
        change(global, &args.pipeline, StateCause::Clear, |_, state| match state {
            Some(state) if !patterns.is_empty() => {
                let known = state.bookmarks();
                let meant = |id: &str| patterns.iter().any(|pattern| pattern.matches(id));
                if !known.iter().any(|bookmark| meant(&bookmark.id)) {
                    let patterns = args.select.join(", ");
                    return Err(CliError::NoBookmark { pipeline: args.pipeline.clone(), patterns }.into());
                }
                let edited = state.without_bookmarks(meant);
                Ok(StateChange::Set(edited.map_err(runner::RunError::from)?.as_str().into()))
            }
            _ => Ok(StateChange::Clear),
        })?;
    Printer::new(global).result(&json!({ "pipeline": name, "sequence": sequence }), || {
        format!(
            "Cleared as sequence {sequence}: the next run reads again what it covered.\n\n\
             next: tapster run {name} --full-refresh    replaces what is loaded; without it, streams without a key double\n"
        )
    })?;
    Ok(0)
}

/// What a change came to.
pub(super) struct Changed {
    pub(super) name: String,
    pub(super) sequence: i64,
}

/// Takes lock and fence, edits, commits, and keeps the copy.
pub(super) fn change(
    global: &Global,
    argument: &str,
    how: StateCause,
    edit: impl FnOnce(&Work, Option<State>) -> Result<StateChange, Failure>,
) -> Result<Changed, Failure> {
    let (project, name) = project::open_one(global, argument)?;
    let pipeline = project.pipeline(&name)?;
    let mut work = Work::begin(&project, &pipeline, &pipeline.name)?;
    work.identity.takes_over = how == StateCause::Import;
    let (state, sequence) = in_runtime(async |_| {
        let (mut target, state) = work.take().await?;
        let state = edit(&work, state)?;
        let committed = target.commit(&Checkpoint { state: state.clone() }).await?;
        Ok((state, committed.sequence))
    })?;
    let state = match state {
        StateChange::Set(text) => Some(text.to_string()),
        StateChange::Keep | StateChange::Clear => None,
    };
    work.store.put_state(&work.key, &NewState { sequence, run: Some(work.id), state, how })?;
    Ok(Changed { name, sequence })
}

/// Gives the STATE and the tables of a pipeline to its new name. The file has the new name already.
pub(super) fn rename(global: &Global, args: &StateMove) -> Outcome {
    let project = project::open(global)?;
    let known = |name: &str| project.pipeline_names().any(|known| known == name);
    if !known(&args.new) && known(&args.old) {
        let missing = project.pipeline(&args.new).err().map(Failure::from);
        let (old, new) = (&args.old, &args.new);
        let hint = format!("rename the file first: git mv pipelines/{old}.yml pipelines/{new}.yml");
        return Err(missing.map_or_else(
            || CliError::BadName(new.clone()).into(),
            |missing| Failure { hint: Some(hint), ..missing },
        ));
    }
    let pipeline = project.pipeline(&args.new)?;
    let work = Work::begin(&project, &pipeline, &args.old)?;
    let to = PipelineName::new(work.key.environment.clone(), args.new.clone());
    let _lock = work.store.lock(&to, work.id)?;
    // Afterwards would be too late: the target would have moved what the history refuses.
    work.store.check_new_name(&work.key, &to)?;
    let (state, sequence) = in_runtime(async |_| {
        let (mut target, state) = work.take().await?;
        target.rename_pipeline(&args.new).await?;
        let identity = RunIdentity { pipeline: args.new.clone(), ..work.identity.clone() };
        let sequence = target.stored_state(&identity).await?.map_or(0, |stored| stored.sequence);
        Ok((state, sequence))
    })?;
    let state = state.map(|state| state.as_str().to_owned());
    let moved = NewState { sequence, run: Some(work.id), state, how: StateCause::Move };
    work.store.rename_pipeline(&work.key, &to, &moved)?;
    Printer::new(global).result(
        &json!({ "pipeline": args.new, "was": args.old, "sequence": sequence }),
        || {
            format!(
                "{} is now {}, with its STATE, tables and history.\n\nnext: tapster run {1}\n",
                args.old, args.new
            )
        },
    )?;
    Ok(0)
}

/// The lock of a pipeline's name, and how to reach its target.
pub(super) struct Work {
    pub(super) store: Arc<Store>,
    key: PipelineName,
    id: RunId,
    pub(super) identity: RunIdentity,
    wired: Wired,
    _lock: store::PipelineLock,
    _scratch: tempfile::TempDir,
}

impl Work {
    fn begin(project: &Project, pipeline: &Pipeline, name: &str) -> Result<Self, Failure> {
        let store = Arc::new(Store::open(project.root())?);
        let key = PipelineName::new(pipeline.environment.clone(), name);
        let id = RunId::generate();
        let lock = store.lock(&key, id)?;
        let scratch = scratch(project)?;
        let wired = Wired::new(project, pipeline, scratch.path().join("tap.log"), TapUse::Named)?;
        let identity = RunIdentity { pipeline: name.to_owned(), ..wired.identity(pipeline, &id.to_string()) };
        Ok(Self { store, key, id, identity, wired, _lock: lock, _scratch: scratch })
    }

    /// Takes the fence and reads the STATE.
    async fn take(&self) -> Result<(Box<dyn Target>, Option<State>), Failure> {
        let mut target = (self.wired.target)()?;
        target.check().await?;
        let state = target.resume(&self.identity).await?;
        let state = state.map(|text| State::parse(&text)).transpose().map_err(runner::RunError::from)?;
        Ok((target, state))
    }
}

/// A text that is to be a STATE: people set objects, whatever taps may say.
pub(super) fn as_state(text: &str, path: &Path) -> Result<State, CliError> {
    let bad = |reason| CliError::BadState { path: path.to_owned(), reason };
    match serde_json::from_str::<serde_json::Value>(text) {
        Err(error) => Err(bad(format!("it is no JSON: {error}"))),
        Ok(value) if !value.is_object() => Err(bad("it is JSON, but no object".to_owned())),
        Ok(_) => State::parse(text).map_err(|error| bad(error.to_string())),
    }
}

/// A file's text; `-` is stdin.
pub(super) fn read(path: &Path) -> Result<String, CliError> {
    let mut text = String::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(path).map(|content| text = content)
    };
    read.map(|()| text).map_err(|source| CliError::File { what: "read", path: path.to_owned(), source })
}

/// Asks on a terminal; needs `--yes` elsewhere.
pub(super) fn confirm(global: &Global, what: &str) -> Result<(), CliError> {
    if global.yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(CliError::NeedsYes(what.to_owned()));
    }
    let _ = write!(anstream::stderr(), "This will {what}. Go on? [y/N] ");
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    if read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes") { Ok(()) } else { Err(CliError::Declined) }
}
