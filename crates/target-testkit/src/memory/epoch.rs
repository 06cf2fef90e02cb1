//! What was accepted since the last commit, and how it is applied.

use std::collections::{BTreeMap, BTreeSet};

use columns::arrow_array::RecordBatch;
use columns::{Column, ColumnType, DELETED_AT, StreamName, absent_cells, absent_in, without_absent};
use target_api::{
    ActualColumn, ColumnChange, GivenNames, IdentifierRule, OnDelete, Result, RunIdentity, Status, Table,
    TableChange, TableName, TargetError, Version, column_names, shortened, table_diff,
};

use super::warehouse::{Contents, Defect, MemoryTable, Record};
use crate::cells::text;

/// Names of 63 bytes whose case counts, as PostgreSQL's.
pub(super) const RULE: IdentifierRule = IdentifierRule { max_bytes: 63, case_insensitive: false };

/// One thing that was accepted.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Empty(TableName),
    Open(Table),
    Write(Table, RecordBatch),
    Activate(Table, Version),
}

impl Step {
    pub(super) fn stream(&self) -> Option<&StreamName> {
        match self {
            Self::Empty(_) => None,
            Self::Open(table) | Self::Write(table, _) | Self::Activate(table, _) => {
                Some(&table.schema.stream)
            }
        }
    }
}

/// Where a table is.
pub(super) fn place(table: &Table, defect: Option<Defect>) -> TableName {
    let fitted = |name: &str| match defect {
        Some(Defect::CutsNames) if name.len() > RULE.max_bytes => name[..RULE.max_bytes].to_owned(),
        _ => shortened(name, RULE),
    };
    TableName { schema: table.name.schema.as_deref().map(fitted), table: fitted(&table.name.table) }
}

/// Applies steps to the contents, in order.
pub(super) struct Applying<'a> {
    pub(super) contents: &'a mut Contents,
    pub(super) run: &'a RunIdentity,
    pub(super) defect: Option<Defect>,
}

