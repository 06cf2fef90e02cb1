//! The files that an entry means, and how they are opened.

use std::fs::{File, Metadata};
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use flate2::read::MultiGzDecoder;

use crate::error::{FileError, Problem};

/// A file written less than this before it is read may be written again without a new time.
const CLOCK_OF_FILES: Duration = Duration::from_secs(2);
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The paths of a file or of a pattern, in alphabetic order.
pub(crate) fn find(path: &str) -> Result<Vec<String>, FileError> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => return Err(FileError::new(path, Problem::Folder)),
        // Also a file whose name holds the signs of a pattern.
        Ok(_) => return Ok(vec![path.to_owned()]),
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(FileError::new(path, Problem::Read(error)));
        }
        Err(_) if !path.contains(['*', '?', '[']) => return Err(FileError::new(path, Problem::Missing)),
        Err(_) => {}
    }
    let entries =
        glob::glob(path).map_err(|error| FileError::new(path, Problem::Pattern(error.to_string())))?;
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| {
            let place = error.path().display().to_string();
            FileError::new(&place, Problem::Read(error.into()))
        })?;
        if !entry.is_dir() {
            found.push(text_of(&entry)?);
        }
    }
    if found.is_empty() { Err(FileError::new(path, Problem::NoMatch)) } else { Ok(found) }
}

/// The path as text: it is a key in the bookmark.
fn text_of(path: &Path) -> Result<String, FileError> {
    path.to_str().map(str::to_owned).ok_or_else(|| {
        let error = io::Error::new(io::ErrorKind::InvalidInput, "its name is not UTF-8");
        FileError::new(&path.display().to_string(), Problem::Read(error))
    })
}

/// Size and time of a file as they are before it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) size: u64,
    /// Nanoseconds since 1970; `None` when the file was written just now.
    pub(crate) modified: Option<u64>,
}

impl Stamp {
    pub(crate) fn of(path: &str) -> Result<Self, FileError> {
        let metadata = std::fs::metadata(path).map_err(|error| FileError::new(path, Problem::Read(error)))?;
        Ok(Self { size: metadata.len(), modified: modified(&metadata, SystemTime::now()) })
    }
}

fn modified(metadata: &Metadata, now: SystemTime) -> Option<u64> {
    let time = metadata.modified().ok()?;
    if time + CLOCK_OF_FILES > now {
        return None;
    }
    u64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_nanos()).ok()
}

/// The uncompressed bytes. What is gzip says so in its first bytes.
pub(crate) fn open(path: &str) -> Result<Box<dyn Read>, FileError> {
    let refuse = |error| FileError::new(path, Problem::Read(error));
    let mut file = File::open(path).map_err(refuse)?;
    let mut start = [0; 2];
    let filled = read_start(&mut file, &mut start).map_err(refuse)?;
    let whole = io::Cursor::new(start).take(filled as u64).chain(file);
    if filled == start.len() && start == GZIP_MAGIC {
        return Ok(Box::new(MultiGzDecoder::new(BufReader::with_capacity(128 * 1024, whole))));
    }
    Ok(Box::new(whole))
}

fn read_start(file: &mut File, start: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(room) = start.get_mut(filled..).filter(|room| !room.is_empty()) {
        match file.read(room) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
