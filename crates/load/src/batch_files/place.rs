//! Where files of BATCH messages may lie. A tap names any path it likes: what is opened lies, once all links are
//! followed, in the run's folder or in a folder that the pipeline names.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::FileError;

/// The folders.
#[derive(Debug, Clone, Default)]
pub struct FilePlaces {
    /// The run's own: files in it are deleted once they are loaded.
    pub run_folder: Option<PathBuf>,
    /// Names of the files in it that are not the tap's.
    pub reserved: Vec<&'static str>,
    /// Those that the pipeline names. Nothing is deleted there.
    pub roots: Vec<PathBuf>,
}

/// A file that may be loaded.
pub(crate) struct PlacedFile {
    pub(crate) file: File,
    /// Its path, where it is to go once it is loaded.
    pub(crate) delete: Option<PathBuf>,
}

impl FilePlaces {
    /// Opens the file at the address that a manifest gives: `file:///…`, as the SDK writes it without percent escapes,
    /// or an absolute path.
    pub(crate) fn open(&self, address: &str) -> Result<PlacedFile, FileError> {
        let written = local_path(address)?;
        let path = real_path(written).map_err(|error| {
            if self.may_lie_at(written) { FileError::Open(error) } else { FileError::Outside }
        })?;
        let delete = match &self.run_folder {
            Some(folder) if is_below(&path, folder) => Some(path.clone()),
            _ if self.roots.iter().any(|root| is_below(&path, root)) => None,
            _ => return Err(FileError::Outside),
        };
        if delete.is_some() && self.is_reserved(&path) {
            return Err(FileError::Reserved);
        }
        Ok(PlacedFile { file: open_regular(&path)?, delete })
    }

    /// Whether a path, as it is written, is in one of the folders.
    fn may_lie_at(&self, path: &str) -> bool {
        self.run_folder.iter().chain(&self.roots).any(|folder| {
            let real = folder.canonicalize();
            Path::new(path).starts_with(folder) || real.is_ok_and(|real| Path::new(path).starts_with(real))
        })
    }

    fn is_reserved(&self, path: &Path) -> bool {
        let folder = self.run_folder.as_ref().and_then(|folder| folder.canonicalize().ok());
        path.parent() == folder.as_deref()
            && path.file_name().is_some_and(|name| self.reserved.iter().any(|reserved| name == *reserved))
    }
}

/// Whether a path without links lies below a folder.
fn is_below(path: &Path, folder: &Path) -> bool {
    folder.canonicalize().is_ok_and(|folder| path.starts_with(&folder) && path != folder)
}

/// The path in an address.
fn local_path(address: &str) -> Result<&str, FileError> {
    let path = match address.strip_prefix("file://") {
        Some(rest) => rest.strip_prefix("localhost").unwrap_or(rest),
        None => address,
    };
    if path.starts_with('/') { Ok(path) } else { Err(FileError::NotLocal) }
}

/// The path with all links followed. The SDK does not escape what it writes, so that a `%` stands for itself where
/// such a file is there.
fn real_path(path: &str) -> io::Result<PathBuf> {
    let missing = match Path::new(path).canonicalize() {
        Ok(path) => return Ok(path),
        Err(error) => error,
    };
    if missing.kind() == io::ErrorKind::NotFound
        && let Some(unescaped) = unescaped(path)
        && let Ok(path) = Path::new(&unescaped).canonicalize()
    {
        return Ok(path);
    }
    Err(missing)
}

/// The path with its `%XX` undone; `None` when it has none.
fn unescaped(path: &str) -> Option<String> {
    let mut parts = path.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    let mut found = false;
    for part in parts {
        if let Some(byte) = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            found = true;
            bytes.push(byte);
            bytes.extend_from_slice(&part.as_bytes()[2..]);
        } else {
            bytes.push(b'%');
            bytes.extend_from_slice(part.as_bytes());
        }
    }
    String::from_utf8(bytes).ok().filter(|_| found)
}

/// Opens a regular file without following a link, and makes sure that it is the one which the path led to: a folder
/// on the way may have become a link since.
fn open_regular(path: &Path) -> Result<File, FileError> {
    // Without waiting: a pipe would hold up the run until somebody writes into it.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let file = File::options().read(true).custom_flags(flags).open(path).map_err(FileError::Open)?;
    let opened = file.metadata().map_err(FileError::Open)?;
    if !opened.is_file() {
        return Err(FileError::NotRegular);
    }
    let now = path.canonicalize().and_then(|now| Ok((fs::metadata(&now)?, now))).map_err(FileError::Open)?;
    if now.1 != path || (now.0.dev(), now.0.ino()) != (opened.dev(), opened.ino()) {
        return Err(FileError::Outside);
    }
    Ok(file)
}

