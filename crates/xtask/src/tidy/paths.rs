//! Nothing in the project may know the machine it was written on.

use super::tree::Tree;

/// Where people keep clones and homes. A `~` stands in front of each here, so that this file keeps its own rule.
const PLACES: [&str; 5] = ["~/work/", "~/farm/", "~/root/", "~/home/", "~/Users/"];

/// The folder beside the clone; split for the same reason.
const BESIDE: &str = concat!("..", "/shared");

/// Lines that name such a place.
pub(crate) fn paths(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in &tree.files {
        for (at, line) in text.lines().enumerate() {
            let place = PLACES.iter().map(|place| &place[1..]).find(|place| starts_path(line, place));
            if let Some(place) = place.or(line.contains(BESIDE).then_some(BESIDE)) {
                findings.push(format!("{path}:{}: `{place}` is a place of one machine", at + 1));
            }
        }
    }
    findings
}

/// Whether the place stands in the line at the start of a path, not in the middle of one.
fn starts_path(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|before| !before.is_alphanumeric() && !"~._-/}$*".contains(before))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_of_one_machine_is_found() {
        for place in PLACES {
            let line = format!("let path = \"{}main/x\";\n", &place[1..]);
            assert_eq!(paths(&Tree::of(&[("a.rs", &line)])).len(), 1, "{line}");
        }
        assert_eq!(paths(&Tree::of(&[("README.md", &format!("see `{BESIDE}/x`"))])).len(), 1);
    }

    #[test]
    fn the_same_words_inside_a_longer_path_are_fine() {
        let text = "https://example.com/home/x and ~/work/y and $ROOT/home/z";
        assert_eq!(paths(&Tree::of(&[("a.md", text)])), Vec::<String>::new());
    }
}