impl Applying<'_> {
    pub(super) fn step(&mut self, step: &Step) -> Result<()> {
        match step {
            Step::Empty(place) => {
                if let Some(table) = self.contents.tables.get_mut(place) {
                    table.records.clear();
                }
                Ok(())
            }
            Step::Open(table) => self.open(table).map(drop),
            Step::Write(table, batch) => self.write(table, batch),
            Step::Activate(table, version) => {
                self.activate(table, *version);
                Ok(())
            }
        }
    }

    fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    /// Makes the table fit, and says what was done.
    pub(super) fn open(&mut self, table: &Table) -> Result<TableChange> {
        let (place, defect) = (place(table, self.defect), self.defect);
        let owner = [
            self.run.environment.clone(),
            self.run.pipeline.clone(),
            table.schema.stream.as_str().to_owned(),
        ];
        let created = !self.contents.tables.contains_key(&place);
        let empty = MemoryTable {
            owner: owner.clone(),
            shared: table.shared,
            given: BTreeMap::new(),
            columns: vec![],
            records: vec![],
        };
        self.contents.owners.insert(owner.clone());
        let actual = self.contents.tables.entry(place.clone()).or_insert(empty);
        let is_shared = actual.shared && table.shared && defect != Some(Defect::RefusesToShare);
        if actual.owner == owner {
            actual.shared = table.shared;
        } else if !is_shared && defect != Some(Defect::TakesAnyTable) {
            return Err(TargetError::new(
                "MEMORY",
                Status::Config,
                format!("table {place} belongs to another pipeline"),
            ));
        }
        let properties = table.schema.columns.iter().map(|column| column.name.clone());
        let names = names(table, &actual.given, defect);
        actual.given.extend(properties.zip(names.clone()));
        let mut statements = vec![];
        for change in table_diff(&table.schema.columns, &names, &actual_columns(actual), |a, b| a == b) {
            statements.push(format!("{change:?}"));
            let skipped = match change {
                ColumnChange::Add { .. } => !created && defect == Some(Defect::LosesNewColumns),
                ColumnChange::Widen { .. } => defect == Some(Defect::NarrowsSilently),
                ColumnChange::Relax { .. } | ColumnChange::Conflict { .. } => false,
            };
            if !skipped {
                apply_change(actual, table, &names, &change)?;
            }
        }
        Ok(TableChange { place: place.to_string(), created, statements, ..TableChange::default() })
    }

    fn write(&mut self, table: &Table, batch: &RecordBatch) -> Result<()> {
        let place = place(table, self.defect);
        let Some(actual) = self.contents.tables.get(&place) else {
            return Err(TargetError::permanent("MEMORY", format!("table {place} is not open")));
        };
        let (given, columns) = (actual.given.clone(), actual.columns.clone());
        let key: Vec<String> = table.schema.key_properties.iter().map(|name| given[name].clone()).collect();
        let append_only = !table.merges() && !self.has(Defect::IgnoresAppendOnly);
        let merges = (!append_only && table.schema.is_keyed()) || self.has(Defect::MergesKeyless);
        let start = if self.has(Defect::MergesWithinBatch) { actual.records.len() } else { 0 };
        let cells = without_absent(batch);
        let absent = absent_cells(batch).filter(|_| !self.has(Defect::NullsAbsent));
        let stays = |at| -> BTreeSet<String> {
            let places = absent.map(|absent| absent_in(absent, at)).unwrap_or_default();
            places.into_iter().map(|at| given[&table.schema.columns[at].name].clone()).collect()
        };
        let incoming: Vec<(Record, BTreeSet<String>)> = (0..batch.num_rows())
            .map(|at| (self.record(&table.schema.columns, &given, &columns, &cells, at), stays(at)))
            .collect();
        let outlives = self.has(Defect::CellsOutliveDeletes);
        let named: BTreeSet<String> =
            table.schema.columns.iter().map(|column| given[&column.name].clone()).collect();
        let forgets = self.has(Defect::ForgetsDroppedColumns);
        let (first_wins, joins) = (self.has(Defect::FirstOfKeyWins), self.has(Defect::JoinsKeys));
        let actual = self.contents.tables.get_mut(&place).expect("looked up above");
        let deleted_at = table.on_delete().column().map(|at| given[&table.schema.columns[at].name].clone());
        let (removes, marks) = (matches!(table.on_delete(), OnDelete::Remove { .. }), self.defect);
        for (record, absent) in incoming {
            if let Some(name) = deleted_at.as_ref().filter(|name| record[*name].is_some())
                && marks != Some(Defect::LoadsDeletes)
            {
                let is_same = |other: &Record| same_key(&key, &record, other, joins);
                if removes {
                    actual.records.retain(|other| !is_same(other));
                } else if let Some(other) = actual.records.iter_mut().find(|other| is_same(other)) {
                    other.insert(name.clone(), record[name].clone());
                }
                continue;
            }
            let same = |other: &Record| same_key(&key, &record, other, joins);
            let found = merges.then(|| actual.records[start..].iter().position(same)).flatten();
            match found {
                Some(_) if first_wins => {}
                Some(at) if forgets => actual.records[start + at] = record,
                Some(at) => {
                    let there = &mut actual.records[start + at];
                    let is_deleted = deleted_at.as_ref().is_some_and(|name| there[name].is_some());
                    let keeps = !is_deleted || outlives;
                    let came = |name: &&String| !(keeps && absent.contains(*name));
                    let came: BTreeSet<String> = named.iter().filter(came).cloned().collect();
                    there.extend(only_of(record, &came));
                }
                None => actual.records.push(record),
            }
        }
        Ok(())
    }

    fn record(
        &self,
        wanted: &[Column],
        given: &BTreeMap<String, String>,
        actual: &[Column],
        batch: &RecordBatch,
        at: usize,
    ) -> Record {
        let mut record: Record = actual.iter().map(|column| (column.name.clone(), None)).collect();
        for (column, array) in wanted.iter().zip(batch.columns()) {
            let name = &given[&column.name];
            let Some(there) = actual.iter().find(|column| &column.name == name) else { continue };
            let cell = text(&column.column_type, array, at)
                .and_then(|cell| self.spoil(&column.column_type, &there.column_type, cell));
            record.insert(name.clone(), cell);
        }
        record
    }

    /// The value as it is kept: itself, unless a defect says otherwise.
    fn spoil(&self, given_as: &ColumnType, kept_as: &ColumnType, cell: String) -> Option<String> {
        match self.defect {
            Some(Defect::LosesNarrower) if given_as != kept_as => None,
            Some(Defect::EmptyIsNull) if cell.is_empty() => None,
            Some(Defect::TrimsText) => Some(cell.trim().to_owned()),
            Some(Defect::CutsText) => Some(cell.chars().take(8 * 1024).collect()),
            Some(Defect::NarrowsSilently) if *kept_as == ColumnType::Int64 => {
                let whole = cell.split('.').next().and_then(|digits| digits.parse::<i64>().ok());
                Some(whole.unwrap_or(0).to_string())
            }
            Some(Defect::NumbersAsDoubles) if is_number(kept_as) => {
                Some(cell.parse::<f64>().map_or(cell, |value| value.to_string()))
            }
            _ => Some(cell),
        }
    }

    fn activate(&mut self, table: &Table, Version { number: version, truncated }: Version) {
        let guarded = (!truncated || self.has(Defect::DoubtsTruncated)) && !self.has(Defect::NoVersionGuard);
        let (backwards, unguarded) = (self.has(Defect::ActivatesBackwards), !guarded);
        let place = place(table, self.defect);
        let Some(actual) = self.contents.tables.get_mut(&place) else { return };
        let Some(column) = actual.given.get("_sdc_table_version").cloned() else { return };
        let distinct = self.defect == Some(Defect::ActivatesAgainstNewer);
        let of = |record: &Record| {
            record.get(&column).cloned().flatten().and_then(|text| text.parse::<i64>().ok())
        };
        let is_current = |record: &Record| of(record) == Some(version);
        let stays = |record: &Record| if distinct { is_current(record) } else { of(record) >= Some(version) };
        let deleted_at = actual.given.get(DELETED_AT).filter(|_| table.marks_versions()).cloned();
        if let Some(name) = deleted_at.filter(|_| self.defect != Some(Defect::LoadsDeletes)) {
            let any = unguarded || actual.records.iter().any(is_current);
            for record in actual.records.iter_mut().filter(|record| any && !stays(record)) {
                record
                    .entry(name.clone())
                    .or_default()
                    .get_or_insert_with(|| "2024-01-01 00:00:00".to_owned());
            }
        } else if unguarded || actual.records.iter().any(is_current) {
            actual.records.retain(|record| stays(record) != backwards);
        }
    }
}

