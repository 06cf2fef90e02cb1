/// So many characters of a bookmark are shown.
const LONGEST: usize = 32;

/// `before → after` of a bookmark's JSON texts, each short enough to be read.
pub(crate) fn bookmark_change(before: Option<&str>, after: Option<&str>) -> String {
    let short = |text: Option<&str>| text.map_or_else(|| "none".to_owned(), bookmark);
    match (before, after) {
        (None, None) => "none".to_owned(),
        (before, after) if before == after => format!("{}, unchanged", short(after)),
        (before, after) => match (short(before), short(after)) {
            // They differ in what is not shown.
            (shown, same) if shown == same => format!("{shown}, {}", changed(before, after)),
            (before, after) => format!("{before} → {after}"),
        },
    }
}

/// The replication key's value where there is one; otherwise the bookmark's plain values with their names.
pub(crate) fn bookmark(text: &str) -> String {
    let Ok(value) = singer::Json::parse(text) else { return String::new() };
    let text = match value.get("replication_key_value") {
        Some(key) => key.as_str().map_or_else(|| key.to_string(), str::to_owned),
        None => several(&value).unwrap_or_else(|| plain(&value)),
    };
    if text.chars().count() <= LONGEST {
        return text;
    }
    text.chars().take(LONGEST).chain(['…']).collect()
}

/// The first member that changed, where it is short enough to be read.
fn changed(before: Option<&str>, after: Option<&str>) -> String {
    let parse = |text: Option<&str>| singer::Json::parse(text?).ok();
    let mut parts = Vec::new();
    if let (Some(before), Some(after)) = (parse(before), parse(after)) {
        changes(&before, &after, &mut parts);
    }
    match parts.as_slice() {
        [first, rest @ ..] if first.chars().count() <= LONGEST => {
            first.clone() + if rest.is_empty() { "" } else { ", …" }
        }
        _ => "changed".to_owned(),
    }
}

fn changes(before: &singer::Json, after: &singer::Json, parts: &mut Vec<String>) {
    for (name, after) in after.as_object().into_iter().flatten() {
        match before.get(name) {
            Some(before) if before.as_object().is_some() && after.as_object().is_some() => {
                changes(before, after, parts);
            }
            Some(before) if before != after => parts.push(format!("{name} {before} → {after}")),
            _ => {}
        }
    }
}

/// `3 files`: a bookmark of several like things, no one of which stands for it.
fn several(value: &singer::Json) -> Option<String> {
    let mut members = value.as_object()?.iter();
    let (name, inside) = members.next().filter(|_| members.next().is_none())?;
    let inside = inside.as_object()?;
    let alike = inside.len() > 1 && inside.iter().all(|(_, one)| one.as_object().is_some());
    alike.then(|| format!("{} {name}", inside.len()))
}

fn plain(value: &singer::Json) -> String {
    let Some(members) = value.as_object() else { return value.to_string() };
    let parts = members.iter().map(|(name, value)| match value {
        singer::Json::Object(_) => plain(value),
        value => format!("{name} {value}"),
    });
    parts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::{bookmark, bookmark_change};

    #[test]
    fn bookmarks_are_short_and_say_what_moved() {
        assert_eq!(
            bookmark(r#"{"replication_key":"at","replication_key_value":"2026-01-01"}"#),
            "2026-01-01"
        );
        assert_eq!(bookmark(r#"{"files":{"a.csv":{"bytes":386,"lines":17}}}"#), "bytes 386, lines 17");
        assert_eq!(bookmark_change(None, Some("7")), "none → 7");
        assert_eq!(bookmark_change(Some("7"), Some("7")), "7, unchanged");
    }

    #[test]
    fn a_bookmark_of_several_files_counts_them_and_says_what_changed() {
        let files = |lines: u32| {
            format!(
                r#"{{"files":{{"a.csv":{{"bytes":386,"lines":17}},"b.csv":{{"bytes":386,"lines":{lines}}}}}}}"#
            )
        };
        assert_eq!(bookmark(&files(1)), "2 files");
        assert_eq!(bookmark_change(Some(&files(1)), Some(&files(2))), "2 files, lines 1 → 2");
        let long = |end: &str| format!(r#"{{"position":"{}{end}"}}"#, "a".repeat(50));
        assert!(bookmark_change(Some(&long("1")), Some(&long("2"))).ends_with("…, changed"));
    }
}
