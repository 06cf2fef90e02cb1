use anstyle::Style;

use super::style::DIM;

/// Which side a column's cells lean to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// A table of plain text: a dim head, columns two blanks apart, no lines.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<(&'static str, Align)>,
    lines: Vec<Vec<(String, Style)>>,
}

impl Table {
    pub(crate) fn new(columns: &[(&'static str, Align)]) -> Self {
        Self { columns: columns.to_vec(), lines: Vec::new() }
    }

    /// Adds a line of plain cells.
    pub(crate) fn line(&mut self, cells: impl IntoIterator<Item = String>) {
        self.styled_line(cells.into_iter().map(|cell| (cell, Style::new())));
    }

    /// Adds a line of cells with their style.
    pub(crate) fn styled_line(&mut self, cells: impl IntoIterator<Item = (String, Style)>) {
        self.lines.push(cells.into_iter().collect());
    }

    /// The table as text, each line set in by `indent` blanks. Columns without content are left out.
    pub(crate) fn render(&self, indent: usize) -> String {
        let head: Vec<_> = self.columns.iter().map(|(name, _)| ((*name).to_owned(), DIM)).collect();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|column| {
                let cells = self.lines.iter().filter_map(|line| line.get(column));
                match cells.map(|(text, _)| width(text)).max().unwrap_or(0) {
                    0 => 0,
                    widest => widest.max(head.get(column).map_or(0, |(name, _)| width(name))),
                }
            })
            .collect();
        let mut text = String::new();
        for line in std::iter::once(&head).chain(&self.lines) {
            text.push_str(&" ".repeat(indent));
            text.push_str(self.render_line(line, &widths).trim_end());
            text.push('\n');
        }
        text
    }

    fn render_line(&self, line: &[(String, Style)], widths: &[usize]) -> String {
        let mut text = String::new();
        for (((cell, style), (_, align)), wide) in line.iter().zip(&self.columns).zip(widths) {
            if *wide == 0 {
                continue;
            }
            if !text.is_empty() {
                text.push_str("  ");
            }
            let pad = " ".repeat(wide.saturating_sub(width(cell)));
            let cell = format!("{style}{cell}{style:#}");
            match align {
                Align::Left => text.extend([cell, pad]),
                Align::Right => text.extend([pad, cell]),
            }
        }
        text
    }
}

/// Terminal columns, for the scripts in which names are written here: one a character.
fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::{Align, Table};

    #[test]
    fn columns_line_up_and_empty_ones_are_left_out() {
        let mut table =
            Table::new(&[("stream", Align::Left), ("nothing", Align::Left), ("read", Align::Right)]);
        table.line(["airlines".into(), String::new(), "16".into()]);
        table.line(["é".into(), String::new(), "336,776".into()]);
        let plain = anstream::adapter::strip_str(&table.render(2)).to_string();
        assert_eq!(plain, "  stream       read\n  airlines       16\n  é         336,776\n");
    }
}
