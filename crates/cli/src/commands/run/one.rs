//! One run in this process: lock, ledger, plan, run, closing words.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Instant;

use config::{Pipeline, Project};
use runner::{Observer, RunError, RunSummary, Shutdown, Side};
use singer::CatalogChange;
use store::{NewRun, PipelineLock, PipelineName, RunEnd, RunFailure, RunFolder, RunId, RunStatus, Store};

use super::{Request, closing, doubling, waiting};
use crate::args::{Global, LogFormat};
use crate::commands::editor::write_schemas;
use crate::commands::runtime;
use crate::failure::{Failure, Outcome};
use crate::output::Printer;
use crate::progress::{self, Live};
use crate::wiring::{Ask, Catalogs, Edits, Offer, TapUse, Wired, identities, shutdown};

/// Runs one pipeline and tells what came of it.
pub(super) fn run(global: &Global, project: &Project, name: &str, request: &Request) -> Outcome {
    let pipeline = project.pipeline(name)?;
    let store = Arc::new(Store::open(project.root())?);
    if let Err(error) = write_schemas(project.root()) {
        tracing::warn!(%error, "editors will not know the keys of the project's files");
    }
    let key = PipelineName::new(pipeline.environment.clone(), pipeline.name.clone());
    let id = RunId::generate();
    let lock = waiting::lock(&store, &key, id, request.wait)?;
    let folder = store.make_run_folder(&id)?;
    let (tap, target) = identities(&pipeline);
    store.begin_run(&lock, &NewRun { tap, target })?;
    let tap_use = TapUse::Started(Printer::new(global));
    let wired = match Wired::new(project, &pipeline, folder.tap_log.clone(), tap_use) {
        Ok(wired) => wired,
        Err(failure) => {
            // Whoever looks why nothing came, for example after a failed install, looks there.
            let failure = failure.redacted(&pipeline.secrets);
            finish(&store, id, Some(&failure), None)?;
            return Err(failure);
        }
    };
    runner::sweep(&wired.tap.private);
    let one = One { global, project, pipeline: &pipeline, request, store, lock, folder, wired };
    one.run(id)
}

struct One<'a> {
    global: &'a Global,
    project: &'a Project,
    pipeline: &'a Pipeline,
    request: &'a Request,
    store: Arc<Store>,
    lock: PipelineLock,
    folder: RunFolder,
    wired: Wired,
}

/// What came of a run, whether or not it succeeded.
struct Ran {
    summary: RunSummary,
    warnings: Vec<String>,
    /// What has changed at the source.
    drift: Vec<CatalogChange>,
}

