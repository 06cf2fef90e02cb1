//! Cells that do not come, where the SCHEMA says `x-tapster-absent: keep`: `?` in the records here.

use std::collections::BTreeMap;

use target_api::{Deletes, LoadMethod, Table};

use super::scene::{Scene, Session, run, table};
use crate::cells::canonical;

const AT: &str = "2024-01-02 03:04:05";

fn keeping(words: &str, deletes: Deletes) -> Table {
    let mut table = Table { deletes, ..table(words, &["id"]) };
    table.schema.keeps_absent = true;
    table
}

pub(crate) async fn what_does_not_come_stays(scene: &Scene<'_>) {
    let table = keeping("orders: id int64, a text, b text", Deletes::Unsaid);
    scene.load("one", &table, &["1|a|b", "2|a|b", "3|a|b"]).await;
    let mut session = scene.start(&run("two")).await;
    session.open(&table).await;
    // Over the table, over a record of the same batch, over one of a batch before; a NULL that comes is one.
    session.write(&table, &["1|?|c", "2|?|c", "2|d|?", "3|~|?", "4|?|b"]).await;
    session.write(&table, &["4|e|?", "4|?|?"]).await;
    session.commit(Some("{}")).await;
    drop(session);
    assert_eq!(scene.records(&table).await, ["1|a|c", "2|d|c", "3|~|b", "4|e|b"]);
    scene.load("three", &table, &["1|x|y"]).await;
    assert_eq!(scene.records(&table).await[0], "1|x|y", "records that are whole are merged as any");
}

pub(crate) async fn what_never_came_is_null(scene: &Scene<'_>) {
    for deletes in [Deletes::Hard, Deletes::Soft] {
        let name = format!("{deletes:?}").to_lowercase();
        let words = format!("{name}: id int64, a text, b text, _sdc_deleted_at timestamptz");
        let table = keeping(&words, deletes);
        let gone = |id: u8| format!("{id}|?|?|{AT}");
        scene.load("one", &table, &["1|a|b|~", "2|a|b|~"]).await;
        // A record that was deleted has nothing to keep, in one epoch as over two.
        scene.load("two", &table, &[&gone(1), "1|?|c|~", "3|?|b|~", &gone(2)]).await;
        scene.load("three", &table, &["2|?|c|~"]).await;
        assert_eq!(scene.records(&table).await, ["1|~|c|~", "2|~|c|~", "3|~|b|~"], "{deletes:?}");
    }
    let mut appended = keeping("events: id int64, a text", Deletes::Unsaid);
    appended.load_method = LoadMethod::AppendOnly;
    scene.load("four", &appended, &["1|a", "1|?"]).await;
    assert_eq!(scene.records(&appended).await, ["1|a", "1|~"]);
}

/// Columns of the random records, behind the key.
const COLUMNS: [(&str, &str); 5] = [
    ("n", "int64"),
    ("t", "text"),
    ("l", "text[]"),
    ("_sdc_table_version", "int64"),
    ("_sdc_deleted_at", "timestamptz"),
];
const VERSION: usize = 3;
const DELETED: usize = 4;

type Row = Vec<Option<String>>;

/// Any numbers, the same for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn cell(&mut self, column: usize) -> String {
        match (self.below(5), COLUMNS[column].1) {
            (0 | 1, _) => "?".to_owned(),
            (2, _) => "~".to_owned(),
            (_, "text[]") => format!("[\"{}\"]", self.below(99)),
            _ => self.below(99).to_string(),
        }
    }
}

/// What a table is when its records are applied one by one.
struct Model {
    rows: BTreeMap<u64, Row>,
    deletes: Deletes,
}

impl Model {
    fn record(&mut self, id: u64, cells: &[String]) {
        let heeds = self.deletes != Deletes::Ignore;
        if heeds && cells[DELETED] != "~" {
            match self.deletes {
                Deletes::Hard => drop(self.rows.remove(&id)),
                _ => {
                    if let Some(row) = self.rows.get_mut(&id) {
                        row[DELETED] = Some(cells[DELETED].clone());
                    }
                }
            }
            return;
        }
        let there = self.rows.get(&id).filter(|row| !heeds || row[DELETED].is_none());
        let cell = |(at, cell): (usize, &String)| match cell.as_str() {
            "?" => there.and_then(|row| row[at].clone()),
            "~" => None,
            value => Some(value.to_owned()),
        };
        let row = cells.iter().enumerate().map(cell).collect();
        self.rows.insert(id, row);
    }

