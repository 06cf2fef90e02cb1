//! What the tests need and cargo does not bring. It is installed where that may be done (Debian, as root);
//! elsewhere the run ends with the one line that says what to install. Nothing is skipped.

use std::{fs, path::Path, process::Stdio};

use anyhow::{Result, bail};

use crate::shell::{find, output, program, run};

/// A program that the tests start, and the Debian package that has it.
struct Need {
    what: &'static str,
    package: &'static str,
    found: fn() -> bool,
}

const NEEDS: [Need; 4] = [
    Need { what: "PostgreSQL's server programs (initdb)", package: "postgresql", found: has_postgres_server },
    Need { what: "psql", package: "postgresql-client", found: || find("psql").is_some() },
    Need { what: "python3", package: "python3", found: || find("python3").is_some() },
    Need { what: "Python's venv", package: "python3-venv", found: has_venv },
];

const VALGRIND: Need = Need { what: "valgrind", package: "valgrind", found: || find("valgrind").is_some() };

/// Finds or installs all of what the tests need.
pub(crate) fn needs() -> Result<()> {
    find_or_install(&NEEDS)
}

/// Finds or installs what counts instructions.
pub(crate) fn valgrind() -> Result<()> {
    find_or_install(&[VALGRIND])
}

fn find_or_install(needs: &[Need]) -> Result<()> {
    let missing: Vec<&Need> = needs.iter().filter(|need| !(need.found)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    if !may_install() {
        bail!(refusal(&missing));
    }
    run(&mut program("apt-get", &["update", "--quiet"]))?;
    let install = ["install", "--yes", "--quiet", "--no-install-recommends"];
    run(program("apt-get", &install).args(&packages).env("DEBIAN_FRONTEND", "noninteractive"))?;
    match missing.iter().find(|need| !(need.found)()) {
        None => Ok(()),
        Some(need) => bail!("{} is still missing after installing {}", need.what, need.package),
    }
}

/// The one line that says what to install.
fn refusal(missing: &[&Need]) -> String {
    let what: Vec<&str> = missing.iter().map(|need| need.what).collect();
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    format!("missing: {}. Install it (Debian: apt-get install {})", what.join(", "), packages.join(" "))
}

/// Debian keeps the server programs off PATH, one folder a version.
fn has_postgres_server() -> bool {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    find("initdb").is_some()
        || versions.into_iter().any(|version| version.path().join("bin/initdb").is_file())
}

/// Debian's python3 comes without what fills a virtual environment.
fn has_venv() -> bool {
    let mut asked = program("python3", &["-c", "import ensurepip, venv"]);
    asked.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn may_install() -> bool {
    let root = output(&mut program("id", &["-u"])).is_ok_and(|user| user.trim() == "0");
    root && Path::new("/etc/debian_version").exists() && find("apt-get").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_its_package() {
        let line = refusal(&[&NEEDS[0], &NEEDS[2]]);
        assert!(line.ends_with("apt-get install postgresql python3)"), "{line}");
        assert!(line.contains("initdb") && !line.contains('\n'), "{line}");
    }
}
