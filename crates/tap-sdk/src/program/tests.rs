use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use serde::Deserialize;
use singer::{Catalog, CatalogStream, Envelope, Json};

use super::run;
use crate::arguments::{Arguments, Format};
use crate::{About, SyncRequest, Tap, TapError, Understood};

/// Counts up to `last`, from where its bookmark says.
struct Numbers;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    last: u64,
}

impl Tap for Numbers {
    type Config = Config;

    fn about(&self) -> About {
        let settings = r#"{"type":"object","required":["last"],"properties":{"last":{"type":"integer","description":"Where to end"}}}"#;
        About {
            name: "tap-numbers",
            version: "1.2.3",
            description: "Counts.",
            settings: Json::parse(settings).unwrap(),
            catalog: Understood { replication_methods: &["INCREMENTAL"], ..Understood::default() },
        }
    }

    fn discover(&self, _: &Config) -> Result<Catalog, TapError> {
        let schema = Json::parse(r#"{"properties":{"n":{"type":"integer"}}}"#).unwrap();
        Ok(Catalog { streams: vec![CatalogStream::new("numbers", schema)], ..Catalog::default() })
    }

    fn sync(&self, sync: SyncRequest<'_, Config>) -> Result<(), TapError> {
        let SyncRequest { config, catalog, mut state, output } = sync;
        for stream in catalog.selected_streams() {
            output.schema(&stream.stream, &stream.schema, &[], &[])?;
            let done = state.bookmark::<u64>("numbers")?.unwrap_or(0);
            for n in done + 1..=config.last {
                output.record(&Envelope::new(&stream.stream, None, None), &[n])?;
            }
            state.set_bookmark("numbers", &config.last)?;
            output.state(&state)?;
        }
        if config.last == 13 { Err(TapError::failed("bad luck")) } else { Ok(()) }
    }
}

#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path: PathBuf = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

fn tap(words: &[&str]) -> (Result<(), TapError>, String) {
    let words = std::iter::once("tap-numbers").chain(words.iter().copied());
    let arguments = Arguments::parse(&Numbers.about(), Numbers.actions(), words).unwrap();
    let page = Page::default();
    let done = run(&Numbers, &arguments, Box::new(page.clone()));
    let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
    (done, text)
}

#[test]
fn a_sync_goes_on_from_its_state() {
    let folder = Folder::new();
    let config = folder.file("config.json", r#"{"last":2}"#);
    let state = folder.file("state.json", r#"{"bookmarks":{"numbers":1}}"#);
    let (done, text) = tap(&["--config", &config, "--state", &state]);
    done.unwrap();
    let expected = concat!(
        r#"{"type":"SCHEMA","stream":"numbers","schema":{"properties":{"n":{"type":"integer"}}},"key_properties":[]}"#,
        "\n",
        r#"{"type":"RECORD","stream":"numbers","record":[2]}"#,
        "\n",
        r#"{"type":"STATE","value":{"bookmarks":{"numbers":2}}}"#,
        "\n",
    );
    assert_eq!(text, expected);
}

#[test]
fn catalog_and_properties_are_the_same() {
    let folder = Folder::new();
    let config = folder.file("config.json", r#"{"last":2}"#);
    let (done, catalog) = tap(&["-c", &config, "--discover"]);
    done.unwrap();
    let nothing = catalog.replace("\"metadata\": []", "\"selected\": false, \"metadata\": []");
    let nothing = folder.file("catalog.json", &nothing);
    for option in ["--catalog", "--properties", "-p"] {
        let (done, text) = tap(&["--config", &config, option, &nothing]);
        done.unwrap();
        assert_eq!(text, "", "{option}: the stream is not selected");
    }
    tap(&["--config", &config, "--catalog", &nothing, "--properties", &nothing]).0.unwrap();
}

#[test]
fn what_is_out_before_a_failure_is_handed_on() {
    let folder = Folder::new();
    let (done, text) = tap(&["--config", &folder.file("config.json", r#"{"last":13}"#)]);
    assert_eq!(done.unwrap_err().exit_code(), 1);
    assert_eq!(text.lines().count(), 15);
}

#[test]
fn a_wrong_config_is_told_from_a_failure() {
    let folder = Folder::new();
    let typo = folder.file("config.json", r#"{"lst":2}"#);
    let state = folder.file("state.json", r#"{"bookmarks":{"numbers":"one"}}"#);
    let good = folder.file("good.json", r#"{"last":2}"#);
    for words in
        [&["--config", &typo][..], &[], &["--config", "/no/where"], &["--config", &good, "--state", &state]]
    {
        let error = tap(words).0.unwrap_err();
        assert_eq!(error.exit_code(), 78, "{error}");
    }
    assert!(tap(&["--config", &typo]).0.unwrap_err().to_string().contains("unknown field `lst`"));
    assert!(Arguments::parse(&Numbers.about(), Numbers.actions(), ["tap-numbers", "--confg", "x"]).is_err());
}

#[test]
fn about_tells_programs_and_people() {
    let (_, json) = tap(&["--about", "--format", "json"]);
    let about = Json::parse(&json).unwrap();
    assert_eq!(about.get("name").and_then(Json::as_str), Some("tap-numbers"));
    assert!(about.get("settings").and_then(|settings| settings.get("properties")?.get("last")).is_some());
    let (_, page) = tap(&["--about"]);
    assert_eq!(page, "tap-numbers 1.2.3\nCounts.\n\nSettings:\n  last (integer, required): Where to end\n");
    let parsed =
        Arguments::parse(&Numbers.about(), Numbers.actions(), ["tap-numbers", "--about", "--format=json"])
            .unwrap();
    assert_eq!(parsed.about, Some(Format::Json));
}

#[test]
fn a_closed_pipe_is_no_failure_of_the_tap() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let folder = Folder::new();
    let config = folder.file("config.json", r#"{"last":2}"#);
    let arguments =
        Arguments::parse(&Numbers.about(), Numbers.actions(), ["tap-numbers", "-c", &config]).unwrap();
    let error = run(&Numbers, &arguments, Box::new(Closed)).unwrap_err();
    assert!(error.is_closed_pipe());
    assert_eq!(error.exit_code(), 141);
}
