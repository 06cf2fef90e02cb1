//! A change as a record.

use tap_sdk::TapError;

use crate::column_type::Form;
use crate::config::DatePolicy;
use crate::json;
use crate::log_based::logged::without_identity;
use crate::log_based::message::{Cell, Shown, Tuple};
use crate::log_based::text;
use crate::plan::{PlannedColumn, StreamPlan};
use crate::record::unfit;
use crate::row::Row;
use crate::statement::{literal, quoted};

/// Where the columns of a stream stand in the rows of the log.
#[derive(Debug)]
pub(super) struct Places {
    /// Of each column of the plan; `None` where the log has none yet.
    columns: Vec<Option<usize>>,
    /// Column of the plan and place, of each column of the key.
    keys: Vec<(usize, usize)>,
    shows_old_rows: bool,
}

/// What old rows of the log lack.
pub(super) struct Unsaid(pub(super) String);

impl Places {
    /// `Err`: what the log does not tell of rows that are deleted.
    pub(super) fn new(plan: &StreamPlan, shown: &Shown) -> Result<Self, Unsaid> {
        let place = |name: &str| shown.columns.iter().position(|column| column.name == name);
        if let Some(key) = shown.columns.iter().find(|column| column.is_key)
            && plan.keys.is_empty()
            && !shown.shows_old_rows
        {
            return Err(Unsaid(format!("columns beside `{}`", key.name)));
        }
        let columns: Vec<_> = plan.columns.iter().map(|column| place(&column.name)).collect();
        let mut keys = Vec::with_capacity(plan.keys.len());
        for key in &plan.keys {
            let at = plan.columns.iter().position(|column| column.name == *key);
            let told = place(key).filter(|at| {
                shown.shows_old_rows || shown.columns.get(*at).is_some_and(|column| column.is_key)
            });
            match (at, told) {
                (Some(at), Some(told)) => keys.push((at, told)),
                _ => return Err(Unsaid(format!("`{key}`"))),
            }
        }
        Ok(Self { columns, keys, shows_old_rows: shown.shows_old_rows })
    }

    /// Whether a row has another key than before.
    pub(super) fn changes_key(&self, old: &Tuple<'_>, new: &Tuple<'_>) -> bool {
        self.keys.iter().any(|(_, at)| new.get(*at) != Some(&Cell::Unchanged) && new.get(*at) != old.get(*at))
    }

    /// Whether a column is left out of the new row, and the old one does not have it.
    pub(super) fn lacks_values(&self, new: &Tuple<'_>) -> bool {
        let lacks =
            |at: &usize| new.get(*at) == Some(&Cell::Unchanged) && !self.keys.iter().any(|key| key.1 == *at);
        !self.shows_old_rows && self.columns.iter().flatten().any(lacks)
    }

    /// What finds the row of the new key at the server.
    pub(super) fn finds(
        &self,
        plan: &StreamPlan,
        old: Option<&Tuple<'_>>,
        new: &Tuple<'_>,
    ) -> Option<Vec<String>> {
        let condition = |(column, at): &(usize, usize)| {
            let Cell::Text(value) = key_cell(*at, old, new)? else { return None };
            let name = &plan.columns.get(*column)?.name;
            Some(format!("{} = {}", quoted(name), literal(std::str::from_utf8(value).ok()?)))
        };
        self.keys.iter().map(condition).collect()
    }
}

fn key_cell<'a>(at: usize, old: Option<&Tuple<'a>>, new: &Tuple<'a>) -> Option<Cell<'a>> {
    match new.get(at) {
        Some(Cell::Unchanged) => old?.get(at).copied(),
        cell => cell.copied(),
    }
}

/// Writes records, of any stream.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) json: Vec<u8>,
    cell: Vec<u8>,
    dates: DatePolicy,
}

impl Writer {
    pub(super) fn new(dates: DatePolicy) -> Self {
        Self { json: Vec::new(), cell: Vec::new(), dates }
    }

    /// A row as it is now. What the log does not have of it comes from the old row, or was looked up; else it is left
    /// out, and stays as it is.
    pub(super) fn row(
        &mut self,
        plan: &StreamPlan,
        places: &Places,
        (old, new): (Option<&Tuple<'_>>, &Tuple<'_>),
        looked_up: Option<&Row<'_>>,
    ) -> Result<(), TapError> {
        self.json.clear();
        self.json.push(b'{');
        for (at, column) in plan.columns.iter().enumerate() {
            let Some(place) = places.columns.get(at).copied().flatten() else { continue };
            let is_told = places.shows_old_rows || places.keys.iter().any(|key| key.1 == place);
            let cell = match new.get(place) {
                Some(Cell::Unchanged) if is_told => old.and_then(|old| old.get(place)).copied(),
                cell => cell.copied(),
            };
            match cell {
                Some(Cell::Text(text)) => self.text(plan, column, text)?,
                Some(Cell::Null) => self.null(column),
                Some(Cell::Unchanged) | None => match looked_up.map(|row| row.field(at)) {
                    Some(Some(cell)) => self.value(plan, column, cell)?,
                    Some(None) => self.null(column),
                    None => {}
                },
            }
        }
        self.json.push(b'}');
        Ok(())
    }

    /// A row that is gone: its key, or all of it where it has none.
    pub(super) fn gone(
        &mut self,
        plan: &StreamPlan,
        places: &Places,
        old: &Tuple<'_>,
        at: i64,
    ) -> Result<(), TapError> {
        self.json.clear();
        self.json.push(b'{');
        for (index, column) in plan.columns.iter().enumerate() {
            let Some(place) = places.columns.get(index).copied().flatten() else { continue };
            if !places.keys.is_empty() && !places.keys.iter().any(|key| key.0 == index) {
                continue;
            }
            match old.get(place) {
                Some(Cell::Text(text)) => self.text(plan, column, text)?,
                _ if !places.keys.is_empty() => return Err(without_identity(plan, &column.name)),
                _ => self.null(column),
            }
        }
        self.label("_sdc_deleted_at");
        let moment =
            json::write_scalar(Form::TimestampTz, &at.to_be_bytes(), DatePolicy::Keep, &mut self.json);
        moment.map_err(|fault| unfit(&plan.id, "_sdc_deleted_at", fault))?;
        self.json.push(b'}');
        Ok(())
    }

    fn text(&mut self, plan: &StreamPlan, column: &PlannedColumn, text: &[u8]) -> Result<(), TapError> {
        let mut cell = std::mem::take(&mut self.cell);
        cell.clear();
        text::cell(&column.column_type, text, &mut cell)
            .map_err(|fault| unfit(&plan.id, &column.name, fault.into()))?;
        let written = self.value(plan, column, &cell);
        self.cell = cell;
        written
    }

    fn value(&mut self, plan: &StreamPlan, column: &PlannedColumn, cell: &[u8]) -> Result<(), TapError> {
        self.label(&column.name);
        json::write(&column.column_type, cell, self.dates, &mut self.json)
            .map_err(|fault| unfit(&plan.id, &column.name, fault))
    }

    fn null(&mut self, column: &PlannedColumn) {
        self.label(&column.name);
        self.json.extend_from_slice(b"null");
    }

    fn label(&mut self, name: &str) {
        if self.json.len() > 1 {
            self.json.push(b',');
        }
        // A text always has a JSON form.
        let _ = serde_json::to_writer(&mut self.json, name);
        self.json.push(b':');
    }
}
