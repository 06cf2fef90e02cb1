//! From the command line to the exit code.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;
use singer::Catalog;
use tap_sdk::{TapError, log, report, stdout};

use crate::arguments::Arguments;
use crate::cache::Cache;
use crate::secrets::Secrets;
use crate::signals::Stop;
use crate::source::Source;
use crate::state::SourceState;
use crate::sync::{Request, sync};
use crate::{check, discover, spec};

const NAME: &str = env!("CARGO_PKG_NAME");

/// The whole life of the process.
pub(crate) fn main() -> ExitCode {
    log::set_up(NAME);
    let arguments = Arguments::parse();
    let stop = Stop::default();
    let done = run(&arguments, &stop);
    // Whoever asks for the end knows why it ends.
    if let Some(code) = stop.exit_code() {
        return ExitCode::from(code);
    }
    done.map_or_else(|error| report(NAME, &error), |()| ExitCode::SUCCESS)
}

fn run(arguments: &Arguments, stop: &Stop) -> Result<(), TapError> {
    let config = read(&arguments.config, "config")?;
    let secrets = Secrets::default();
    let source = Source::new(arguments, secrets.clone(), stop.clone());
    let cache = Cache::of(arguments);
    let specification = spec::specification(&source, &cache, arguments.manifest.as_deref())?;
    spec::validate(&specification, &config, &secrets)?;
    if arguments.check {
        return check::check(&source, &arguments.config);
    }
    let found = || discover::catalog(&source, &arguments.config);
    if arguments.discover {
        let text = serde_json::to_string_pretty(&found()?)
            .map_err(|error| TapError::failed(format!("the catalog has no JSON form: {error}")))?;
        return stdout()?.write_all(format!("{text}\n").as_bytes()).map_err(TapError::Output);
    }
    let catalog = match &arguments.catalog {
        Some(path) => Catalog::parse(&read(path, "catalog")?)
            .map_err(|error| TapError::config(format!("{}: {error}", path.display())))?,
        None => found()?,
    };
    let state = match &arguments.state {
        Some(path) => SourceState::parse(&read(path, "state")?)?,
        None => SourceState::default(),
    };
    let config = &arguments.config;
    sync(
        &Request {
            source: &source,
            config,
            specification: &specification,
            secrets: &secrets,
            catalog: &catalog,
        },
        state,
    )
}

fn read(path: &Path, what: &str) -> Result<String, TapError> {
    std::fs::read_to_string(path)
        .map_err(|error| TapError::config(format!("the {what} {} cannot be read: {error}", path.display())))
}
