//! `cargo x setup`: puts the prebuilt libduckdb into the user's cache. Nobody's build compiles DuckDB.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail, ensure};
use sha2::{Digest as _, Sha512};

use crate::{
    libduckdb::{DUCKDB_VERSION, LIBDUCKDB, libduckdb_directory},
    shell::{find, output, program, run},
};

/// The revision of the npm packages that carry this release of DuckDB.
const NPM_VERSION: &str = "1.5.6-r.1";

/// Where a platform's library comes from. The digests are the registry's `dist.integrity`, written in hex.
struct Platform {
    npm: &'static str,
    archive: &'static str,
    sha512: &'static str,
}

/// Finds libduckdb, or fetches it: from npm (checked), else from DuckDB's own release page.
pub(crate) fn setup() -> Result<()> {
    let directory = libduckdb_directory().context("neither DUCKDB_LIB_DIR nor HOME is set")?;
    let library = directory.join(LIBDUCKDB);
    if library.is_file() {
        eprintln!("libduckdb {DUCKDB_VERSION}: {}", library.display());
        return Ok(());
    }
    if std::env::var_os("DUCKDB_LIB_DIR").is_some_and(|value| !value.is_empty()) {
        bail!("DUCKDB_LIB_DIR is set, but {} does not exist: unset it, or put it there", library.display());
    }
    let platform = platform(std::env::consts::OS, std::env::consts::ARCH)?;
    let work = scratch_folder(&directory)?;
    let outcome = fetch(&platform, &work).and_then(|found| {
        fs::rename(&found, &library).with_context(|| format!("could not place {}", library.display()))
    });
    fs::remove_dir_all(&work).with_context(|| format!("could not remove {}", work.display()))?;
    outcome?;
    eprintln!("libduckdb {DUCKDB_VERSION}: {}", library.display());
    Ok(())
}

fn platform(system: &str, machine: &str) -> Result<Platform> {
    let (npm, archive, sha512) = match (system, machine) {
        ("linux", "x86_64") => (
            "node-bindings-linux-x64",
            "linux-amd64",
            "21772b64913a904a8cd19e30c1d5671811d7fdface4b7dd53cd0300d743f43e1\
             6cf386f4e7c41ef78721ac208870d2651bc6375072145387817824315b998dd5",
        ),
        ("linux", "aarch64") => (
            "node-bindings-linux-arm64",
            "linux-arm64",
            "de39d46838a5d41ac5ffabc067055a227275c6805a5861c1e0f0e2527cc958a0\
             a8f1af132f1f63eff80fc8f97f5064417edad822e4e28516527c5e2658c82d58",
        ),
        ("macos", "aarch64") => (
            "node-bindings-darwin-arm64",
            "osx-universal",
            "2854ff27fa72a2eb800f58dfb4021f716551768ae0f9cff2551fc124bf0b24aa\
             d24fe9980b877b412b90fa25d261b1691c435401e6546a05eb30fb594fc5f3b2",
        ),
        ("macos", "x86_64") => (
            "node-bindings-darwin-x64",
            "osx-universal",
            "b55c1464dbdd42868f261ae1dead9eea3c66d4c85a84d1c940afe9bc2c9ca38e\
             8d5f4984b86ce5c3d8b49f6300ae0b32cdc71d0b049c38af5cb5bcabfb7a0c6d",
        ),
        _ => bail!(
            "there is no prebuilt libduckdb for {system}/{machine}: build it, then set DUCKDB_LIB_DIR to its folder"
        ),
    };
    Ok(Platform { npm, archive, sha512 })
}

/// A folder of this process beside the library's place, so that the rename stays on one file system and two
/// setups at once do not meet.
fn scratch_folder(directory: &Path) -> Result<PathBuf> {
    let work = directory.join(format!(".setup-{}", std::process::id()));
    fs::create_dir_all(&work).with_context(|| format!("could not make {}", work.display()))?;
    Ok(work)
}

