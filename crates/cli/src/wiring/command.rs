//! The command of a tap or a target, from its block in the pipeline.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use config::{Pipeline, Program, ProgramBlock, Project, Protocol};
use runner::{ProgramCommand, ProgramConfig, Side};

use crate::error::CliError;
use crate::failure::Failure;
use crate::wiring::installed::Installed;
use crate::wiring::kept_config;
use crate::wiring::programs::AIRBYTE;

/// What a program gets of our environment besides `env:`.
pub(super) const PASSED_ON: [&str; 18] = [
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
];

/// What the ledger calls the tap and the target of a pipeline.
pub(crate) fn identities(pipeline: &Pipeline) -> (String, String) {
    (identity(&pipeline.tap), identity(&pipeline.target))
}

/// What people call a tap or a target, and what its STATE is known by: one of ours by its name, another by its program
/// and, behind an interpreter, its script. One program runs many manifests.
pub(super) fn identity(block: &ProgramBlock) -> String {
    let program = program_identity(&block.program);
    match &block.protocol {
        Protocol::Airbyte { manifest: Some(manifest) } => {
            format!("{program} {}", manifest.file_name().unwrap_or_default().display())
        }
        _ => program,
    }
}

fn program_identity(program: &Program) -> String {
    match program {
        Program::Named(name) => name.clone(),
        Program::NotBuilt(key) => (*key).to_owned(),
        // Not its program: two packages may bring a tap-postgres each, and neither knows the other's STATE.
        Program::Package(package) => {
            packages::known_as(package.requirements.first().map_or("", String::as_str))
        }
        Program::Command(argv) => {
            let base = |text: &String| {
                Path::new(text).file_name().map_or(text.clone(), |name| name.to_string_lossy().into_owned())
            };
            let Some(first) = argv.first().map(base) else { return String::new() };
            let interpreters = ["python", "python3", "node", "ruby", "perl", "sh", "bash", "uv", "npx"];
            match argv.get(1).filter(|_| interpreters.contains(&first.as_str())) {
                Some(script) => format!("{first} {}", base(script)),
                None => first,
            }
        }
    }
}

/// How to start the tap or the target; logs go to `log`. `installed` is its own where it is of a package.
pub(super) fn command(
    project: &Project,
    pipeline: &Pipeline,
    side: Side,
    installed: Option<&Installed>,
    log: PathBuf,
) -> Result<ProgramCommand, Failure> {
    let block = match side {
        Side::Tap => &pipeline.tap,
        Side::Target => &pipeline.target,
    };
    let argv: Vec<OsString> = match (&block.program, installed) {
        (_, Some(installed)) => vec![installed.program.clone().into()],
        // One of ours lies beside this binary, so that a version always meets its own.
        (Program::Named(name), None) => vec![own_program()?.with_file_name(name).into()],
        (Program::Command(argv), None) => argv.iter().map(OsString::from).collect(),
        (Program::Package(package), None) => package.executable.iter().map(OsString::from).collect(),
        (Program::NotBuilt(key), None) => {
            return Err(CliError::NotBuiltYet(format!("run with a {side} by `{key}`")).into());
        }
    };
    let argv = match &block.protocol {
        Protocol::Singer => argv,
        Protocol::Airbyte { manifest } => behind_airbyte(project, pipeline, manifest.as_deref(), argv)?,
    };
    let mut command = any(project, pipeline, (side, block), argv, log)?;
    if let Some(installed) = installed {
        let path = command.env.iter().rfind(|(key, _)| key == "PATH").map(|(_, value)| value.as_os_str());
        let path = installed.environment.path(path);
        command.env.retain(|(key, _)| key != "PATH");
        command.env.push(("PATH".into(), path));
    }
    Ok(command)
}

/// The tap that runs an Airbyte source which is started so.
fn behind_airbyte(
    project: &Project,
    pipeline: &Pipeline,
    manifest: Option<&Path>,
    argv: Vec<OsString>,
) -> Result<Vec<OsString>, Failure> {
    let mut words: Vec<OsString> = vec![own_program()?.with_file_name(AIRBYTE).into()];
    let mut flag = |name: &str, value: OsString| words.extend([name.into(), value]);
    flag("--cache", project.root().join(".tapster/airbyte").into());
    flag("--line-bytes", pipeline.limits.line_bytes.to_string().into());
    if let Some(manifest) = manifest {
        let manifest = project.root().join(manifest);
        // Where Airbyte's own sources have it.
        let components = manifest.with_file_name("components.py");
        flag("--manifest", manifest.into());
        if components.is_file() {
            flag("--components", components.into());
        }
    }
    for argument in argv {
        flag("--command", argument);
    }
    Ok(words)
}

/// Any program of a pipeline, in the project's folder, with the environment that such programs get.
fn any(
    project: &Project,
    pipeline: &Pipeline,
    (side, block): (Side, &ProgramBlock),
    argv: Vec<OsString>,
    log: PathBuf,
) -> Result<ProgramCommand, Failure> {
    let passed = PASSED_ON.iter().filter_map(|&key| Some((OsString::from(key), std::env::var_os(key)?)));
    let own = block.env()?.into_iter().map(|(key, value)| (OsString::from(key), OsString::from(value)));
    let secrets = pipeline.secrets.clone();
    let config = block.config()?;
    let config = match side {
        Side::Tap => kept_config::config(project.root(), pipeline, config.as_str())?,
        Side::Target => ProgramConfig::unkept(config.as_str().to_owned()),
    };
    Ok(ProgramCommand {
        side,
        argv,
        env: passed.chain(own).collect(),
        folder: project.root().to_owned(),
        config,
        batch_roots: block.batch_roots.iter().map(|root| project.root().join(root)).collect(),
        guard: own_program()?,
        private: project.root().join(".tapster/private"),
        log,
        redact: Arc::new(move |text| secrets.redact(text).into_owned()),
    })
}

fn own_program() -> Result<PathBuf, CliError> {
    let failed = |source| CliError::File { what: "find", path: "the tapster program".into(), source };
    std::env::current_exe().map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::program_identity as identity;
    use config::{Package, Program};

    #[test]
    fn a_script_is_known_by_its_name_and_not_by_its_interpreters_path() {
        let command =
            |argv: &[&str]| identity(&Program::Command(argv.iter().map(|&text| text.to_owned()).collect()));
        assert_eq!(command(&["/usr/bin/python3", "taps/mine.py", "-v"]), "python3 mine.py");
        assert_eq!(command(&["/opt/venv/bin/tap-github"]), "tap-github");
        assert_eq!(identity(&Program::Named("tap-csv".into())), "tap-csv");
    }

    #[test]
    fn the_tap_of_a_package_is_known_by_the_package_whatever_its_version() {
        let package = |requirement: &str| {
            let requirements = vec![requirement.to_owned()];
            identity(&Program::Package(Package { requirements, executable: None, python: None }))
        };
        assert_eq!(package("Pipelinewise_tap-postgres[x]==1.8.4"), "pipelinewise-tap-postgres");
        assert_eq!(package("tap-x @ git+https://host/y@1"), "tap-x");
        assert_eq!(package("git+https://host/acme/tap-x.git@0123#egg=y"), "tap-x");
    }
}
