//! Opening a stream's file: whose it is, where it is, whether it is as it was left. Changes nothing: the file is made
//! with the commit.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use columns::StreamName;
use target_api::refusal::{own_stream, owner, taken, vanished};
use target_api::{Result, RunIdentity, Table, TableChange};

use crate::error::{file, unended};
use crate::memory::Memory;
use crate::state::StateFile;
use crate::tables::file_name;

/// A stream's open table.
#[derive(Debug, Clone)]
pub(crate) struct OpenTable {
    pub(crate) table: Table,
    /// Name of its file.
    pub(crate) file: String,
    /// Records written so far.
    pub(crate) written: u64,
}

/// What there is to know before a table is opened.
pub(crate) struct Opening<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) run: &'a RunIdentity,
    pub(crate) state: &'a StateFile,
    /// Whether the file must be the one that the STATE speaks of, as it was left.
    pub(crate) must_agree: bool,
}

impl Opening<'_> {
    /// What opening takes.
    pub(crate) fn plan(&self, table: &Table) -> Result<TableChange> {
        let stream = &table.schema.stream;
        let name = file_name(&table.name);
        let path = self.folder.join(&name);
        refuse_taken(self.folder, self.state, self.run, (stream, &name))?;
        let found = length(&path)?;
        let registered =
            self.state.tables.iter().find(|row| row.is_of(self.run) && row.stream == stream.as_str());
        match registered {
            Some(row) if self.must_agree && row.file != name => {
                let (old, new) = (self.folder.join(&row.file), path.display());
                return Err(vanished(stream, format!("was {} and shall now be {new}", old.display())));
            }
            Some(row) if self.must_agree => agree(stream, &path, (row.length, found))?,
            Some(row) if row.file == name => {}
            _ => refuse_unended(&path)?,
        }
        let created = found.is_none();
        let statements = if created { vec![format!("create {}", path.display())] } else { Vec::new() };
        Ok(TableChange { place: path.display().to_string(), created, statements, ..TableChange::default() })
    }
}

/// Refuses a file that has less than was committed.
pub(crate) fn agree(stream: &StreamName, path: &Path, lengths: (u64, Option<u64>)) -> Result<()> {
    let path = path.display();
    match lengths {
        (0, None) => Ok(()),
        (_, None) => Err(vanished(stream, format!("was {path}, and there is no such file any more"))),
        (committed, Some(found)) if found < committed => {
            Err(vanished(stream, format!("{path} has {found} bytes, and had {committed} at the last commit")))
        }
        _ => Ok(()),
    }
}

/// Refuses a file of another pipeline or stream.
pub(crate) fn refuse_taken(
    folder: &Path,
    state: &StateFile,
    run: &RunIdentity,
    wanted: (&StreamName, &str),
) -> Result<()> {
    let (stream, name) = wanted;
    let others = StateFile::read(folder, Memory::of(run).other())?;
    let (mut owners, mut others) = (state.tables.iter(), others.tables.iter());
    let Some(row) = owners.find(|row| row.file == name).or_else(|| others.find(|row| row.file == name))
    else {
        return Ok(());
    };
    let path = folder.join(name);
    if !row.is_of(run) {
        return Err(taken(path.display(), &owner(&row.environment, &row.pipeline, &row.stream)));
    }
    if row.stream != stream.as_str() {
        return Err(taken(path.display(), &own_stream(run, &row.stream)));
    }
    Ok(())
}

/// Bytes of a file, `None` where there is none.
pub(crate) fn length(path: &Path) -> Result<Option<u64>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata.len())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(file("looking at", path, error)),
    }
}

/// A file of somebody else's lines is appended to, if its last one has ended.
pub(crate) fn refuse_unended(path: &Path) -> Result<()> {
    let last = |mut data: File| {
        if data.seek(SeekFrom::End(0))? == 0 {
            return Ok(b'\n');
        }
        data.seek(SeekFrom::End(-1))?;
        let mut byte = [0];
        data.read_exact(&mut byte)?;
        let [byte] = byte;
        Ok(byte)
    };
    match File::open(path).and_then(last) {
        Ok(b'\n') => Ok(()),
        Ok(_) => Err(unended(path)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(file("reading", path, error)),
    }
}
