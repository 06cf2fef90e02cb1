//! Opening the file: whose turn it is, whether it is sound, and with how much memory.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use duckdb::{AccessMode, Connection};
use target_api::{Status, TargetError};

use crate::config::Config;
use crate::lock::{FileLock, Patience};
use crate::{error, probe};

/// DuckDB's magic bytes stand behind a checksum of eight bytes.
const MAGIC: (usize, &[u8]) = (8, b"DUCK");

/// How to open the file.
#[derive(Debug, Clone)]
pub(crate) struct Opening {
    pub config: Config,
    /// The program that looks at a left-over log first.
    pub prober: Option<PathBuf>,
    /// Whether nobody waits for the file any more.
    pub closing: Arc<AtomicBool>,
}

impl Opening {
    fn patience(&self) -> Patience {
        Patience::new(self.config.lock_timeout, &self.closing)
    }
}

/// An open file. Fields are dropped in their order: DuckDB lets go before the lock does.
pub(crate) struct Database {
    pub connection: Connection,
    memory_limit: u64,
    _scratch: Scratch,
    _lock: FileLock,
}

impl Database {
    /// Opens the file for writing, and makes it when it is not there. Waits for whoever holds it.
    pub(crate) fn open(opening: &Opening) -> Result<Self, TargetError> {
        let (config, mut patience) = (&opening.config, opening.patience());
        let path = canonical_path(&config.path)?;
        let lock = FileLock::take(&path, &mut patience)?;
        look_at(&path)?;
        let scratch = Scratch::clean(&path);
        if !path.exists() {
            create(&path, &scratch)?;
        }
        probe::sound_log(&path, opening.prober.as_deref(), config, &mut patience)?;
        let flags = || {
            settings(config, AccessMode::ReadWrite)?.with("temp_directory", scratch.path.to_string_lossy())
        };
        let connection = open_when_free(&path, &mut patience, flags)?;
        connection
            .execute_batch("SET TimeZone = 'UTC'")
            .map_err(|e| error::failed("set its time zone", &e))?;
        Ok(Self { connection, memory_limit: config.memory_limit, _scratch: scratch, _lock: lock })
    }

    /// Lets DuckDB hold a batch of this many bytes several times over: as it comes, staged, merged and logged.
    pub(crate) fn make_room(&mut self, batch_bytes: usize) -> Result<(), TargetError> {
        let wanted = u64::try_from(batch_bytes).unwrap_or(u64::MAX).saturating_mul(4);
        if wanted > self.memory_limit {
            let sql = format!("SET memory_limit = '{}KiB'", wanted.div_ceil(1024));
            self.connection.execute_batch(&sql).map_err(|e| error::failed("raise its memory limit", &e))?;
            self.memory_limit = wanted;
        }
        Ok(())
    }
}

/// Opens the file to look at it, without making or changing anything; `None` when it is not there.
pub(crate) fn open_to_read(opening: &Opening) -> Result<Option<Connection>, TargetError> {
    let (config, mut patience) = (&opening.config, opening.patience());
    let path = canonical_path(&config.path)?;
    look_at(&path)?;
    if !path.exists() {
        return Ok(None);
    }
    FileLock::wait_until_free(&path, &mut patience)?;
    probe::sound_log(&path, opening.prober.as_deref(), config, &mut patience)?;
    let connection = open_when_free(&path, &mut patience, || settings(config, AccessMode::ReadOnly))?;
    Ok(Some(connection))
}

