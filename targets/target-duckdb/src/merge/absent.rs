//! Cells that did not come: they stay as the record before has them, be it staged, too, or in the table.

use target_api::sql::quoted;

use crate::stage::Staging;

/// The `last` records of their keys, completed by those of the same key before them, back to the last delete: a column
/// `x3` says of `c3` that it is to stay as the table has it. `None` where all cells came.
pub(super) fn completed(staging: &Staging, last: &str, keys: &str) -> Option<String> {
    if staging.absent.is_empty() {
        return None;
    }
    let staged = staging.place();
    // What comes behind a delete is a new record, of which nothing is there.
    let (deletes, loaded) = match staging.on_delete.column() {
        Some(at) => (
            format!("count(c{at}) OVER (PARTITION BY {keys} ORDER BY rowid)"),
            format!(" WHERE c{at} IS NULL"),
        ),
        None => ("0".to_owned(), String::new()),
    };
    let before = staging.absent.iter().map(|at| {
        format!(
            ", last(c{at} ORDER BY place) FILTER (WHERE NOT {0}) AS d{at}, \
             bool_and({0}) AND deletes = 0 AS x{at}",
            is_absent(*at)
        )
    });
    let cells = (0..staging.columns.len()).map(|at| {
        if staging.absent.contains(&at) {
            format!("CASE WHEN {} THEN d{at} ELSE c{at} END AS c{at}, x{at}, ", is_absent(at))
        } else {
            format!("c{at}, ")
        }
    });
    Some(format!(
        "(SELECT {} FROM (SELECT *, rowid AS number FROM {staged} WHERE {last}) JOIN (SELECT max(place) AS last{} \
         FROM (SELECT *, rowid AS place, {deletes} AS deletes FROM {staged}){loaded} GROUP BY {keys}, deletes) \
         ON number = last)",
        cells.collect::<String>().trim_end_matches(", "),
        before.collect::<String>()
    ))
}

fn is_absent(column: usize) -> String {
    format!("coalesce(list_contains(a, {column}), false)")
}

/// What a select from [`completed`] records takes of them beside the values.
pub(super) fn flags(staging: &Staging) -> String {
    staging.absent.iter().map(|at| format!(", x{at}")).collect::<Vec<_>>().concat()
}

/// `"v" = s.v3`, unless no cell came for a record that is there and not deleted.
pub(super) fn kept(staging: &Staging, place: &str, index: usize, name: &str, value: &str) -> String {
    let name = quoted(name);
    if !staging.absent.contains(&index) {
        return format!("{name} = {value}");
    }
    let deleted = staging.on_delete.column().and_then(|at| staging.columns.get(at));
    let lives = deleted.map(|column| format!(" AND {place}.{} IS NULL", quoted(&column.name)));
    let lives = lives.unwrap_or_default();
    format!("{name} = CASE WHEN s.x{index}{lives} THEN {place}.{name} ELSE {value} END")
}
