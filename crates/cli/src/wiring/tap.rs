//! The tap's command, from its block in the pipeline.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use config::{Pipeline, Program, Project};
use runner::TapCommand;

use crate::error::CliError;
use crate::failure::Failure;

/// What a tap gets of our environment besides `env:`.
const PASSED_ON: [&str; 18] = [
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

/// What people call the tap, and what its STATE is known by: a tap of ours by its name, another by its program and,
/// behind an interpreter, its script.
pub(super) fn identity(program: &Program) -> String {
    match program {
        Program::Named(name) => name.clone(),
        Program::NotBuilt(key) => (*key).to_owned(),
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

/// How to start it; logs go to `log`.
pub(super) fn command(project: &Project, pipeline: &Pipeline, log: PathBuf) -> Result<TapCommand, Failure> {
    let guard = std::env::current_exe().map_err(|source| CliError::File {
        what: "find",
        path: "the tapster program".into(),
        source,
    })?;
    let argv: Vec<OsString> = match &pipeline.tap.program {
        // One of ours lies beside this binary, so that a version always meets its own.
        Program::Named(name) => vec![guard.with_file_name(name).into()],
        Program::Command(argv) => argv.iter().map(OsString::from).collect(),
        Program::NotBuilt(key) => {
            return Err(CliError::NotBuiltYet(format!("run with a tap by `{key}`")).into());
        }
    };
    let passed = PASSED_ON.iter().filter_map(|&key| Some((OsString::from(key), std::env::var_os(key)?)));
    let own =
        pipeline.tap.env()?.into_iter().map(|(key, value)| (OsString::from(key), OsString::from(value)));
    let secrets = pipeline.secrets.clone();
    Ok(TapCommand {
        argv,
        env: passed.chain(own).collect(),
        folder: project.root().to_owned(),
        config: pipeline.tap.config()?.as_str().to_owned(),
        guard,
        private: project.root().join(".tapster/private"),
        log,
        redact: Arc::new(move |text| secrets.redact(text).into_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::identity;
    use config::Program;

    #[test]
    fn a_script_is_known_by_its_name_and_not_by_its_interpreters_path() {
        let command =
            |argv: &[&str]| identity(&Program::Command(argv.iter().map(|&text| text.to_owned()).collect()));
        assert_eq!(command(&["/usr/bin/python3", "taps/mine.py", "-v"]), "python3 mine.py");
        assert_eq!(command(&["/opt/venv/bin/tap-github"]), "tap-github");
        assert_eq!(identity(&Program::Named("tap-csv".into())), "tap-csv");
    }
}
