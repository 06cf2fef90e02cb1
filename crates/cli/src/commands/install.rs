//! `install`: the packages of the pipelines' taps and targets, from the lock or into it.

use config::{Package, Pipeline, Program, Project};
use packages::Mode;
use runner::Side;
use serde::Serialize;

use crate::args::{Global, Install};
use crate::commands::project;
use crate::exit_code;
use crate::failure::{Failure, Outcome};
use crate::output::{Printer, print_failure};
use crate::wiring::installed;

/// What came of one pipeline's package.
#[derive(Serialize)]
struct Line {
    pipeline: String,
    requirements: Vec<String>,
    #[serde(flatten)]
    found: Option<Found>,
    error: Option<Failure>,
}

#[derive(Serialize)]
struct Found {
    program: String,
    python: String,
    packages: usize,
    /// Whether it was not there before.
    installed: bool,
}

/// All pipelines by default; all are gone through, even if one fails.
pub(crate) fn run(global: &Global, args: &Install) -> Outcome {
    let project = project::open_around(global, &args.pipelines)?;
    let names = project::named_or_all(&project, &args.pipelines)?;
    let mode = match (args.locked, args.update) {
        (true, _) => Mode::Locked,
        (_, true) => Mode::Update,
        _ => Mode::Missing,
    };
    let printer = Printer::new(global);
    let (mut lines, mut done) = (Vec::new(), Vec::new());
    for name in names {
        let packages = match project.pipeline_as_written(&name) {
            Ok(pipeline) => packages_of(pipeline).map(Ok).collect(),
            Err(error) => vec![Err(Failure::from(error))],
        };
        for package in packages {
            let outcome = package.as_ref().map_err(Failure::clone).and_then(|package| {
                // Pipelines with one package share its environment: it is updated once.
                let mode =
                    if mode == Mode::Update && done.contains(&package.1) { Mode::Missing } else { mode };
                install(printer, &project, package, mode)
            });
            if let (Err(failure), false) = (&outcome, global.json) {
                printer.note(&format!("{name}: not installed"));
                print_failure(failure, false);
            }
            let (found, error) = match outcome {
                Ok(found) => (Some(found), None),
                Err(error) => (None, Some(error)),
            };
            let package = package.ok().map(|(_, package)| package);
            let requirements =
                package.as_ref().map(|package| package.requirements.clone()).unwrap_or_default();
            done.extend(package);
            lines.push(Line { pipeline: name.clone(), requirements, found, error });
        }
    }
    printer.result(&lines, || text(&lines, &global.environment_flag()))?;
    Ok(exit_code::together(lines.iter().filter_map(|line| line.error.as_ref()).map(|error| error.exit_code)))
}

/// What the pipeline's tap and target are of.
fn packages_of(pipeline: Pipeline) -> impl Iterator<Item = (Side, Package)> {
    let programs = [(Side::Tap, pipeline.tap.program), (Side::Target, pipeline.target.program)];
    programs.into_iter().filter_map(|(side, program)| match program {
        Program::Package(package) => Some((side, package)),
        _ => None,
    })
}

fn install(
    printer: Printer,
    project: &Project,
    (side, package): &(Side, Package),
    mode: Mode,
) -> Result<Found, Failure> {
    let installed = installed(project, (*side, package), mode, &mut |text| printer.note(text))?;
    let program = installed.program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let environment = &installed.environment;
    Ok(Found {
        program,
        python: environment.python.clone(),
        packages: environment.packages,
        installed: environment.is_new,
    })
}

fn text(lines: &[Line], environment: &str) -> String {
    if lines.is_empty() {
        return "Nothing to install: no pipeline names a package with pip: or airbyte:\n".to_owned();
    }
    let mut text = String::new();
    for line in lines {
        let Some(found) = &line.found else { continue };
        let Found { program, python, packages, installed } = found;
        let word = if *installed { "installed" } else { "was there already" };
        let requirements = line.requirements.join(", ");
        text.push_str(&format!(
            "{}: {program} of {requirements} {word} (Python {python}, {packages} packages)\n",
            line.pipeline
        ));
    }
    if lines.iter().any(|line| line.found.as_ref().is_some_and(|found| found.installed)) {
        text.push_str("\ntapster.lock says exactly what: commit it.\n");
    }
    if let [Line { pipeline, found: Some(_), .. }] = lines {
        text.push_str(&format!("\nnext: tapster check {pipeline}{environment}\n"));
    }
    text
}
