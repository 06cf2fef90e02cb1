//! `state export|import`: STATEs for and from other tools, projects and machines.

use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;
use store::StateCause;
use target_api::StateChange;

use super::change::{Stored, as_state, change, confirm, read, stored};
use super::foreign;
use crate::args::{Global, StateExport, StateFormat, StateImport};
use crate::error::CliError;
use crate::failure::Outcome;
use crate::output::{Printer, print_bytes, print_json};

/// What `state import` of any tapster reads.
#[derive(Serialize)]
struct Export<'a> {
    tapster_state: u8,
    environment: &'a str,
    pipeline: &'a str,
    tap: &'a str,
    sequence: i64,
    state: &'a RawValue,
}

/// Prints the STATE in the wanted wrapping.
pub(super) fn export(global: &Global, args: &StateExport) -> Outcome {
    let Stored { name, environment, row } = stored(global, &args.pipeline)?;
    let kept = row.and_then(|row| Some((row.state?, row.tap, row.sequence)));
    let Some((text, tap, sequence)) = kept else {
        return Err(CliError::NoState(name).into());
    };
    match args.format {
        StateFormat::Meltano => print_bytes(format!("{{\"singer_state\": {text}}}\n").as_bytes())?,
        StateFormat::Tapster => {
            let bad = |error: serde_json::Error| CliError::Bug(error.to_string());
            let state: &RawValue = serde_json::from_str(&text).map_err(bad)?;
            let (environment, pipeline, tap) = (environment.as_str(), name.as_str(), tap.as_str());
            print_json(&Export { tapster_state: 1, environment, pipeline, tap, sequence, state })?;
        }
    }
    Ok(0)
}

/// Takes a STATE of another tool, project or tap.
pub(super) fn import(global: &Global, args: &StateImport) -> Outcome {
    let text = read(&args.file)?;
    let bad = |reason| CliError::BadState { path: args.file.clone(), reason };
    let found = foreign::unwrapped(&text, args.state_id.as_deref()).map_err(bad)?;
    let new = as_state(&found.state, &args.file)?;
    let imported = change(global, &args.pipeline, StateCause::Import, |work, before| {
        let own = &work.identity.tap;
        if let Some(tap) = found.tap.as_ref().filter(|tap| *tap != own) {
            let reason = format!("it is the STATE of the tap `{tap}`, and this pipeline's is `{own}`");
            return Err(bad(reason).into());
        }
        if before.is_some_and(|before| before != new) {
            confirm(global, &format!("replace the STATE of {}", args.pipeline))?;
        }
        Ok(StateChange::Set(new.as_str().into()))
    })?;
    let bookmarks = new.bookmarks().len();
    let document =
        json!({ "pipeline": imported.name, "sequence": imported.sequence, "bookmarks": bookmarks });
    Printer::new(global).result(&document, || {
        let of = match bookmarks {
            0 => String::new(),
            1 => ", with one bookmark".to_owned(),
            many => format!(", with {many} bookmarks"),
        };
        format!("Imported as sequence {}{of}.\n\nnext: tapster run {}\n", imported.sequence, imported.name)
    })?;
    Ok(0)
}
