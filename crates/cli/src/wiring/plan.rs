//! The run's plan.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use config::{CatalogFrom, Pipeline, Program, ProgramBlock, Project};
use load::{DecodeLimits, LoadSettings};
use packages::Mode;
use runner::{Attempts, CommitEdit, MakeTarget, ProgramCommand, RunLimits, RunPlan, Side, StartEdit};
use singer::{Catalog, State};
use target_api::{FullRefresh, LoadMethod, RunIdentity, StreamName};

use super::catalog::Offer;
use super::installed::{Installed, installed};
use super::{command, kept_state, paths, programs, rules, settings, targets};
use crate::error::CliError;
use crate::failure::Failure;
use crate::output::Printer;

/// A pipeline whose programs are found.
pub(crate) struct Wired {
    pub(crate) tap: ProgramCommand,
    pub(crate) tap_identity: String,
    /// Makes the target, or what keeps the STATE for one that is a program of its own.
    pub(crate) target: MakeTarget,
    /// That program, where it will be started.
    pub(crate) relay: Option<ProgramCommand>,
    /// What the target's config says of all streams, weaker than the rules.
    loading: LoadSettings,
    pub(crate) target_name: String,
    /// The file or database behind the target, for people.
    pub(crate) location: Option<String>,
    /// What is of a package: in use for as long as this lives.
    _installed: Vec<Installed>,
}

/// Which of the two programs will be started. One of a package is installed where it is not there yet, and the words
/// about that go to the printer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TapUse {
    /// The tap, and a target that is a program of its own.
    Started(Printer),
    /// The tap alone.
    Alone(Printer),
    /// None: only the names are needed.
    Named,
}

impl TapUse {
    /// Where the words about this side go, where it is started.
    fn printer(self, side: Side) -> Option<Printer> {
        match self {
            Self::Started(printer) => Some(printer),
            Self::Alone(printer) => Some(printer).filter(|_| side == Side::Tap),
            Self::Named => None,
        }
    }
}

/// What of the streams a run covers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Edits {
    /// `--full-refresh`.
    pub(crate) full_refresh: bool,
    /// Whether `--select` or `--exclude` narrow it.
    pub(crate) narrowed: bool,
}

impl Wired {
    pub(crate) fn new(
        project: &Project,
        pipeline: &Pipeline,
        log: PathBuf,
        tap_use: TapUse,
    ) -> Result<Self, Failure> {
        programs::check(pipeline)?;
        settings::honoured(pipeline, None)?;
        let mut in_use = Vec::new();
        let mut start = |side, block: &ProgramBlock, log: PathBuf| {
            let installed = match (&block.program, tap_use.printer(side)) {
                (Program::Package(package), Some(printer)) => {
                    let mut tell = |text: &str| printer.note(text);
                    Some(installed(project, (side, package), Mode::Missing, &mut tell)?)
                }
                _ => None,
            };
            let command = command::command(project, pipeline, side, installed.as_ref(), log);
            in_use.extend(installed);
            command
        };
        let target_log = log.with_file_name("target.log");
        let tap = start(Side::Tap, &pipeline.tap, log)?;
        let (tap_identity, target_name) = command::identities(pipeline);
        let mut loading = LoadSettings::default();
        let (target, relay, location) = if matches!(pipeline.target.program, Program::Named(_)) {
            let (target, location, said) = own_target(project, pipeline, &target_name)?;
            loading = said;
            (target, None, location)
        } else {
            let relay = tap_use.printer(Side::Target).is_some();
            let relay = relay.then(|| start(Side::Target, &pipeline.target, target_log)).transpose()?;
            (kept_state::keeper(project.root(), target_name.clone()), relay, None)
        };
        Ok(Self { tap, tap_identity, target, relay, loading, target_name, location, _installed: in_use })
    }

    /// Who runs, for the state row.
    pub(crate) fn identity(&self, pipeline: &Pipeline, run: &str) -> RunIdentity {
        RunIdentity {
            environment: pipeline.environment.clone(),
            pipeline: pipeline.name.clone(),
            shard: String::new(),
            tap: self.tap_identity.clone(),
            run: run.to_owned(),
            full_refresh: FullRefresh::No,
            takes_over: false,
            keeps_state: true,
        }
    }

