use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::folder::{file_error, make_private_folder, write_gitignore};
use crate::{Result, StoreError, migrations};

/// How long a call waits for another process's write to the ledger. Writes last milliseconds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// The store of one project folder. Several may be open on one folder, in one process or in many.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    ledger: PathBuf,
    connection: Mutex<Connection>,
}

impl Store {
    /// Opens the store of a project folder, and makes `.tapster/` (0700) with an empty ledger when there
    /// is none. An older ledger is brought forward.
    ///
    /// # Errors
    /// `Newer`, `Damaged`: the file is refused and left as it is. A ledger that exists and is empty is
    /// damaged, not new: nothing here ever starts over in silence.
    pub fn open(project: &Path) -> Result<Self> {
        let folder = project.join(".tapster");
        make_private_folder(&folder)?;
        // Relative paths in the ledger and in messages would mean another file from another folder.
        let folder = folder.canonicalize().map_err(file_error("open", &folder))?;
        write_gitignore(&folder)?;
        let ledger = folder.join("ledger.sqlite");
        if !exists(&ledger)? {
            create(&folder, &ledger)?;
        }
        let connection = open_existing(&folder, &ledger)?;
        Ok(Self { folder, ledger, connection: Mutex::new(connection) })
    }

    /// The folder `.tapster`, absolute.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Reads with the ledger's connection.
    pub(crate) fn read<T>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        query(&connection).map_err(|error| self.sqlite_error(error))
    }

    /// Runs `change` in one write transaction: no other process writes the ledger meanwhile.
    /// An error rolls it back.
    pub(crate) fn write<T>(&self, change: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| self.sqlite_error(error))?;
        let value = change(&transaction)?;
        transaction.commit().map_err(|error| self.sqlite_error(error))?;
        Ok(value)
    }

    /// Names the ledger in an error of SQLite.
    pub(crate) fn sqlite_error(&self, error: rusqlite::Error) -> StoreError {
        StoreError::from_sqlite(&self.ledger, error)
    }

    /// Says that a value in the ledger is not what was written.
    pub(crate) fn damaged(&self, reason: String) -> StoreError {
        StoreError::Damaged { file: self.ledger.clone(), reason }
    }
}

fn exists(path: &Path) -> Result<bool> {
    path.try_exists().map_err(file_error("read", path))
}

/// Makes the ledger under another name and renames it when it is whole, so that a file of that name is
/// never half made.
fn create(folder: &Path, ledger: &Path) -> Result<()> {
    let _only_one = lock_opening(folder)?;
    if exists(ledger)? {
        return Ok(());
    }
    let unfinished = folder.join("ledger.sqlite.new");
    for left_over in [unfinished.clone(), folder.join("ledger.sqlite.new-journal")] {
        if exists(&left_over)? {
            std::fs::remove_file(&left_over).map_err(file_error("remove", &left_over))?;
        }
    }
    let fill = || -> rusqlite::Result<()> {
        let mut connection = Connection::open(&unfinished)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        migrations::migrate(&mut connection)?;
        // The mode is kept in the file. Closing the only connection folds the log back in.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.close().map_err(|(_, error)| error)
    };
    fill().map_err(|error| StoreError::from_sqlite(&unfinished, error))?;
    File::open(&unfinished).and_then(|file| file.sync_all()).map_err(file_error("sync", &unfinished))?;
    std::fs::rename(&unfinished, ledger).map_err(file_error("create", ledger))?;
    File::open(folder).and_then(|file| file.sync_all()).map_err(file_error("sync", folder))
}

fn open_existing(folder: &Path, ledger: &Path) -> Result<Connection> {
    let sqlite_error = |error| StoreError::from_sqlite(ledger, error);
    let length = std::fs::metadata(ledger).map_err(file_error("read", ledger))?.len();
    if length == 0 {
        return Err(StoreError::Damaged { file: ledger.to_owned(), reason: "the file is empty".to_owned() });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(ledger, flags).map_err(sqlite_error)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(sqlite_error)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(sqlite_error)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(sqlite_error)?;
    let format = check_format(&connection, ledger)?;
    if format < migrations::newest() {
        let _only_one = lock_opening(folder)?;
        migrations::migrate(&mut connection).map_err(sqlite_error)?;
    }
    Ok(connection)
}

/// Refuses another program's file and a newer tapster's; returns the format.
fn check_format(connection: &Connection, ledger: &Path) -> Result<i64> {
    let sqlite_error = |error| StoreError::from_sqlite(ledger, error);
    let application: i64 =
        connection.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(sqlite_error)?;
    let found = migrations::format_of(connection).map_err(sqlite_error)?;
    let known = migrations::newest();
    if application != migrations::APPLICATION_ID || found < 1 {
        let reason = "it is an SQLite file, but not a ledger of tapster".to_owned();
        return Err(StoreError::Damaged { file: ledger.to_owned(), reason });
    }
    if found > known {
        return Err(StoreError::Newer { file: ledger.to_owned(), found, known });
    }
    Ok(found)
}

/// One process at a time creates or migrates; SQLite answers "busy" at once to some of these steps.
fn lock_opening(folder: &Path) -> Result<File> {
    let path = folder.join("opening.lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(file_error("create", &path))?;
    file.lock().map_err(file_error("lock", &path))?;
    Ok(file)
}

#[cfg(test)]
mod tests;
