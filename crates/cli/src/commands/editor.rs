//! `.tapster/schemas/`: what the first line of a new file names, so that editors know every key.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use super::project::file_error;
use crate::error::CliError;

/// Writes the schemas of this version, unless they are there.
pub(super) fn write_schemas(root: &Path) -> Result<(), CliError> {
    let folder = root.join(".tapster/schemas");
    let files = [("pipeline.json", config::schema::pipeline()), ("project.json", config::schema::project())];
    for (name, text) in files {
        let path = folder.join(name);
        if fs::read_to_string(&path).is_ok_and(|there| there == text) {
            continue;
        }
        write(&folder, name, &text).map_err(|source| file_error("write", &path, source))?;
    }
    Ok(())
}

/// Whole or not at all: an editor may read it meanwhile, and several runs may write it.
fn write(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    // The store keeps private things beside them, and takes the folder as it finds it.
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let file = tempfile::NamedTempFile::new_in(folder)?;
    fs::write(file.path(), text)?;
    file.persist(folder.join(name))?;
    Ok(())
}
