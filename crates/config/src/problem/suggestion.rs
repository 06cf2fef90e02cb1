//! "did you mean".

/// The nearest of the known words, when it is near enough to be meant.
pub fn did_you_mean<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let found = found.to_lowercase();
    let near = known.into_iter().map(|word| (strsim::osa_distance(&found, &word.to_lowercase()), word));
    let (distance, word) = near.min_by_key(|(distance, _)| *distance)?;
    let allowed = (found.chars().count().max(word.chars().count()) / 3).max(1);
    (distance <= allowed).then_some(word)
}

/// `a`, `b` or `c`.
pub(crate) fn one_of<T: AsRef<str>>(words: &[T]) -> String {
    match words {
        [] => "nothing".to_owned(),
        [one] => format!("`{}`", one.as_ref()),
        [first @ .., last] => {
            let first: Vec<_> = first.iter().map(|word| format!("`{}`", word.as_ref())).collect();
            format!("{} or `{}`", first.join(", "), last.as_ref())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    #[test]
    fn typing_slips_are_near() {
        assert_eq!(did_you_mean("tpa", ["tag", "tap"]), Some("tap"), "two letters swapped are one slip");
        assert_eq!(did_you_mean("tarjet", ["tap", "target", "tags"]), Some("target"));
        assert_eq!(did_you_mean("APPEND_ONLY", ["upsert", "append-only"]), Some("append-only"));
    }

    #[test]
    fn another_word_is_not_meant() {
        assert_eq!(did_you_mean("warehouse", ["tap", "target"]), None);
    }
}
