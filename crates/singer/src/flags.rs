//! The command line of a tap, as its help tells it.

/// By which flags a tap takes its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TapFlags {
    /// Which of `--catalog` and `--properties`.
    pub catalog: Vec<&'static str>,
    /// Whether it takes `--state`.
    pub state: bool,
}

impl TapFlags {
    /// Reads what a tap prints for `--help`.
    ///
    /// Taps on singer-python take both `--catalog` and `--properties` and read one: both are given where both are named,
    /// and `--catalog` where none is. Every tap has `--config`: a text that does not name it is no list of a tap's flags,
    /// and that `--state` is not in it says nothing.
    #[must_use]
    pub fn from_help(help: &str) -> Self {
        let catalog: Vec<_> =
            ["--catalog", "--properties"].into_iter().filter(|flag| names(help, flag)).collect();
        Self {
            catalog: if catalog.is_empty() { vec!["--catalog"] } else { catalog },
            state: names(help, "--state") || !names(help, "--config"),
        }
    }
}

impl Default for TapFlags {
    /// Those of the specification.
    fn default() -> Self {
        Self::from_help("")
    }
}

/// Whether the flag itself is there, rather than a longer one that begins with it.
fn names(help: &str, flag: &str) -> bool {
    help.split(flag)
        .skip(1)
        .any(|rest| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '-' || next == '_'))
}

#[cfg(test)]
mod tests {
    use super::TapFlags;

    /// pipelinewise-tap-postgres 1.8.4, on singer-python's argparse.
    const ARGPARSE: &str = "\
usage: tap-postgres [-h] -c CONFIG [-s STATE] [-p PROPERTIES]
                    [--catalog CATALOG] [-d]

options:
  -h, --help            show this help message and exit
  -c CONFIG, --config CONFIG
                        Config file
  -s STATE, --state STATE
                        state file
  -p PROPERTIES, --properties PROPERTIES
                        Property selections: DEPRECATED, Please use --catalog
                        instead
  --catalog CATALOG     Catalog file
  -d, --discover        Do schema discovery
";

    /// tap-jsonl 0.3.1, on the SDK's click.
    const CLICK: &str = "\
Usage: tap-jsonl [OPTIONS]

  Execute the Singer tap.

Options:
  --version                 Display the package version.
  --about                   Display package metadata and settings.
  --format [json|markdown]  Specify output style for --about
  --config TEXT             Configuration file location or 'ENV' to use
                            environment variables.
  --discover                Run the tap in discovery mode.
  --test TEXT               Use --test to sync a single record for each
                            stream. Use --test=schema to test schema output
                            without syncing records.
  --catalog FILENAME        Use a Singer catalog file with the tap.
  --state FILENAME          Use a bookmarks file for incremental replication.
  --help                    Show this message and exit.
";

    fn without(help: &str, word: &str) -> String {
        help.lines()
            .filter(|line| !line.contains(word))
            .map(|line| format!("{line}\n"))
            .collect::<Vec<_>>()
            .concat()
    }

    #[test]
    fn the_help_says_which_files_a_tap_takes() {
        let both = vec!["--catalog", "--properties"];
        for (help, catalog, state) in [
            (ARGPARSE.to_owned(), both, true),
            (CLICK.to_owned(), vec!["--catalog"], true),
            (without(CLICK, "--state"), vec!["--catalog"], false),
            // Of before there were catalogs. The usage line alone names no long flag of what it takes.
            (without(ARGPARSE, "catalog"), vec!["--properties"], true),
            (without(&without(ARGPARSE, "catalog"), "STATE"), vec!["--properties"], false),
            (
                "tap-own --config F [--catalog F] [--state-id ID] [--stateless]".into(),
                vec!["--catalog"],
                false,
            ),
            ("tap-own --config=F --state=F --properties-of-cars".into(), vec!["--catalog"], true),
            // No list of flags: nothing is known.
            (String::new(), vec!["--catalog"], true),
            ("unknown option: --help".into(), vec!["--catalog"], true),
            ("{\"type\":\"STATE\",\"value\":{}}".into(), vec!["--catalog"], true),
            ("takes --properties".into(), vec!["--properties"], true),
        ] {
            assert_eq!(TapFlags::from_help(&help), TapFlags { catalog, state }, "{help}");
        }
    }
}
