//! From the command line to the exit code.

use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use singer::{Catalog, Json};

use crate::arguments::{Arguments, Format};
use crate::output::{self, Output};
use crate::{About, SyncRequest, Tap, TapError, TapState, log};

/// Runs a tap as the process that it is: reads the command line, discovers or syncs, reports errors as `CRITICAL`
/// lines on stderr, and gives the exit code (0 whole, 1 failed, 2 command line, 75 try again, 78 config).
pub fn main<T: Tap>(tap: &T) -> ExitCode {
    let about = tap.about();
    log::set_up(about.name);
    let arguments = match Arguments::parse(&about, tap.actions(), std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(usage) => usage.exit(),
    };
    match output::stdout().and_then(|stdout| run(tap, &arguments, stdout)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report(about.name, &error),
    }
}

fn run<T: Tap>(tap: &T, arguments: &Arguments, stdout: Box<dyn Write + Send>) -> Result<(), TapError> {
    if let Some(format) = arguments.about {
        return print(stdout, &describe(&tap.about(), format));
    }
    let config = read_config::<T>(arguments.config.as_deref())?;
    if let Some(action) = arguments.action {
        return print(stdout, &tap.act(action, &config)?);
    }
    if arguments.discover {
        let catalog = tap.discover(&config)?;
        let text = serde_json::to_string_pretty(&catalog)
            .map_err(|error| TapError::failed(format!("the catalog has no JSON form: {error}")))?;
        return print(stdout, &text);
    }
    let state = match &arguments.state {
        Some(path) => TapState::parse(&read(path, "state")?)?,
        None => TapState::default(),
    };
    let catalog = match &arguments.catalog {
        Some(path) => Catalog::parse(&read(path, "catalog")?)
            .map_err(|error| TapError::config(format!("{}: {error}", path.display())))?,
        None => tap.discover(&config)?,
    };
    if arguments.check {
        return tap.check(&config, &catalog);
    }
    let mut output = Output::new(stdout);
    let synced = tap.sync(SyncRequest { config: &config, catalog: &catalog, state, output: &mut output });
    // What is out before a failure counts, up to the last STATE.
    let finished = output.finish();
    synced.and(finished)
}

fn read_config<T: Tap>(path: Option<&Path>) -> Result<T::Config, TapError> {
    let path = path.ok_or_else(|| {
        TapError::config("there is no --config FILE").with_hint("--about lists what belongs into the file")
    })?;
    let text = read(path, "config")?;
    serde_json::from_str(&text).map_err(|error| {
        let said = error.to_string();
        // The place helps where the JSON is broken. Where a setting is wrong, the file is mostly a runner's own copy.
        let said =
            said.rsplit_once(" at line ").filter(|_| error.is_data()).map_or(said.as_str(), |said| said.0);
        TapError::config(format!("config {}: {said}", path.display())).with_hint("--about lists the settings")
    })
}

fn read(path: &Path, what: &str) -> Result<String, TapError> {
    std::fs::read_to_string(path)
        .map_err(|error| TapError::config(format!("the {what} {} cannot be read: {error}", path.display())))
}

fn print(mut stdout: Box<dyn Write + Send>, text: &str) -> Result<(), TapError> {
    stdout.write_all(format!("{text}\n").as_bytes()).map_err(TapError::Output)
}

/// Says why a tap ends early, `CRITICAL tap-csv: what, where`, with a line for each cause and one for the hint, and
/// gives its exit code. A closed pipe is left without a word.
pub fn report(program: &str, error: &TapError) -> ExitCode {
    if error.is_closed_pipe() {
        return ExitCode::from(error.exit_code());
    }
    let mut text = format!("{program}: {error}");
    let mut cause = std::error::Error::source(error);
    if matches!(error, TapError::Output(_)) {
        cause = None;
    }
    while let Some(source) = cause {
        let _ = write!(text, "\n{program}: caused by: {source}");
        cause = source.source();
    }
    if let Some(hint) = error.hint() {
        let _ = write!(text, "\n{program}: hint: {hint}");
    }
    log::critical(&text);
    ExitCode::from(error.exit_code())
}

/// `--about`: as JSON in the shape of the Singer SDK's, or as text.
fn describe(about: &About, format: Format) -> String {
    if format == Format::Json {
        let text = |text: &str| Json::String(text.to_owned());
        let (name, version, description) = (text(about.name), text(about.version), text(about.description));
        let list = |texts: &[&str]| Json::Array(texts.iter().map(|word| text(word)).collect());
        let understood = about.catalog;
        let (methods, metadata) = (list(understood.replication_methods), list(understood.metadata));
        return format!(
            r#"{{"name":{name},"version":{version},"description":{description},"capabilities":["about","catalog","discover","properties","state"],"catalog":{{"replication_methods":{methods},"replication_key":{},"metadata":{metadata}}},"settings":{}}}"#,
            understood.replication_key, about.settings
        );
    }
    let mut page = format!("{} {}\n{}\n\nSettings:", about.name, about.version, about.description);
    describe_settings(&about.settings, 1, &mut page);
    page
}

fn describe_settings(schema: &Json, depth: usize, page: &mut String) {
    let required = schema.get("required").and_then(Json::as_array).unwrap_or_default();
    let properties = schema.get("properties").and_then(Json::as_object);
    for (name, setting) in properties.into_iter().flatten() {
        let kind = match setting.get("type") {
            Some(Json::String(kind)) => kind.as_str(),
            _ => "any",
        };
        let needed = if required.iter().any(|item| item.as_str() == Some(name)) { ", required" } else { "" };
        let description = setting.get("description").and_then(Json::as_str).unwrap_or_default();
        let indent = "  ".repeat(depth);
        let _ = write!(page, "\n{indent}{name} ({kind}{needed}): {description}");
        describe_settings(setting.get("items").unwrap_or(setting), depth + 1, page);
    }
}

#[cfg(test)]
mod tests;