    /// The plan of a run of the offered streams.
    pub(crate) fn plan(&self, pipeline: &Pipeline, offer: &Offer, run: &str, edits: Edits) -> RunPlan {
        let streams = selected(offer.catalog.as_ref());
        let mut identity = self.identity(pipeline, run);
        identity.full_refresh = match edits {
            Edits { full_refresh: false, .. } => FullRefresh::No,
            Edits { narrowed: false, .. } => FullRefresh::All,
            Edits { .. } => {
                FullRefresh::Streams(streams.iter().map(|name| StreamName::from(name.as_str())).collect())
            }
        };
        let reach = rules::Reach {
            catalog: offer.catalog.as_ref(),
            is_fixed: matches!(pipeline.tap.catalog, CatalogFrom::File(_)),
            is_narrowed: edits.narrowed,
        };
        RunPlan {
            identity,
            tap: self.tap.clone(),
            catalog: offer.text(),
            flags: offer.flags.clone(),
            target: Arc::clone(&self.target),
            relay: self.relay.clone(),
            rules: rules::rules(&pipeline.rules, &self.loading, reach),
            start_edit: start_edit(streams.clone(), edits),
            commit_edit: commit_edit(streams, edits),
            limits: limits(pipeline, self.loading.batch_size_rows),
            continuous: false,
            started: Instant::now(),
        }
    }
}

/// One of the targets that tapster carries, where it loads to, and what its config says of all streams.
fn own_target(
    project: &Project,
    pipeline: &Pipeline,
    name: &str,
) -> Result<(MakeTarget, Option<String>, LoadSettings), Failure> {
    let mut loading = LoadSettings::default();
    let mut config = pipeline.target.config()?.as_str().to_owned();
    let location = targets::location(name, &config);
    if let Some(schema) = targets::settings_schema(name) {
        settings::validate(pipeline, "target", name, &load::config_schema(schema))?;
        let (own, said) = LoadSettings::part(schema, &config).map_err(CliError::TargetConfig)?;
        let can = targets::abilities(name);
        said.check(can.upserts, can.grants).map_err(CliError::TargetConfig)?;
        if said.load_method == LoadMethod::Overwrite {
            // Which streams are read in parts is looked at with the rules.
            return Err(CliError::OverwriteInConfig.into());
        }
        (config, loading) = (paths::from_root(&own, schema, project.root()), said);
    }
    let location = location.map(|text| pipeline.secrets.redact(&text).into_owned());
    let target = targets::maker(name, config)
        .ok_or_else(|| pipeline.target.unknown("target", programs::programs("target")))?;
    Ok((target, location, loading))
}

/// Ids and names of the streams that run.
fn selected(catalog: Option<&Catalog>) -> BTreeSet<String> {
    let streams = catalog.into_iter().flat_map(Catalog::selected_streams);
    streams.flat_map(|stream| [stream.tap_stream_id.clone(), stream.stream.clone()]).collect()
}

fn start_edit(streams: BTreeSet<String>, edits: Edits) -> StartEdit {
    Arc::new(move |state: State| match edits {
        Edits { full_refresh: false, .. } => Ok(Some(state)),
        Edits { narrowed: false, .. } => Ok(None),
        Edits { .. } => state.without_bookmarks(|id| streams.contains(id)).map(Some),
    })
}

/// In a partial run the tap may drop the bookmarks of the streams that do not run: they are kept.
fn commit_edit(streams: BTreeSet<String>, edits: Edits) -> CommitEdit {
    Arc::new(move |state, before| match before {
        Some(before) if edits.narrowed => state.with_bookmarks_of(before, |id| !streams.contains(id)),
        _ => Ok(state),
    })
}

fn limits(pipeline: &Pipeline, batch_records: Option<usize>) -> RunLimits {
    let limits = &pipeline.limits;
    let size = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
    RunLimits {
        decode: DecodeLimits {
            line_bytes: size(limits.line_bytes),
            batch_bytes: size(limits.batch_bytes),
            batch_records,
            checkpoint_bytes: limits.checkpoint_bytes,
            checkpoint_every: limits.checkpoint_every,
            ..DecodeLimits::default()
        },
        timeout: limits.timeout,
        idle_timeout: limits.idle_timeout,
        max_staged: limits.max_staged,
        grace: limits.grace,
        attempts: Attempts::default(),
    }
}
