//! "did you mean".

/// The nearest of the known words, when it is near enough to be meant.
pub fn did_you_mean<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let found = found.to_lowercase();
    let near = known.into_iter().map(|word| (distance(&found, &word.to_lowercase()), word));
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

/// Insertions, deletions, replacements and swaps of neighbours between two words.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (row, a) in left.iter().enumerate() {
        let mut line = vec![row + 1];
        for (column, b) in right.iter().enumerate() {
            let at = |cells: &[usize], column: usize| cells.get(column).copied().unwrap_or(usize::MAX - 1);
            let mut cost = (at(&above, column) + usize::from(a != b))
                .min(at(&above, column + 1) + 1)
                .min(at(&line, column) + 1);
            let swapped =
                row > 0 && column > 0 && left.get(row - 1) == Some(b) && right.get(column - 1) == Some(a);
            if swapped {
                cost = cost.min(at(&before, column - 1) + 1);
            }
            line.push(cost);
        }
        before = std::mem::replace(&mut above, line);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{did_you_mean, distance};

    #[test]
    fn typing_slips_are_near() {
        assert_eq!(distance("tarjet", "target"), 1);
        assert_eq!(distance("traget", "target"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(did_you_mean("tarjet", ["tap", "target", "tags"]), Some("target"));
        assert_eq!(did_you_mean("APPEND_ONLY", ["upsert", "append-only"]), Some("append-only"));
    }

    #[test]
    fn another_word_is_not_meant() {
        assert_eq!(did_you_mean("warehouse", ["tap", "target"]), None);
    }
}
