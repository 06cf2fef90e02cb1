//! The checks of a tap, over four starts of it besides help and discovery: a run, a run from its last STATE, one that
//! is asked to end, one whose reader is gone.

mod catalog;
mod discovery;
mod endings;
mod hearing;
mod keys;
mod listen;
mod resume;
mod rules;
mod schemas;

use std::path::Path;

use singer::{Catalog, State, TapFlags};

use crate::ended::{Ended, ending};
use crate::process::Process;
use crate::program::{config_arguments, file_argument, test_folder};
use crate::{Check, ConformanceError, Limits, Program, Report};

use discovery::Discovered;
use hearing::{Hearing, hearing};
use listen::{Heard, listen};

/// What of a tap is tested.
#[derive(Default)]
pub struct TapTest<'a> {
    /// The catalog that it gets, JSON text; that of its discovery if there is none.
    pub catalog: Option<String>,
    /// Which streams of it are tested; those that the given catalog selects, or all of its discovery, if there is none.
    pub select: Option<&'a dyn Fn(&str) -> bool>,
}

/// Tests a tap.
///
/// # Errors
/// When it does not start, or there is nothing to test. What it does wrong is in the report.
pub async fn test_tap(
    program: &Program,
    test: &TapTest<'_>,
    limits: Limits,
) -> Result<Report, ConformanceError> {
    let folder = test_folder()?;
    let flags = discovery::tap_flags(program, limits).await?;
    let mut checks = Vec::new();
    let discovered = discovery::discover(program, folder.path(), limits, &mut checks).await?;
    let catalog = chosen(test, discovered)?;
    let tap = Started { program, folder: folder.path(), flags, catalog: catalog.as_ref(), limits };
    let first = tap.run(None, None).await?;
    checks
        .push(catalog.as_ref().map_or_else(|| rules::CATALOG.skipped("there is no catalog"), catalog::check));
    checks.push(schemas::check(catalog.as_ref(), &first.hearing));
    checks.push(first.exit());
    checks.extend(first.hearing.checks(&first.heard));
    checks.push(tap.resumed(&first).await?);
    checks.push(endings::sigterm(&tap).await?);
    checks.push(endings::closed_pipe(&tap).await?);
    checks.push(first.leftovers());
    Ok(Report { checks })
}

/// The catalog with what is tested selected in it.
fn chosen(test: &TapTest<'_>, discovered: Discovered) -> Result<Option<Catalog>, ConformanceError> {
    let given = test.catalog.as_deref().map(Catalog::parse).transpose()?;
    let select_all = given.is_none();
    let Some(mut catalog) = given.or(discovered.0) else { return Ok(None) };
    for stream in &mut catalog.streams {
        match test.select {
            Some(select) => {
                let is_wanted = select(&stream.tap_stream_id);
                stream.set_selected(&[], is_wanted);
            }
            None if select_all => stream.set_selected(&[], true),
            None => {}
        }
    }
    if catalog.selected_streams().next().is_none() && !catalog.streams.is_empty() {
        return Err(ConformanceError::NothingSelected);
    }
    Ok(Some(catalog))
}

/// What every start of the tap has.
struct Started<'a> {
    program: &'a Program,
    folder: &'a Path,
    flags: TapFlags,
    catalog: Option<&'a Catalog>,
    limits: Limits,
}

/// A run of the tap, heard to its end or to the limits.
struct TapRun {
    hearing: Hearing,
    heard: Heard,
    ended: Ended,
}

impl Started<'_> {
    /// Starts it; a STATE is where it is to go on.
    fn start(&self, state: Option<&State>) -> Result<Process, ConformanceError> {
        let mut arguments = config_arguments(self.program, self.folder)?;
        if let Some(catalog) = self.catalog {
            let text = catalog.to_json().to_string();
            for flag in &self.flags.catalog {
                arguments.extend(file_argument(self.folder, flag, &text)?);
            }
        }
        if let Some(state) = state {
            arguments.extend(file_argument(self.folder, "--state", state.as_str())?);
        }
        Process::start(self.program, &arguments, false)
    }

    /// Runs it; `floors` are the replication keys below which nothing may come.
    async fn run(&self, state: Option<&State>, floors: Option<&Hearing>) -> Result<TapRun, ConformanceError> {
        let mut process = self.start(state)?;
        let mut hearing = hearing(self.catalog, floors);
        let heard = listen(&mut process, self.limits, &mut hearing).await;
        let longest = if heard.to_the_end() { self.limits.grace } else { std::time::Duration::ZERO };
        Ok(TapRun { hearing, heard, ended: process.end(longest).await })
    }

    async fn resumed(&self, first: &TapRun) -> Result<Check, ConformanceError> {
        if !first.is_whole() && first.heard.to_the_end() {
            return Ok(rules::RESUME.skipped("the first run has failed"));
        }
        let Some(state) = first.hearing.last_state() else {
            return Ok(rules::RESUME.skipped("there is no STATE to go on from"));
        };
        if !self.flags.state {
            return Ok(rules::RESUME.skipped("its help names no --state"));
        }
        let second = self.run(Some(state), Some(&first.hearing)).await?;
        Ok(resume::check(self.catalog, first, &second))
    }
}

impl TapRun {
    fn is_whole(&self) -> bool {
        self.ended.exit.is_some_and(|exit| exit.success())
    }

    fn exit(&self) -> Check {
        let records = self.hearing.records();
        if !self.heard.to_the_end() {
            return match self.heard.reason() {
                reason if self.hearing.lines == 0 => rules::EXIT.failed(format!("it said nothing: {reason}")),
                reason => rules::EXIT.skipped(reason),
            };
        }
        match self.ended.exit {
            None => rules::EXIT.failed("it closed its output and did not end"),
            Some(exit) if exit.success() => rules::EXIT.ok(format!("exit code 0 after {records} records")),
            Some(exit) => {
                let said = self.ended.said();
                rules::EXIT.failed(format!("{} after {records} records{said}", ending(exit)))
            }
        }
    }

    fn leftovers(&self) -> Check {
        // A tap that was quick may have ended by itself before it was cut off.
        if !self.heard.to_the_end() || self.ended.exit.is_none() {
            return rules::PROCESSES.skipped("the run was cut off");
        }
        self.ended.leftovers(&rules::PROCESSES)
    }
}