/// What DuckDB calls a file that is not there yet: its name up to the first point, and never like one of its own.
pub(crate) fn future_catalog(opening: &Opening) -> Result<String, TargetError> {
    let path = canonical_path(&opening.config.path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(match name.split('.').next().unwrap_or_default() {
        own @ ("main" | "temp" | "system") => format!("{own}_db"),
        name => name.to_owned(),
    })
}

/// Whether the place is fit to write to: the folder, and the file where there is one. Changes nothing.
pub(crate) fn check(opening: &Opening) -> Result<(), TargetError> {
    let path = canonical_path(&opening.config.path)?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let place = if path.exists() { &path } else { folder };
    for place in [folder, place] {
        if let Err(cause) = rustix::fs::access(place, rustix::fs::Access::WRITE_OK) {
            return Err(misplaced(format!("{} cannot be written to: {cause}", place.display())));
        }
    }
    open_to_read(opening).map(drop)
}

/// Settings of every connection. No extension is ever fetched.
pub(crate) fn settings(config: &Config, mode: AccessMode) -> duckdb::Result<duckdb::Config> {
    duckdb::Config::default()
        .access_mode(mode)?
        .enable_autoload_extension(false)?
        .max_memory(&format!("{}KiB", config.memory_limit.div_ceil(1024)))?
        .threads(config.threads.into())
}

/// Opens with retries while another process holds DuckDB's own lock.
fn open_when_free(
    path: &Path,
    patience: &mut Patience,
    settings: impl Fn() -> duckdb::Result<duckdb::Config>,
) -> Result<Connection, TargetError> {
    loop {
        let opened = settings().and_then(|settings| Connection::open_with_flags(path, settings));
        let cause = match opened {
            Ok(connection) => return Ok(connection),
            Err(cause) => cause,
        };
        let said = error::said(&cause);
        let Some(holder) = other_holder(&said) else { return Err(unopened(path, &said)) };
        patience.wait(path, &holder)?;
    }
}

/// Who holds DuckDB's own lock, by its message; `None` when that is not what it says.
pub(crate) fn other_holder(said: &str) -> Option<String> {
    if !said.contains("Could not set lock on file") {
        return None;
    }
    let held = said.split_once("lock is held in ").map(|(_, holder)| holder);
    let holder = held.and_then(|held| held.split_once(')')).map(|(holder, _)| format!("{holder})"));
    Some(holder.unwrap_or_else(|| "another process".to_owned()))
}

fn unopened(path: &Path, said: &str) -> TargetError {
    if !log_paths(path).is_empty() && (said.contains("WAL") || said.contains("replay")) {
        return probe::broken(path, said);
    }
    TargetError::permanent(error::OPEN, format!("DuckDB could not open {}: {said}", path.display()))
        .with_hint("the file must be one that DuckDB 1.5 can read")
}

/// The one path of the file, links followed, whether it exists or not.
fn canonical_path(path: &Path) -> Result<PathBuf, TargetError> {
    if let Ok(path) = path.canonicalize() {
        return Ok(path);
    }
    let name = path.file_name().ok_or_else(|| misplaced(format!("{} names no file", path.display())))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = folder
        .canonicalize()
        .map_err(|cause| misplaced(format!("the folder {} cannot be used: {cause}", folder.display())))?;
    Ok(folder.join(name))
}

/// Refuses what is there and is no DuckDB file, before DuckDB sees it.
fn look_at(path: &Path) -> Result<(), TargetError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(cause) => return Err(misplaced(format!("{} cannot be read: {cause}", path.display()))),
    };
    let mut start = [0; 12];
    let (at, magic) = MAGIC;
    if file.read_exact(&mut start).is_ok() && start.get(at..) == Some(magic) {
        return Ok(());
    }
    let message = format!("{} exists, but it is not a DuckDB file", path.display());
    Err(misplaced(message).with_hint("name another `path`, or move that file away"))
}

fn misplaced(message: String) -> TargetError {
    TargetError::new(error::PLACE, Status::Config, message)
        .with_hint("`path` in the target's config names the file; its folder must exist and be writable")
}