/// The names of the columns, in their order.
fn names(table: &Table, given: &BTreeMap<String, String>, defect: Option<Defect>) -> Vec<String> {
    let properties = table.schema.columns.iter().map(|column| column.name.as_str());
    match defect {
        Some(Defect::MixesCase) => properties.map(str::to_lowercase).collect(),
        Some(Defect::CutsNames) => {
            properties.map(|name| name.chars().take(RULE.max_bytes).collect()).collect()
        }
        _ => {
            let mut known = GivenNames::default();
            known.extend(given);
            column_names(properties, &known, RULE)
        }
    }
}

/// The cells of the columns that a batch has.
fn only_of(record: Record, named: &BTreeSet<String>) -> impl Iterator<Item = (String, Option<String>)> {
    record.into_iter().filter(|(name, _)| named.contains(name))
}

fn is_number(column_type: &ColumnType) -> bool {
    matches!(column_type, ColumnType::Int64 | ColumnType::Numeric { .. } | ColumnType::UnboundedNumeric)
}

fn same_key(key: &[String], one: &Record, other: &Record, joins: bool) -> bool {
    let joined = |record: &Record| {
        key.iter().map(|name| record[name].clone().unwrap_or_default()).collect::<Vec<_>>().join(",")
    };
    if joins { joined(one) == joined(other) } else { key.iter().all(|name| one[name] == other[name]) }
}

fn actual_columns(table: &MemoryTable) -> Vec<ActualColumn> {
    let actual = |column: &Column| ActualColumn {
        name: column.name.clone(),
        column_type: Some(column.column_type.clone()),
        written: column.column_type.to_string(),
        nullable: column.nullable,
    };
    table.columns.iter().map(actual).collect()
}

fn apply_change(
    actual: &mut MemoryTable,
    table: &Table,
    names: &[String],
    change: &ColumnChange,
) -> Result<()> {
    match change {
        ColumnChange::Add { wanted } => {
            let column = Column { name: names[*wanted].clone(), ..table.schema.columns[*wanted].clone() };
            if actual.columns.iter().all(|other| other.name != column.name) {
                for record in &mut actual.records {
                    record.insert(column.name.clone(), None);
                }
                actual.columns.push(column);
            }
        }
        ColumnChange::Widen { wanted, to } => column_named(actual, &names[*wanted]).column_type = to.clone(),
        ColumnChange::Relax { wanted } => column_named(actual, &names[*wanted]).nullable = true,
        ColumnChange::Conflict { wanted, .. } if actual.records.is_empty() => {
            let column_type = table.schema.columns[*wanted].column_type.clone();
            column_named(actual, &names[*wanted]).column_type = column_type;
        }
        ColumnChange::Conflict { wanted, actual } => {
            let name = &names[*wanted];
            return Err(TargetError::permanent("MEMORY", format!("column {name} is {actual}: not the same")));
        }
    }
    Ok(())
}

fn column_named<'a>(table: &'a mut MemoryTable, name: &str) -> &'a mut Column {
    table
        .columns
        .iter_mut()
        .find(|column| column.name == name)
        .expect("the difference names a column that is there")
}