impl One<'_> {
    fn run(&self, id: RunId) -> Outcome {
        let outcome = runtime()?.block_on(async {
            let mut signals = shutdown().map_err(runtime_failure)?;
            self.drive(id, &mut signals).await
        });
        match outcome {
            Ok(ran) => self.close(id, &ran),
            Err(failure) => {
                let failure = failure.redacted(&self.pipeline.secrets);
                finish(&self.store, id, Some(&failure), None)?;
                Err(failure)
            }
        }
    }

    /// Asks the tap what it offers, then runs.
    async fn drive(&self, id: RunId, signals: &mut Shutdown) -> Result<Ran, Failure> {
        let catalogs = Catalogs { store: &self.store, name: self.lock.name() };
        let ask = Ask {
            select: &self.request.select,
            exclude: &self.request.exclude,
            kept: Some(catalogs),
            anew: self.request.full_refresh,
        };
        tracing::debug!("asking the tap for its streams");
        let timeout = self.request.timeout.or(self.pipeline.limits.timeout);
        let (started, timeout) = (Instant::now(), timeout.filter(|_| !self.request.continuous));
        let asked = Offer::ask(self.project, self.pipeline, &self.wired.tap, ask, signals);
        let offer = match timeout {
            // Dropped midway, it leaves a tap whose guard ends it.
            Some(longest) => tokio::time::timeout(longest, asked)
                .await
                .unwrap_or_else(|_| Err(RunError::Timeout(longest).into()))?,
            None => asked.await?,
        };
        if let Some(catalog) = &offer.catalog {
            let (all, selected) = (catalog.streams.len(), catalog.selected_streams().count());
            tracing::debug!("the tap offers {all} streams, {selected} of them selected");
        }
        let drift = match &offer.catalog {
            Some(catalog) if !self.request.narrowed() => catalogs.drift(catalog)?,
            _ => Vec::new(),
        };
        let printer = Printer::new(self.global);
        let warnings = self.pipeline.idle.iter().chain(&offer.report.warnings);
        let mut warnings: Vec<String> = warnings.map(ToString::to_string).collect();
        for warning in &warnings {
            printer.warn(warning);
        }
        let edits = Edits { full_refresh: self.request.full_refresh, narrowed: self.request.narrowed() };
        let mut plan = self.wired.plan(self.pipeline, &offer, &id.to_string(), edits);
        (plan.limits.timeout, plan.started, plan.continuous) = (timeout, started, self.request.continuous);
        if plan.relay.is_some() && edits.full_refresh {
            let warning = doubling::not_emptied(&self.wired.target_name);
            printer.warn(&warning);
            warnings.push(warning);
        }
        let summary = runner::run(&plan, signals, &self.observer(id)).await;
        for stream in &summary.streams {
            for note in &stream.notes {
                let warning = format!("{}: {note}", stream.stream);
                printer.warn(&warning);
                warnings.push(warning);
            }
        }
        let starts_over = doubling::starts_over(&self.wired.tap_identity, &plan.flags, &summary);
        for warning in starts_over.into_iter().chain(doubling::warning(self.pipeline, &summary)) {
            printer.warn(&warning);
            warnings.push(warning);
        }
        if let (Some(catalog), None, false) = (&offer.catalog, &summary.error, self.request.narrowed()) {
            catalogs.keep_for_drift(catalog)?;
        }
        Ok(Ran { summary, warnings, drift })
    }

    fn observer(&self, id: RunId) -> Observer {
        let ledger = progress::ledger(Arc::clone(&self.store), self.lock.name().clone(), id);
        let secrets = &self.pipeline.secrets;
        let mut observers = vec![ledger, progress::run_log(&self.folder.run_log, secrets)];
        if self.global.log_format == LogFormat::Json {
            observers.push(progress::json_lines(secrets));
            return progress::all(observers);
        }
        observers.push(progress::verbose());
        if !self.global.quiet && !self.global.json {
            observers.push(if !self.global.beside_others && std::io::stderr().is_terminal() {
                Live::new().observer()
            } else {
                progress::plain(Printer::new(self.global), self.pipeline.name.clone())
            });
        }
        progress::all(observers)
    }

    /// Writes the ledger's last line and says the closing words.
    fn close(&self, id: RunId, Ran { summary, warnings, drift }: &Ran) -> Outcome {
        let failure = summary.error.as_ref().map(|error| {
            let (side, said) = match error {
                RunError::TargetProgram(_) => (Side::Target, &summary.target_said),
                _ => (Side::Tap, &summary.tap_said),
            };
            Failure::from(error).heard(side, said.clone()).redacted(&self.pipeline.secrets)
        });
        self.store.record_streams(&id, &progress::figures(summary))?;
        finish(&self.store, id, failure.as_ref(), Some(summary))?;
        let about = closing::About {
            pipeline: self.pipeline,
            root: self.project.root(),
            run: id,
            location: self.wired.location.as_deref(),
            relay: self.wired.relay.as_ref().map(|_| self.wired.target_name.as_str()),
            warnings,
            drift,
            bench: self.request.bench,
        };
        closing::tell(self.global, &about, summary)?;
        failure.map_or(Ok(0), Err)
    }
}

/// Closes the run's line in the ledger.
fn finish(
    store: &Store,
    id: RunId,
    failure: Option<&Failure>,
    summary: Option<&RunSummary>,
) -> Result<(), Failure> {
    let status = match failure {
        None => RunStatus::Succeeded,
        Some(failure) if matches!(failure.exit_code, 130 | 143) => RunStatus::Cancelled,
        Some(_) => RunStatus::Failed,
    };
    let said = match (summary, failure) {
        (Some(summary), _) => summary.tap_said.join("\n"),
        (None, Some(failure)) => failure.tap_said.join("\n"),
        (None, None) => String::new(),
    };
    let is_target = summary.is_some_and(|s| matches!(s.error, Some(RunError::TargetProgram(_))));
    let target_said = summary.filter(|_| is_target).map(|summary| summary.target_said.join("\n"));
    let said = Some(said).filter(|said| !said.is_empty());
    let end = RunEnd {
        status,
        exit_code: failure.map_or(0, |failure| failure.exit_code.into()),
        failure: failure.map(|failure| RunFailure {
            code: failure.code.clone(),
            text: failure.text(),
            hint: failure.hint.clone(),
            tap_said: said,
            target_said: target_said.filter(|said| !said.is_empty()),
        }),
        state_after: summary.and_then(|summary| summary.state_after.clone()),
    };
    Ok(store.finish_run(&id, &end)?)
}

fn runtime_failure(source: std::io::Error) -> Failure {
    crate::error::CliError::File { what: "listen for signals of", path: "this process".into(), source }.into()
}