/// Makes the file whole or not at all: DuckDB writes a new one in three steps, and cannot open two thirds of one.
fn create(path: &Path, scratch: &Scratch) -> Result<(), TargetError> {
    let fails = |cause: std::io::Error| misplaced(format!("{} cannot be made: {cause}", path.display()));
    std::fs::create_dir_all(&scratch.path).map_err(fails)?;
    let fresh = scratch.path.join("new.duckdb");
    Connection::open(&fresh).map(drop).map_err(|e| unopened(path, &error::said(&e)))?;
    File::open(&fresh).and_then(|file| file.sync_all()).map_err(fails)?;
    std::fs::rename(&fresh, path).map_err(fails)?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(fails)
}

/// The folder beside the file for what does not fit into memory. Goes away when the file is closed; what a killed
/// run left is removed by the next.
struct Scratch {
    path: PathBuf,
}

impl Scratch {
    fn clean(database: &Path) -> Self {
        let path = beside(database, ".tapster-tmp");
        let _ = std::fs::remove_dir_all(&path);
        Self { path }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// What is there of DuckDB's write-ahead log: while a checkpoint runs it has several parts.
pub(crate) fn log_paths(database: &Path) -> Vec<PathBuf> {
    let parts = [".wal", ".wal.checkpoint", ".wal.recovery"];
    parts.iter().map(|part| beside(database, part)).filter(|path| path.exists()).collect()
}

fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut path: OsString = database.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

#[cfg(test)]
mod tests {
    use super::{Database, Opening, check, open_to_read, other_holder};
    use crate::config::Config;
    use target_api::Status;

    fn opening(path: &std::path::Path) -> Opening {
        let json = serde_json::json!({"path": path, "lock_timeout": "0s"});
        let config = Config::parse(&json.to_string()).unwrap();
        Opening { config, prober: None, closing: std::sync::Arc::default() }
    }

    fn names(folder: &std::path::Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn looking_makes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let opening = opening(&folder.path().join("a.duckdb"));
        check(&opening).unwrap();
        assert!(open_to_read(&opening).unwrap().is_none());
        assert_eq!(names(folder.path()), Vec::<String>::new());
        drop(Database::open(&opening).unwrap());
        assert_eq!(names(folder.path()), ["a.duckdb"], "nothing else is left");
        check(&opening).unwrap();
        assert_eq!(names(folder.path()), ["a.duckdb"]);
    }

    #[test]
    fn one_writer_at_a_time_even_in_one_process() {
        let folder = tempfile::tempdir().unwrap();
        let opening = opening(&folder.path().join("a.duckdb"));
        let open = Database::open(&opening).unwrap();
        assert_eq!(Database::open(&opening).err().unwrap().status, Status::Busy);
        assert_eq!(check(&opening).unwrap_err().status, Status::Busy);
        // The same file by another name.
        std::os::unix::fs::symlink(folder.path().join("a.duckdb"), folder.path().join("b.duckdb")).unwrap();
        let other = super::tests::opening(&folder.path().join("b.duckdb"));
        assert_eq!(Database::open(&other).err().unwrap().status, Status::Busy);
        drop(open);
        Database::open(&other).unwrap();
    }

    #[test]
    fn what_is_no_database_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        for content in ["", "hello", "a text that is longer than the header of a file"] {
            std::fs::write(&path, content).unwrap();
            let error = Database::open(&opening(&path)).err().unwrap();
            assert_eq!((error.code, error.status), ("E0351", Status::Config));
            assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
        }
        let error = check(&opening(&folder.path().join("no/such/a.duckdb"))).unwrap_err();
        assert_eq!((error.code, error.status), ("E0351", Status::Config));
    }

    #[test]
    fn duckdbs_own_lock_names_its_holder() {
        let said = r#"IO Error: Could not set lock on file "/a": Conflicting lock is held in /usr/bin/duckdb (PID 42) by user root. See also …"#;
        assert_eq!(other_holder(said).as_deref(), Some("/usr/bin/duckdb (PID 42)"));
        assert_eq!(other_holder("IO Error: Permission denied"), None);
    }
}
