//! What the tap offers, with the pipeline's selection laid over it.

use std::fs;

use config::{CatalogFrom, Pattern, Pipeline, Program, Project, Protocol, SelectionReport};
use runner::{Discovered, ProgramCommand, RunError, Shutdown, Side, check, discover, tap_flags};
use singer::{Catalog, TapFlags};

use super::cached::Catalogs;
use super::settings;
use crate::error::CliError;
use crate::failure::Failure;

/// So many of the tap's last lines belong to an error.
const LAST_LINES: usize = 20;

/// The tap's catalog as the run will use it; none for a program without discovery.
pub(crate) struct Offer {
    /// With selection and settings.
    pub(crate) catalog: Option<Catalog>,
    /// What the rules chose, and their warnings.
    pub(crate) report: SelectionReport,
    /// By which flags the tap takes its files.
    pub(crate) flags: TapFlags,
}

/// How a catalog is asked for.
#[derive(Clone, Copy, Default)]
pub(crate) struct Ask<'a> {
    /// Streams, of the selected ones.
    pub(crate) select: &'a [Pattern],
    /// Streams that are left out.
    pub(crate) exclude: &'a [Pattern],
    /// Where a discovered one is kept for as long as `discovery_cache` says.
    pub(crate) kept: Option<Catalogs<'a>>,
    /// Whether the tap is asked although its last answer is still good.
    pub(crate) anew: bool,
}

impl Offer {
    /// Asks the tap, or reads the fixed catalog, and applies the rules.
    pub(crate) async fn ask(
        project: &Project,
        pipeline: &Pipeline,
        command: &ProgramCommand,
        ask: Ask<'_>,
        shutdown: &mut Shutdown,
    ) -> Result<Self, Failure> {
        if let Program::Named(name) = &pipeline.tap.program {
            let published = settings::published(name)?;
            settings::honoured(pipeline, Some(&published))?;
            settings::validate(pipeline, "tap", name, &published.settings)?;
        }
        let cached = match (ask.kept, pipeline.tap.discovery_cache) {
            (Some(kept), Some(good_for)) if !ask.anew => {
                kept.discovered(command, pipeline.tap.config()?.as_str(), good_for)?
            }
            _ => None,
        };
        let chosen = cached.and_then(|mut catalog| {
            tracing::debug!("the catalog is the one that the tap offered before");
            // What the rules miss in it the tap may offer by now.
            pipeline.rules.apply(&mut catalog, ask.select, ask.exclude).ok().map(|report| (catalog, report))
        });
        let (catalog, report) = if let Some(chosen) = chosen {
            chosen
        } else {
            let Some(mut catalog) = found(project, pipeline, command, &ask, shutdown).await? else {
                if !ask.select.is_empty() || !ask.exclude.is_empty() {
                    return Err(CliError::NothingToSelect(pipeline.name.clone()).into());
                }
                return Ok(Self {
                    catalog: None,
                    report: SelectionReport::default(),
                    flags: TapFlags::default(),
                });
            };
            let report = pipeline.rules.apply(&mut catalog, ask.select, ask.exclude)?;
            (catalog, report)
        };
        let flags =
            if pipeline.tap.is_ours() { TapFlags::default() } else { tap_flags(command, shutdown).await? };
        Ok(Self { catalog: Some(catalog), report, flags })
    }

    /// The catalog's JSON text.
    pub(crate) fn text(&self) -> Option<String> {
        self.catalog.as_ref().and_then(|catalog| serde_json::to_string(&catalog.to_json()).ok())
    }
}

/// Asks whether what is read from is there: an Airbyte source before its catalog, which has its own words for why it is
/// not; a tap of ours with the catalog, of which it looks at all that is selected. Other taps of Singer know no such
/// question.
pub(crate) async fn check_source(
    pipeline: &Pipeline,
    command: &ProgramCommand,
    offer: Option<&Offer>,
    shutdown: &mut Shutdown,
) -> Result<(), Failure> {
    let catalog = match (&pipeline.tap.protocol, offer) {
        (Protocol::Singer, Some(offer)) if pipeline.tap.is_ours() => offer.text(),
        (Protocol::Singer, _) | (_, Some(_)) => return Ok(()),
        (_, None) => None,
    };
    let checked = check(command, catalog.as_deref(), pipeline.limits.idle_timeout, shutdown).await;
    checked.map_err(|error| told(error, command))
}

/// The catalog as it is offered, before any rule.
async fn found(
    project: &Project,
    pipeline: &Pipeline,
    command: &ProgramCommand,
    ask: &Ask<'_>,
    shutdown: &mut Shutdown,
) -> Result<Option<Catalog>, Failure> {
    match &pipeline.tap.catalog {
        CatalogFrom::File(path) => Ok(Some(read(&project.root().join(path))?)),
        CatalogFrom::Nowhere => Ok(None),
        CatalogFrom::Discovery => {
            let longest = pipeline.limits.idle_timeout;
            let asked = discover(command, longest, shutdown).await;
            let Discovered::Catalog(catalog) = asked.map_err(|error| told(error, command))? else {
                return Ok(None);
            };
            if let (Some(kept), Some(_)) = (ask.kept, pipeline.tap.discovery_cache) {
                kept.keep_discovered(command, pipeline.tap.config()?.as_str(), &catalog)?;
            }
            Ok(Some(catalog))
        }
    }
}

/// The error with what the tap said last, which its log has.
fn told(error: RunError, command: &ProgramCommand) -> Failure {
    if !matches!(error, RunError::Tap(_)) {
        return error.into();
    }
    let log = fs::read_to_string(&command.log).unwrap_or_default();
    let last = log.lines().count().saturating_sub(LAST_LINES);
    Failure::from(error).heard(Side::Tap, log.lines().skip(last).map(str::to_owned).collect())
}

fn read(path: &std::path::Path) -> Result<Catalog, Failure> {
    let text = fs::read_to_string(path).map_err(|source| CliError::File {
        what: "read",
        path: path.to_owned(),
        source,
    })?;
    Catalog::parse(&text).map_err(|error| {
        let failure = Failure::from(error);
        Failure { message: format!("{}: {}", path.display(), failure.message), ..failure }
    })
}
