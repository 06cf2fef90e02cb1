//! What the tap offers, with the pipeline's selection laid over it.

use std::fs;

use config::{CatalogFrom, Pattern, Pipeline, Program, Project, SelectionReport};
use runner::{Discovered, RunError, Shutdown, TapCommand, catalog_flags, discover};
use singer::Catalog;

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
    /// Which flags hand the catalog to the tap.
    pub(crate) flags: Vec<&'static str>,
}

impl Offer {
    /// Asks the tap, or reads the fixed catalog, and applies the rules.
    pub(crate) async fn ask(
        project: &Project,
        pipeline: &Pipeline,
        command: &TapCommand,
        narrow: (&[Pattern], &[Pattern]),
        shutdown: &mut Shutdown,
    ) -> Result<Self, Failure> {
        let ours = matches!(&pipeline.tap.program, Program::Named(_));
        if let Program::Named(name) = &pipeline.tap.program {
            let published = settings::published(name)?;
            settings::honoured(pipeline, Some(&published))?;
            settings::validate(pipeline, "tap", name, &published.settings)?;
        }
        let found = match &pipeline.tap.catalog {
            CatalogFrom::File(path) => Some(read(&project.root().join(path))?),
            CatalogFrom::Nowhere => None,
            CatalogFrom::Discovery => {
                let longest = pipeline.limits.idle_timeout;
                match discover(command, longest, shutdown).await.map_err(|error| told(error, command))? {
                    Discovered::Catalog(catalog) => Some(catalog),
                    Discovered::Nothing => None,
                }
            }
        };
        let Some(mut catalog) = found else {
            if !narrow.0.is_empty() || !narrow.1.is_empty() {
                return Err(CliError::NothingToSelect(pipeline.name.clone()).into());
            }
            return Ok(Self { catalog: None, report: SelectionReport::default(), flags: Vec::new() });
        };
        let report = pipeline.rules.apply(&mut catalog, narrow.0, narrow.1)?;
        let flags = if ours { vec!["--catalog"] } else { catalog_flags(command, shutdown).await? };
        Ok(Self { catalog: Some(catalog), report, flags })
    }

    /// The catalog's JSON text.
    pub(crate) fn text(&self) -> Option<String> {
        self.catalog.as_ref().and_then(|catalog| serde_json::to_string(&catalog.to_json()).ok())
    }
}

/// The error with what the tap said last, which its log has.
fn told(error: RunError, command: &TapCommand) -> Failure {
    let log = fs::read_to_string(&command.log).unwrap_or_default();
    let tap_said = if matches!(error, RunError::Tap(_)) {
        log.lines().map(str::to_owned).collect::<Vec<_>>()
    } else {
        Vec::new()
    };
    let last = tap_said.len().saturating_sub(LAST_LINES);
    Failure { tap_said: tap_said.into_iter().skip(last).collect(), ..Failure::from(error) }
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
