//! The same streams through another target for PostgreSQL and through ours: what differs is what
//! `docs/reference/differences.md` lists, each with its reason.

mod seen;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use tests::programs;

use self::seen::{Column, Seen, Side};

/// All but `batch-message`: its file would have to lie where each of them looks for it.
const KINDS: [&str; 12] = [
    "framing-",
    "suite-",
    "value-",
    "schema-",
    "names-",
    "key-",
    "version-",
    "deleted-at-",
    "recorded-",
    "loading-",
    "record-",
    "state-",
];

fn streams() -> Vec<PathBuf> {
    let entries = fs::read_dir(programs::file("streams")).expect("tests/streams").flatten();
    let mut streams: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    streams.retain(|path| KINDS.iter().any(|kind| name(path).starts_with(kind)));
    streams.sort();
    streams
}

fn name(stream: &std::path::Path) -> String {
    stream.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned()
}

/// A line of the page's table, without its reason: stream, what it is about, theirs, ours.
type Line = [String; 4];

#[test]
fn what_differs_from_meltanolabs_target_postgres_is_what_the_page_explains() {
    let streams = streams();
    let (theirs, ours) = (Side::theirs(&streams), Side::ours(&streams));
    let mut found = BTreeSet::new();
    for stream in &streams {
        let name = name(stream);
        let told = differences(&theirs.seen(&name), &ours.seen(&name));
        found.extend(told.into_iter().map(|[about, theirs, ours]| [name.clone(), about, theirs, ours]));
    }
    let listed = page();
    let show = |lines: &mut dyn Iterator<Item = &Line>| {
        lines.map(|line| format!("| {} |  |", line.join(" | "))).collect::<Vec<_>>().join("\n")
    };
    let missing = show(&mut found.difference(&listed));
    let gone = show(&mut listed.difference(&found));
    assert!(
        missing.is_empty() && gone.is_empty(),
        "docs/reference/differences.md: not listed, but seen:\n{missing}\nlisted, but not seen:\n{gone}"
    );
}

/// The lines of the page's table. Each must name a reason that the page gives.
fn page() -> BTreeSet<Line> {
    let path = programs::workspace().join("docs/reference/differences.md");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let reasons: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .map(|title| title.to_lowercase().replace(' ', "-").replace([',', '`'], ""))
        .collect();
    let rows = text.lines().filter(|line| KINDS.iter().any(|kind| line.starts_with(&format!("| {kind}"))));
    let rows = rows.map(|row| {
        let row = row.trim_matches('|').replace("\\|", "\u{1}");
        let cells: Vec<String> = row.split('|').map(|cell| cell.trim().replace('\u{1}', "\\|")).collect();
        let reason = cells.get(4).and_then(|cell| cell.split_once("(#")?.1.strip_suffix(')'));
        assert!(reason.is_some_and(|reason| reasons.contains(reason)), "no such reason: {row}");
        <[String; 4]>::try_from(cells[..4].to_vec()).expect("four cells")
    });
    rows.collect()
}

/// What differs: what it is about, theirs, ours.
fn differences(theirs: &Seen, ours: &Seen) -> Vec<[String; 3]> {
    let mut told = Vec::new();
    let mut tell = |about: String, theirs: String, ours: String| {
        if theirs != ours {
            told.push([about, theirs, ours]);
        }
    };
    tell("exit code".to_owned(), theirs.ending(), ours.ending());
    if theirs.state != ours.state {
        tell("last STATE".to_owned(), theirs.told(), ours.told());
    }
    let both_loaded = theirs.code == 0 && ours.code == 0;
    if !both_loaded {
        tell("records".to_owned(), theirs.records().to_string(), ours.records().to_string());
    }
    let tables: BTreeSet<&String> = theirs.tables.keys().chain(ours.tables.keys()).collect();
    for name in tables {
        let (one, other) = (theirs.tables.get(name), ours.tables.get(name));
        let (Some(one), Some(other)) = (one, other) else {
            // A target that failed may not have come to the table.
            if both_loaded || (one.is_none() && theirs.code == 0) || (other.is_none() && ours.code == 0) {
                let there = |table: bool| if table { "there" } else { "not there" }.to_owned();
                tell(format!("table `{name}`"), there(one.is_some()), there(other.is_some()));
            }
            continue;
        };
        for (column, one, other) in columns(&one.columns, &other.columns) {
            tell(format!("`{name}.{column}`"), one, other);
        }
        if both_loaded {
            let count = |table: &seen::Table| table.rows.len();
            tell(format!("`{name}`, records"), count(one).to_string(), count(other).to_string());
            let cells = if count(one) == count(other) { seen::cells(one, other) } else { Vec::new() };
            for (about, one, other) in cells {
                tell(format!("`{name}.{about}"), one, other);
            }
        }
    }
    told
}

/// Columns of both by name, with their types.
fn columns(theirs: &[Column], ours: &[Column]) -> Vec<(String, String, String)> {
    let names: BTreeSet<&String> = theirs.iter().chain(ours).map(|column| &column.name).collect();
    let kind = |columns: &[Column], name: &str| {
        let column = columns.iter().find(|column| column.name == name);
        column.map_or_else(|| "none".to_owned(), |column| column.kind.clone())
    };
    let all = names.into_iter().map(|name| (name.clone(), kind(theirs, name), kind(ours, name)));
    all.filter(|(name, theirs, ours)| !is_metadata(name, theirs, ours)).collect()
}

/// Said once in the page: the instants among the columns that both add to every table.
fn is_metadata(name: &str, theirs: &str, ours: &str) -> bool {
    let is_one =
        matches!(name, "_sdc_extracted_at" | "_sdc_received_at" | "_sdc_batched_at" | "_sdc_deleted_at");
    is_one && theirs == "timestamp without time zone" && ours == "timestamp with time zone"
}
