//! The three targets as Singer targets of their own: what comes out, when, and what is then in the warehouse.

mod endings;
mod postgres;
mod settings;
mod states;
mod versions;

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use tests::programs;
use tests::project::Project;
use tests::singer_target::SingerTarget;
use tests::warehouse::Warehouse;

const SCHEMA: &str = concat!(
    r#"{"type":"SCHEMA","stream":"items","key_properties":["id"],"schema":{"properties":"#,
    r#"{"id":{"type":"integer"},"text":{"type":["null","string"]}}}}"#,
    "\n"
);

fn record(id: u32) -> String {
    format!("{{\"type\":\"RECORD\",\"stream\":\"items\",\"record\":{{\"id\":{id},\"text\":\"a\"}}}}\n")
}

fn state(value: &str) -> String {
    format!("{{\"type\":\"STATE\",\"value\":{value}}}\n")
}

/// Where a target's records are to be seen.
enum Place {
    Warehouse(Warehouse),
    Folder(PathBuf),
}

/// One of our targets with an empty place of its own.
struct Alone {
    name: &'static str,
    project: Project,
    place: Place,
}

impl Alone {
    fn each() -> [Self; 3] {
        [Self::new("target-duckdb"), Self::new("target-postgres"), Self::new("target-jsonl")]
    }

    fn new(name: &'static str) -> Self {
        let project = Project::new();
        let place = match name {
            "target-duckdb" => Place::Warehouse(Warehouse::duckdb(project.path())),
            "target-postgres" => Place::Warehouse(Warehouse::postgres()),
            _ => Place::Folder(project.path().join("out")),
        };
        Self { name, project, place }
    }

    /// The program with the settings that it needs and these.
    fn with(&self, more: &Value) -> SingerTarget<'_> {
        let mut config = match &self.place {
            Place::Warehouse(warehouse) => warehouse.block()["config"].clone(),
            Place::Folder(path) => json!({ "path": path }),
        };
        config.as_object_mut().expect("a map").extend(more.as_object().expect("a map").clone());
        SingerTarget::new(&self.project, programs::target(self.name), &config)
    }

    /// The ids in `items` that are durable, as another program sees them now.
    fn ids(&self) -> Vec<String> {
        match &self.place {
            Place::Folder(path) => {
                let text = fs::read_to_string(path.join("items.jsonl")).unwrap_or_default();
                let records = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
                records.map(|record| record["id"].to_string()).collect()
            }
            Place::Warehouse(Warehouse::DuckDb(path)) => ids(&self.copy_of(path)),
            Place::Warehouse(postgres) => ids(postgres),
        }
    }

    /// A DuckDB file has one user at a time: what a crash would leave of it now is looked at.
    fn copy_of(&self, path: &std::path::Path) -> Warehouse {
        let copy = self.project.path().join("copy.duckdb");
        for (from, to) in [(path.to_owned(), copy.clone()), (log_of(path), log_of(&copy))] {
            let _ = fs::remove_file(&to);
            if from.exists() {
                fs::copy(from, to).expect("a copy");
            }
        }
        Warehouse::DuckDb(copy)
    }
}

fn log_of(path: &std::path::Path) -> PathBuf {
    path.with_extension("duckdb.wal")
}

fn ids(warehouse: &Warehouse) -> Vec<String> {
    if let Warehouse::DuckDb(path) = warehouse
        && !path.exists()
    {
        return Vec::new();
    }
    if !warehouse.tables().iter().any(|table| table == "items") {
        return Vec::new();
    }
    warehouse.rows("SELECT id FROM items ORDER BY id").into_iter().flatten().flatten().collect()
}