/// An address as an error may show it: an address elsewhere may hold credentials.
pub(crate) fn shown(address: &str) -> String {
    match address.split_once("://") {
        Some(("file", path)) => path.to_owned(),
        Some((scheme, _)) => format!("{scheme}://…"),
        None => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::unix::fs::symlink;

    use super::*;

    /// A run's folder, a root and a folder that is neither, each with a file `a`.
    struct Folders(tempfile::TempDir);

    impl Folders {
        fn new() -> Self {
            let folders = Self(tempfile::tempdir().unwrap());
            for name in ["run", "root", "else"] {
                fs::create_dir(folders.path(name)).unwrap();
                fs::write(folders.path(name).join("a"), name).unwrap();
            }
            folders
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().canonicalize().unwrap().join(name)
        }

        fn open(&self, address: &str) -> Result<(String, bool), FileError> {
            let places = FilePlaces {
                run_folder: Some(self.path("run")),
                reserved: vec!["config.json"],
                roots: vec![self.path("missing"), self.path("root")],
            };
            let mut opened = places.open(&address.replace("DIR", &self.path("").display().to_string()))?;
            let mut text = String::new();
            opened.file.read_to_string(&mut text).unwrap();
            Ok((text, opened.delete.is_some()))
        }
    }

    #[test]
    fn only_what_lies_in_the_runs_folder_is_to_be_deleted() {
        let folders = Folders::new();
        for (address, expected) in [
            ("file://DIR/run/a", ("run", true)),
            ("DIR/root/a", ("root", false)),
            ("file://localhostDIR/root/../root/./a", ("root", false)),
        ] {
            let (text, delete) = folders.open(address).unwrap();
            assert_eq!((text.as_str(), delete), expected, "{address}");
        }
    }

    #[test]
    fn no_link_and_no_dots_lead_out() {
        let folders = Folders::new();
        symlink(folders.path("else"), folders.path("root/link")).unwrap();
        symlink(folders.path("else/a"), folders.path("run/b")).unwrap();
        symlink("/etc", folders.path("run/etc")).unwrap();
        for address in [
            "DIR/else/a",
            "DIR/root/../else/a",
            "DIR/root/link/a",
            "DIR/run/b",
            "file://DIR/run/etc/passwd",
            "DIR/else/missing",
            "/etc/passwd",
            "DIR/run/../else/a",
        ] {
            assert!(matches!(folders.open(address), Err(FileError::Outside)), "{address}");
        }
        // A link that stays inside is as good as the file.
        symlink(folders.path("root/a"), folders.path("root/c")).unwrap();
        assert_eq!(folders.open("DIR/root/c").unwrap(), ("root".to_owned(), false));
    }

    #[test]
    fn what_is_no_file_of_the_taps_is_refused() {
        let folders = Folders::new();
        fs::write(folders.path("run/config.json"), "{}").unwrap();
        assert!(matches!(folders.open("DIR/run/config.json"), Err(FileError::Reserved)));
        rustix::fs::mknodat(
            rustix::fs::CWD,
            folders.path("run/pipe"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
        assert!(matches!(folders.open("DIR/run/pipe"), Err(FileError::NotRegular)));
        assert!(matches!(folders.open("DIR/run/none"), Err(FileError::Open(_))));
        for elsewhere in
            ["s3://user:secret@bucket/a", "http://169.254.169.254/latest", "a.jsonl", "file://a.jsonl", ""]
        {
            assert!(matches!(folders.open(elsewhere), Err(FileError::NotLocal)), "{elsewhere}");
        }
        assert_eq!(shown("s3://user:secret@bucket/a"), "s3://…");
    }

    #[test]
    fn a_percent_stands_for_itself_where_there_is_such_a_file() {
        let folders = Folders::new();
        fs::write(folders.path("root/a b%20c"), "as it stands").unwrap();
        assert_eq!(folders.open("file://DIR/root/a b%20c").unwrap().0, "as it stands");
        fs::write(folders.path("root/é 100%"), "escaped").unwrap();
        assert_eq!(folders.open("file://DIR/root/%C3%a9%20100%").unwrap().0, "escaped");
        assert!(matches!(folders.open("DIR/root/..%2Felse%2Fa"), Err(FileError::Outside)));
    }
}
