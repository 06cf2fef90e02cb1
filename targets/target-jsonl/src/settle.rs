//! Making the files what the state file says they are, after a commit or a crash in one. Doing it twice changes
//! nothing. The lock must be held.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::path::Path;

use target_api::{Result, RunIdentity};
use tracing::warn;

use crate::error::file;
use crate::state::{REPLACEMENT, RegisteredTable, StateFile, sync_folder};

/// Puts replacements in their place and cuts off what was not committed, for the files of this run's pipeline. Gives
/// whether a replacement was pending: then what is in `state` is no longer what the state file says.
pub(crate) fn settle(folder: &Path, state: &mut StateFile, run: &RunIdentity) -> Result<bool> {
    let mut replaced = false;
    let mut renamed = false;
    for table in state.tables.iter_mut().filter(|table| table.is_of(run)) {
        replaced |= table.replaced_by.is_some();
        renamed |= replace(folder, table)?;
        cut(folder, table)?;
    }
    if renamed {
        sync_folder(folder).map_err(|error| file("making durable", folder, error))?;
    }
    Ok(replaced)
}

/// A replacement that is no longer there was put in its place already.
fn replace(folder: &Path, table: &mut RegisteredTable) -> Result<bool> {
    let Some(new) = table.replaced_by.take() else { return Ok(false) };
    let new = folder.join(new);
    match fs::rename(&new, folder.join(&table.file)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(file("putting in its place", &new, error)),
    }
}

fn cut(folder: &Path, table: &RegisteredTable) -> Result<()> {
    let path = folder.join(&table.file);
    let failed = |error| file("cutting", &path, error);
    let found = match fs::metadata(&path) {
        Ok(metadata) => metadata.len(),
        // Whether it may be missing is for `open` to say.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    if found <= table.length {
        return Ok(());
    }
    if table.length > 0 {
        let bytes = found - table.length;
        warn!(file = %path.display(), bytes, "removing what came after the last commit");
    }
    let data = OpenOptions::new().write(true).open(&path).map_err(failed)?;
    data.set_len(table.length).and_then(|()| data.sync_all()).map_err(failed)
}

/// Removes replacements that a crash left before they were committed.
pub(crate) fn sweep(folder: &Path, state: &StateFile) -> Result<()> {
    let failed = |error| file("looking through", folder, error);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let pending = state.tables.iter().any(|table| table.replaced_by.as_ref() == Some(&name));
        if name.ends_with(REPLACEMENT) && !pending {
            fs::remove_file(entry.path()).map_err(|error| file("removing", &entry.path(), error))?;
        }
    }
    Ok(())
}
