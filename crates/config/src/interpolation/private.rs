//! Who else on this machine may read or write a file with secrets.

use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::InterpolationFault;

/// Reads a file that should be its owner's alone. The rights are those of the file that is read, not of another that
/// took its place. A `Fault` is told instead when others have rights on it; pipes and devices are not asked.
pub(super) fn read(path: &Path, name: &str) -> std::io::Result<Result<String, InterpolationFault>> {
    let file = File::open(path)?;
    if let Some(mode) = shared_mode(&file.metadata()?) {
        return Ok(Err(InterpolationFault::SharedFile {
            name: name.to_owned(),
            path: path.to_owned(),
            mode,
        }));
    }
    text(file).map(Ok)
}

/// Reads a file, whoever may read it.
pub(super) fn read_anyway(path: &Path) -> std::io::Result<String> {
    text(File::open(path)?)
}

fn text(mut file: File) -> std::io::Result<String> {
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(text)
}

/// The mode of a regular file on which the group or everybody has a right.
fn shared_mode(metadata: &Metadata) -> Option<u32> {
    let mode = metadata.permissions().mode() & 0o7777;
    (metadata.is_file() && mode & 0o077 != 0).then_some(mode)
}