/// Tries each origin in turn; the library, unpacked in `work`.
fn fetch(platform: &Platform, work: &Path) -> Result<PathBuf> {
    let mut failures = Vec::new();
    for origin in [from_npm, from_registry, from_release] {
        match origin(platform, work) {
            Ok(library) => return Ok(library),
            Err(error) => failures.push(format!("{error:#}")),
        }
    }
    bail!(
        "could not fetch libduckdb {DUCKDB_VERSION} ({}): install npm or curl, or set DUCKDB_LIB_DIR to a folder with {LIBDUCKDB}",
        failures.join("; ")
    )
}

/// `npm pack`, which knows the user's registry and proxy.
fn from_npm(platform: &Platform, work: &Path) -> Result<PathBuf> {
    ensure!(find("npm").is_some(), "npm is not installed");
    let package = format!("@duckdb/{}@{NPM_VERSION}", platform.npm);
    let printed = output(program("npm", &["pack", "--silent", &package]).current_dir(work))?;
    let name = printed.lines().last().context("npm pack named no file")?.trim().to_owned();
    unpack_package(&work.join(name), platform, work)
}

/// The same archive without npm.
fn from_registry(platform: &Platform, work: &Path) -> Result<PathBuf> {
    let name = platform.npm;
    let archive = work.join("package.tgz");
    let url = format!("https://registry.npmjs.org/@duckdb/{name}/-/{name}-{NPM_VERSION}.tgz");
    run(program("curl", &["-fsSL", "--retry", "2", "-o"]).arg(&archive).arg(url))?;
    unpack_package(&archive, platform, work)
}

fn unpack_package(archive: &Path, platform: &Platform, work: &Path) -> Result<PathBuf> {
    verify(archive, platform.sha512)?;
    let member = format!("package/{LIBDUCKDB}");
    run(program("tar", &["-xzf"]).arg(archive).arg("-C").arg(work).arg(&member))?;
    Ok(work.join(member))
}

/// DuckDB's own archive. Its digest is not known here: TLS to its release page is what vouches for it.
fn from_release(platform: &Platform, work: &Path) -> Result<PathBuf> {
    let archive = work.join("libduckdb.zip");
    let url = format!(
        "https://github.com/duckdb/duckdb/releases/download/v{DUCKDB_VERSION}/libduckdb-{}.zip",
        platform.archive
    );
    run(program("curl", &["-fsSL", "--retry", "2", "-o"]).arg(&archive).arg(url))?;
    match find("unzip") {
        Some(unzip) => run(program(unzip, &["-q"]).arg(&archive).arg(LIBDUCKDB).arg("-d").arg(work))?,
        None => run(program("python3", &["-m", "zipfile", "-e"]).arg(&archive).arg(work))?,
    }
    Ok(work.join(LIBDUCKDB))
}

fn verify(archive: &Path, sha512: &str) -> Result<()> {
    let bytes = fs::read(archive).with_context(|| format!("could not read {}", archive.display()))?;
    let digits: Vec<String> = Sha512::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let found = digits.concat();
    ensure!(found == sha512, "the archive's sha512 is {found}, not {sha512}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_that_differs_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("package.tgz");
        fs::write(&archive, "abc").unwrap();
        let abc = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                   2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
        verify(&archive, abc).unwrap();
        fs::write(&archive, "abd").unwrap();
        assert!(verify(&archive, abc).unwrap_err().to_string().contains("sha512"));
    }

    #[test]
    fn every_platform_has_a_whole_digest_and_others_are_refused_with_a_way_out() {
        for (system, machine) in
            [("linux", "x86_64"), ("linux", "aarch64"), ("macos", "aarch64"), ("macos", "x86_64")]
        {
            assert_eq!(platform(system, machine).unwrap().sha512.len(), 128);
        }
        let error = platform("plan9", "mips").err().unwrap().to_string();
        assert!(error.contains("DUCKDB_LIB_DIR"), "{error}");
    }
}
