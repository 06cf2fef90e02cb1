//! Runs one SQL statement on a DuckDB file, read-only, and prints the answer as a table: `cargo x quickstart`
//! ends with it, and it is the shortest program that opens a loaded file.

use duckdb::{AccessMode, Config, Connection, types::Value};

fn main() -> duckdb::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(path), Some(sql)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: query FILE SQL");
        std::process::exit(2);
    };
    let connection = Connection::open_with_flags(path, Config::default().access_mode(AccessMode::ReadOnly)?)?;
    print_table(&answer(&connection, &sql)?);
    Ok(())
}

/// The column names, then each row, all as text.
fn answer(connection: &Connection, sql: &str) -> duckdb::Result<Vec<Vec<String>>> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut lines = vec![rows.as_ref().map(duckdb::Statement::column_names).unwrap_or_default()];
    while let Some(row) = rows.next()? {
        let cells = (0..lines[0].len()).map(|column| row.get(column).map(text));
        lines.push(cells.collect::<duckdb::Result<_>>()?);
    }
    Ok(lines)
}

/// A cell as it is shown; kinds that this program's questions never ask for show their debug form.
fn text(value: Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Text(text) => text,
        Value::BigInt(number) => number.to_string(),
        Value::Double(number) => number.to_string(),
        other => format!("{other:?}"),
    }
}

#[expect(clippy::print_stdout, reason = "its answer is what this program is for")]
fn print_table(lines: &[Vec<String>]) {
    let columns = lines.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns)
        .map(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0))
        .collect();
    for line in lines {
        let cells = line.iter().zip(&widths).map(|(cell, &width)| match cell.parse::<f64>() {
            Ok(_) => format!("{cell:>width$}"),
            Err(_) => format!("{cell:<width$}"),
        });
        println!("  {}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
}