    fn activate(&mut self, version: u64) {
        let of = |row: &Row| row[VERSION].as_ref().and_then(|text| text.parse::<u64>().ok());
        if !self.rows.values().any(|row| of(row) == Some(version)) {
            return;
        }
        if self.deletes == Deletes::Soft {
            for row in self.rows.values_mut().filter(|row| of(row) < Some(version)) {
                row[DELETED].get_or_insert_with(|| AT.to_owned());
            }
        } else {
            self.rows.retain(|_, row| of(row) >= Some(version));
        }
    }

    /// As [`Scene::records`] has them, but for when each was deleted.
    fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.rows.iter().map(|(id, row)| line(&id.to_string(), row)).collect();
        lines.sort();
        lines
    }
}

fn line(id: &str, row: &Row) -> String {
    let cells = row.iter().zip(COLUMNS).enumerate().map(|(at, (cell, (_, column_type)))| match cell {
        None => "~".to_owned(),
        Some(_) if at == DELETED => "deleted".to_owned(),
        Some(text) => canonical(&column_type.parse().expect("a column type"), text),
    });
    std::iter::once(id.to_owned()).chain(cells).collect::<Vec<_>>().join("|")
}

/// A table's records, with the same left out.
async fn found(scene: &Scene<'_>, table: &Table) -> Vec<String> {
    let mut lines = scene.records(table).await;
    for line in &mut lines {
        if let Some((rest, deleted)) = line.rsplit_once('|').filter(|(_, deleted)| *deleted != "~") {
            assert!(deleted.starts_with("20"), "{line}");
            *line = format!("{rest}|deleted");
        }
    }
    lines.sort();
    lines
}

async fn started(scene: &Scene<'_>, table: &Table) -> Session {
    let mut session = scene.start(&run("random")).await;
    session.open(table).await;
    session
}

pub(crate) async fn cells_that_do_not_come_stay_as_if_records_came_one_by_one(scene: &Scene<'_>) {
    for seed in 0..9 {
        let deletes = [Deletes::Hard, Deletes::Soft, Deletes::Ignore][seed % 3];
        let columns = COLUMNS.map(|(name, column_type)| format!(", {name} {column_type}")).concat();
        let table = keeping(&format!("random_{seed}: id int64{columns}"), deletes);
        let mut random = Random(seed as u64 + 1);
        let mut model = Model { rows: BTreeMap::new(), deletes };
        let (mut batch, mut version) = (Vec::new(), 1);
        let mut session = started(scene, &table).await;
        for _ in 0..60 {
            let id = random.below(4);
            let mut cells: Vec<String> = (0..COLUMNS.len()).map(|column| random.cell(column)).collect();
            cells[VERSION] = version.to_string();
            if random.below(5) == 0 { AT } else { "~" }.clone_into(&mut cells[DELETED]);
            model.record(id, &cells);
            batch.push(format!("{id}|{}", cells.join("|")));
            let next = random.below(16);
            if next > 6 {
                continue;
            }
            session.write(&table, &batch.iter().map(String::as_str).collect::<Vec<_>>()).await;
            batch.clear();
            if next == 0 && scene.capabilities.versions {
                session.activate(&table, version).await;
                model.activate(version.unsigned_abs());
                version += i64::from(random.below(2) == 0);
            }
            if next < 3 {
                session.commit(Some("{}")).await;
            }
            if next == 2 {
                drop(session);
                assert_eq!(found(scene, &table).await, model.lines(), "seed {seed}");
                session = started(scene, &table).await;
            }
        }
        session.write(&table, &batch.iter().map(String::as_str).collect::<Vec<_>>()).await;
        session.commit(Some("{}")).await;
        drop(session);
        assert_eq!(found(scene, &table).await, model.lines(), "seed {seed}");
    }
}
