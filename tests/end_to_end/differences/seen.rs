//! One of the two targets: all streams loaded, each into a schema of its own, and what is then there.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tests::programs;
use tests::project::Project;
use tests::warehouse::Warehouse;

use crate::support::meltanolabs_target_postgres;

/// Runs the program's own entry point for each load, in a process of its own that has imported it already.
const RUN_EACH: &str = r#"
import json, os, sys
from target_postgres.target import TargetPostgres
for name in json.load(sys.stdin):
    child = os.fork()
    if child == 0:
        for number, path in enumerate((f"{name}.singer", f"{name}.out", f"{name}.err")):
            os.dup2(os.open(path, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT, 0o600), number)
        sys.argv = ["target-postgres", "--config", f"{name}.json"]
        sys.exit(TargetPostgres.cli())
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"#;

/// The columns of the metadata whose values no two loads share.
const VOLATILE: [&str; 6] = [
    "_sdc_extracted_at",
    "_sdc_received_at",
    "_sdc_batched_at",
    "_sdc_sequence",
    "_sdc_sync_started_at",
    "_sdc_table_version",
];

pub(super) struct Side {
    project: Project,
    warehouse: Warehouse,
    codes: BTreeMap<String, i32>,
}

/// What one stream came to.
pub(super) struct Seen {
    pub(super) code: i32,
    pub(super) tables: BTreeMap<String, Table>,
    pub(super) state: Option<Value>,
    cause: String,
}

pub(super) struct Table {
    pub(super) columns: Vec<Column>,
    /// Without what is volatile, sorted.
    pub(super) rows: Vec<Vec<Option<String>>>,
    /// The columns of the rows.
    names: Vec<String>,
}

pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: String,
}

