//! `run`: one pipeline in this process, several as child processes. `bench`: one, with a report of its time.

mod closing;
mod doubling;
mod drift;
mod dry_run;
mod one;
mod several;
mod waiting;

use std::time::Duration;

use config::{ConfigError, Pattern, Project};

use crate::args::{Bench, Global, Narrowing, Run};
use crate::commands::not_built_yet;
use crate::error::CliError;
use crate::failure::{Failure, Outcome};

/// Runs what the arguments name.
pub(crate) fn run(global: &Global, args: &Run) -> Outcome {
    let reserved = [("--tag", !args.tag.is_empty()), ("--jobs", args.jobs.is_some())];
    if let Some((flag, _)) = reserved.iter().find(|(_, given)| *given) {
        return not_built_yet(&format!("run {flag}"));
    }
    if global.beside_others {
        several::hold_to_parent();
    }
    let project = super::project::open_around(global, &args.pipelines)?;
    let names = names(&project, args)?;
    let request = Request::read(args)?;
    match names.as_slice() {
        names if args.continuous && names.len() != 1 => Err(CliError::Usage(format!(
            "--continuous runs one pipeline, and {} are named: start one process for each",
            names.len()
        ))
        .into()),
        [name] if args.dry_run => dry_run::run(global, &project, name, &request),
        [name] => one::run(global, &project, name, &request),
        names => several::run(global, &project, names, args),
    }
}

/// Runs one pipeline and tells where the time went.
pub(crate) fn bench(global: &Global, args: &Bench) -> Outcome {
    let (project, name) = super::project::open_one(global, &args.pipeline)?;
    let request = Request { bench: true, ..Request::of(&args.streams)? };
    one::run(global, &project, &name, &request)
}

/// The pipelines in the order in which they were named, each once.
fn names(project: &Project, args: &Run) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    if args.all {
        names = project.pipeline_names().map(str::to_owned).collect();
    }
    for argument in &args.pipelines {
        for name in project.matching(argument)? {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    Ok(names)
}

/// The flags of one run, read.
pub(super) struct Request {
    pub(super) select: Vec<Pattern>,
    pub(super) exclude: Vec<Pattern>,
    pub(super) full_refresh: bool,
    pub(super) wait: Option<Duration>,
    pub(super) timeout: Option<Duration>,
    /// Whether the tap goes on for ever.
    pub(super) continuous: bool,
    /// Whether it ends with a report of its time.
    pub(super) bench: bool,
}

impl Request {
    fn read(args: &Run) -> Result<Self, Failure> {
        let timeout = args.timeout.as_deref().map(|text| duration("--timeout", text)).transpose()?;
        if timeout.is_some_and(|timeout| timeout.is_zero()) {
            return Err(CliError::Usage(
                "--timeout 0 leaves no time to run: give more, or leave it out".into(),
            )
            .into());
        }
        let wait = args.wait.as_deref().map(|text| duration("--wait", text)).transpose()?;
        Ok(Self { wait, timeout, continuous: args.continuous, ..Self::of(&args.streams)? })
    }

    fn of(streams: &Narrowing) -> Result<Self, Failure> {
        Ok(Self {
            select: patterns(&streams.select)?,
            exclude: patterns(&streams.exclude)?,
            full_refresh: streams.full_refresh,
            wait: None,
            timeout: None,
            continuous: false,
            bench: false,
        })
    }

    /// What was asked of the streams, as it is typed, with a space before each.
    pub(super) fn flags(&self) -> String {
        let quoted = |(flag, pattern): (&str, &Pattern)| {
            format!(" {flag} '{}'", pattern.as_str().replace('\'', r"'\''"))
        };
        let full = if self.full_refresh { " --full-refresh" } else { "" };
        let select = self.select.iter().map(|pattern| ("--select", pattern));
        let narrow = select.chain(self.exclude.iter().map(|pattern| ("--exclude", pattern)));
        std::iter::once(full.to_owned()).chain(narrow.map(quoted)).collect()
    }

    /// Whether not all of the pipeline's streams run.
    pub(super) fn narrowed(&self) -> bool {
        !self.select.is_empty() || !self.exclude.is_empty()
    }
}

fn patterns(texts: &[String]) -> Result<Vec<Pattern>, ConfigError> {
    texts.iter().map(|text| pattern(text)).collect()
}

/// A pattern of the command line.
pub(super) fn pattern(text: &str) -> Result<Pattern, ConfigError> {
    Pattern::new(text)
}

pub(super) fn duration(flag: &str, text: &str) -> Result<Duration, CliError> {
    config::parse_duration(text).ok_or_else(|| {
        CliError::Usage(format!(
            "`{text}` is not a duration for {flag}: write a number with ms, s, m, h or d, for example 90s"
        ))
    })
}
