//! What has changed at the source since the last run, in words.

use singer::CatalogChange;

/// So many of a kind are named; the rest are counted.
const MOST: usize = 10;

/// A block of lines; empty when nothing has changed.
pub(super) fn told(changes: &[CatalogChange]) -> String {
    let mut lines: Vec<(String, Vec<String>)> = Vec::new();
    for change in changes {
        let (head, item) = match change {
            CatalogChange::StreamAdded { stream, selected: true } => {
                ("new streams".to_owned(), stream.clone())
            }
            CatalogChange::StreamAdded { stream, .. } => {
                ("new streams, not selected".to_owned(), stream.clone())
            }
            CatalogChange::StreamRemoved { stream } => ("streams gone".to_owned(), stream.clone()),
            CatalogChange::ColumnAdded { stream, column } => {
                (format!("{stream}: new columns"), column.clone())
            }
            CatalogChange::ColumnRemoved { stream, column } => {
                (format!("{stream}: columns gone"), column.clone())
            }
            CatalogChange::ColumnRetyped { stream, column, before, after } => {
                (format!("{stream}: retyped"), format!("{column} ({before} → {after})"))
            }
        };
        match lines.iter_mut().find(|(known, _)| *known == head) {
            Some((_, items)) => items.push(item),
            None => lines.push((head, vec![item])),
        }
    }
    if lines.is_empty() {
        return String::new();
    }
    let mut text = "The tap's catalog has changed since the last run:\n".to_owned();
    for (head, items) in lines {
        let more = items.len().saturating_sub(MOST);
        let named = items.into_iter().take(MOST).collect::<Vec<_>>().join(", ");
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        text.push_str(&format!("  {head}: {named}{more}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use singer::CatalogChange;

    use super::told;

    #[test]
    fn changes_are_gathered_by_stream_and_long_lists_are_counted() {
        let mut changes: Vec<_> = (0..12)
            .map(|n| CatalogChange::ColumnAdded { stream: "a".into(), column: format!("c{n}") })
            .collect();
        changes.push(CatalogChange::ColumnRetyped {
            stream: "a".into(),
            column: "x".into(),
            before: "integer".into(),
            after: "string".into(),
        });
        changes.push(CatalogChange::StreamAdded { stream: "b".into(), selected: false });
        insta::assert_snapshot!(told(&changes), @r"
        The tap's catalog has changed since the last run:
          a: new columns: c0, c1, c2, c3, c4, c5, c6, c7, c8, c9 and 2 more
          a: retyped: x (integer → string)
          new streams, not selected: b
        ");
        assert_eq!(told(&[]), "");
    }
}
