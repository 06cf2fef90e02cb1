/// `before → after` of a bookmark's JSON texts, each short enough to be read.
pub(crate) fn bookmark_change(before: Option<&str>, after: Option<&str>) -> String {
    let short = |text: Option<&str>| text.map_or_else(|| "none".to_owned(), bookmark);
    match (before, after) {
        (None, None) => "none".to_owned(),
        (before, after) if before == after => format!("{}, unchanged", short(after)),
        (before, after) => match (short(before), short(after)) {
            // They differ in what is not shown.
            (before, after) if before == after => after,
            (before, after) => format!("{before} → {after}"),
        },
    }
}

/// The replication key's value where there is one; otherwise the bookmark's plain values with their names.
pub(crate) fn bookmark(text: &str) -> String {
    const LONGEST: usize = 32;
    let Ok(value) = singer::Json::parse(text) else { return String::new() };
    let text = match value.get("replication_key_value") {
        Some(key) => key.as_str().map_or_else(|| key.to_string(), str::to_owned),
        None => plain(&value),
    };
    if text.chars().count() <= LONGEST {
        return text;
    }
    text.chars().take(LONGEST).chain(['…']).collect()
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
}
