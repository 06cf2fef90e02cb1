//! Why a line that is not YAML should have been in quotes.

use super::YamlFault;

/// Looks on a line for what people forget to quote. Gives the column from 1, the width, and the fault.
pub(super) fn unquoted(line: &str) -> Option<(usize, usize, YamlFault)> {
    // Nobody forgot quotes in a line that nobody wrote, and the search is not linear.
    if line.len() > 4_096 {
        return None;
    }
    let characters: Vec<char> = line.chars().collect();
    let mut at = 0;
    let mut starts_token = true;
    while let Some(&character) = characters.get(at) {
        let rest = characters.get(at..).unwrap_or_default();
        match character {
            '"' | '\'' if starts_token => {
                at += rest.iter().skip(1).position(|c| *c == character).map_or(rest.len(), |end| end + 2);
                starts_token = false;
                continue;
            }
            '#' if starts_token || at.checked_sub(1).and_then(|at| characters.get(at)) == Some(&' ') => {
                return None;
            }
            '$' if rest.get(1) == Some(&'{') => {
                let word = until(rest, |rest| rest.first() == Some(&'}'), true);
                return Some((
                    at + 1,
                    word.chars().count(),
                    fault("`${…}` inside `{ }` or before text", &word),
                ));
            }
            '*' | '@' | '%' | '`' if starts_token => {
                let word = until(rest, ends_token, false);
                let what = format!("`{character}` cannot begin a plain word in YAML");
                return Some((at + 1, word.chars().count().max(1), fault(&what, &word)));
            }
            '{' if starts_token => {
                let word = until(rest, ends_token_outside_braces(), false);
                let inside = word.trim_end();
                let is_empty = inside.trim_matches(['{', '}', ' ']).is_empty();
                if !is_empty && !inside.contains(": ") && inside.contains('}') {
                    let what = "`{` at the beginning starts a map in YAML";
                    return Some((at + 1, inside.chars().count(), fault(what, inside)));
                }
            }
            _ => {}
        }
        starts_token = match character {
            ' ' | '\t' => starts_token,
            ',' | '[' | '{' => true,
            ':' | '-' | '?' => rest.get(1).is_none_or(|next| *next == ' '),
            _ => false,
        };
        at += 1;
    }
    None
}

fn fault(what: &str, word: &str) -> YamlFault {
    YamlFault::NeedsQuotes { what: what.to_owned(), example: format!("\"{word}\"") }
}

/// The text up to where the rest of the line fulfils the condition.
fn until(rest: &[char], mut ends: impl FnMut(&[char]) -> bool, with_last: bool) -> String {
    let end = (0..rest.len()).find(|at| ends(rest.get(*at..).unwrap_or_default())).unwrap_or(rest.len());
    rest.iter().take(end + usize::from(with_last)).collect()
}

fn ends_token(rest: &[char]) -> bool {
    matches!(rest, [',' | ']' | '}' | ' ', ..] | [':'] | [':', ' ', ..])
}

fn ends_token_outside_braces() -> impl FnMut(&[char]) -> bool {
    let mut open = 0_usize;
    move |rest| {
        match rest.first() {
            Some('{') => open += 1,
            Some('}') => {
                open = open.saturating_sub(1);
                return false;
            }
            _ => {}
        }
        open == 0 && ends_token(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::unquoted;

    fn example(line: &str) -> Option<(usize, String)> {
        unquoted(line).map(|(column, _, fault)| (column, crate::yaml::YamlFault::hint(&fault).unwrap()))
    }

    #[test]
    fn what_people_forget_to_quote_is_found() {
        let found = |line, column, word: &str| {
            assert_eq!(example(line), Some((column, format!("write \"{word}\""))), "{line}");
        };
        found("  *-log: exclude", 3, "*-log");
        found("user: @me", 7, "@me");
        found("where: %x", 8, "%x");
        found("  {a,b_*}: include", 3, "{a,b_*}");
        found("target_schema: {schema}_raw", 16, "{schema}_raw");
        found("config: { password: ${env:PG}, a: 1 }", 21, "${env:PG}");
        found("- *", 3, "*");
    }

    #[test]
    fn quoted_words_comments_and_maps_are_fine() {
        for line in ["\"*-log\": exclude # *x", "a: { b: 1 }", "a: b*", "x: 'it @ % {'", "a: [1, 2]", "a: {}"]
        {
            assert_eq!(example(line), None, "{line}");
        }
    }
}