impl Side {
    /// Loads the streams with the target of `PyPI`.
    pub(super) fn theirs(streams: &[PathBuf]) -> Self {
        let mut side = Self::prepare(streams, &json!({ "ssl_enable": false }));
        let python = meltanolabs_target_postgres().with_file_name("python");
        let mut run = Command::new(python);
        run.args(["-c", RUN_EACH]).current_dir(side.project.path()).env_remove("PGTZ");
        let mut child = run.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("its Python");
        let names: Vec<String> = streams.iter().map(|stream| super::name(stream)).collect();
        let said = json!(names).to_string();
        child.stdin.take().expect("piped").write_all(said.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        let codes = String::from_utf8_lossy(&output.stdout).into_owned();
        let codes = codes.lines().map(|line| line.parse().expect("an exit code"));
        side.codes = names.into_iter().zip(codes).collect();
        assert_eq!(side.codes.len(), streams.len(), "its Python ended early");
        side
    }

    /// Loads them with ours.
    pub(super) fn ours(streams: &[PathBuf]) -> Self {
        let mut side = Self::prepare(streams, &json!({}));
        for name in streams.iter().map(|stream| super::name(stream)) {
            let file = |kind: &str| side.project.path().join(format!("{name}.{kind}"));
            let mut command = Command::new(programs::target("target-postgres"));
            command.arg("--config").arg(file("json")).arg("--input").arg(file("singer"));
            command.stdout(File::create(file("out")).expect("a file"));
            command.stderr(File::create(file("err")).expect("a file"));
            let status = command.status().expect("the target starts");
            side.codes.insert(name, status.code().expect("an exit code"));
        }
        side
    }

    /// Both sides have the same settings.
    fn prepare(streams: &[PathBuf], more: &Value) -> Self {
        let (project, warehouse) = (Project::new(), Warehouse::postgres());
        for stream in streams {
            let name = super::name(stream);
            let mut config = warehouse.block()["config"].clone();
            let settings = json!({
                "default_target_schema": name, "add_record_metadata": true, "load_method": "upsert",
            });
            for settings in [&settings, more] {
                config.as_object_mut().expect("a map").extend(settings.as_object().expect("a map").clone());
            }
            project.write(&format!("{name}.json"), config.to_string());
            fs::copy(stream, project.path().join(format!("{name}.singer"))).expect("a copy");
        }
        Self { project, warehouse, codes: BTreeMap::new() }
    }

    pub(super) fn seen(&self, stream: &str) -> Seen {
        let said = |kind: &str| read(&self.project.path().join(format!("{stream}.{kind}")));
        let state = said("out").lines().last().map(|line| serde_json::from_str(line).expect("a STATE"));
        Seen { code: self.codes[stream], cause: cause(&said("err")), state, tables: self.tables(stream) }
    }

    fn tables(&self, schema: &str) -> BTreeMap<String, Table> {
        let sql = format!(
            "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) || \
             CASE WHEN a.attnotnull THEN ' not null' ELSE '' END \
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid \
             WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND c.relname <> '_tapster_tables' \
             AND n.nspname = '{schema}' ORDER BY c.relname, a.attnum"
        );
        let mut tables: BTreeMap<String, Vec<Column>> = BTreeMap::new();
        for row in self.warehouse.rows(&sql) {
            let [Some(table), Some(name), Some(kind)] = <[_; 3]>::try_from(row).expect("three cells") else {
                panic!("a column without a name")
            };
            tables.entry(table).or_default().push(Column { name, kind });
        }
        let read = |(name, columns): (String, Vec<Column>)| {
            let table = self.read(&format!("{}.{}", quoted(schema), quoted(&name)), columns);
            (name, table)
        };
        tables.into_iter().map(read).collect()
    }

    /// Instants as UTC, lists as JSON: how a value is kept is the column's difference, not the record's.
    fn read(&self, place: &str, columns: Vec<Column>) -> Table {
        let kept: Vec<&Column> =
            columns.iter().filter(|column| !VOLATILE.contains(&column.name.as_str())).collect();
        let cell = |column: &&Column| {
            let name = quoted(&column.name);
            match column.kind.as_str() {
                kind if kind.starts_with("timestamp with time zone") => format!("{name} AT TIME ZONE 'UTC'"),
                kind if kind.contains("[]") => format!("to_jsonb({name})"),
                _ => name,
            }
        };
        let cells: Vec<String> = kept.iter().map(cell).collect();
        let mut rows = self.warehouse.rows(&format!("SELECT {} FROM {place}", cells.join(", ")));
        rows.sort();
        let names = kept.iter().map(|column| column.name.clone()).collect();
        Table { columns, rows, names }
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

/// The error's name: of Python's last exception, or ours.
fn cause(said: &str) -> String {
    let ours = said.lines().find_map(|line| line.strip_prefix("error[")?.split(']').next());
    let exception = |line: &str| {
        let path = line.split([':', ' ']).next().unwrap_or_default();
        let name = path.rsplit('.').next().unwrap_or_default();
        let is_one = name.starts_with(|letter: char| letter.is_uppercase())
            && line[path.len()..].starts_with(':')
            && name.contains(char::is_lowercase)
            && name.chars().all(char::is_alphanumeric);
        is_one.then(|| name.to_owned())
    };
    ours.map(str::to_owned).or_else(|| said.lines().rev().find_map(exception)).unwrap_or_default()
}

impl Seen {
    /// `0`, or `1 InvalidRecord`.
    pub(super) fn ending(&self) -> String {
        if self.code == 0 { "0".to_owned() } else { format!("{} {}", self.code, self.cause) }
    }

    /// The last STATE; a long one would fill the page.
    pub(super) fn told(&self) -> String {
        match self.state.as_ref().map(ToString::to_string) {
            None => "none".to_owned(),
            Some(state) if state.len() > 20 => format!("one of {} bytes", state.len()),
            Some(state) => format!("`{state}`"),
        }
    }

    pub(super) fn records(&self) -> usize {
        self.tables.values().map(|table| table.rows.len()).sum()
    }
}

/// The cells that differ: column and record, theirs, ours. A record is named by its first cell.
pub(super) fn cells(theirs: &Table, ours: &Table) -> Vec<(String, String, String)> {
    let mut told = Vec::new();
    for (one, other) in theirs.rows.iter().zip(&ours.rows) {
        for (at, name) in theirs.names.iter().enumerate() {
            let Some(place) = ours.names.iter().position(|ours| ours == name) else { continue };
            if one[at] != other[place] {
                let record = one[0].as_deref().unwrap_or("NULL");
                told.push((
                    format!("{name}` of {record}"),
                    cell(name, one[at].as_ref()),
                    cell(name, other[place].as_ref()),
                ));
            }
        }
    }
    told
}

/// A cell for the page. When a record was marked is never the same.
fn cell(name: &str, value: Option<&String>) -> String {
    match value {
        None => "NULL".to_owned(),
        Some(now) if name == "_sdc_deleted_at" && !now.starts_with("2024") => "now".to_owned(),
        Some(value) => format!("`{}`", value.replace('|', "\\|").replace('\n', "\\n")),
    }
}
