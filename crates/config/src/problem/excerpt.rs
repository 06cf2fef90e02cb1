use crate::place::Place;
use crate::secrets::is_secret_name;

/// How much of a line is shown, in characters.
const WIDTH: usize = 110;

/// The line of the place with a caret under it, without a last newline. Values that look like a password by their
/// key's name are starred out.
pub(super) fn excerpt(place: &Place, label: Option<&str>) -> String {
    let line = place.file.text.lines().nth(place.line.saturating_sub(1)).unwrap_or_default();
    let line: Vec<char> = hide_secrets(line).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let column = place.column.saturating_sub(1).min(line.len());
    // A long line is cut so that the caret stays in sight.
    let start = if line.len() > WIDTH { column.saturating_sub(WIDTH / 2) } else { 0 };
    let end = line.len().min(start + WIDTH);
    let before = if start > 0 { "…" } else { "" };
    let after = if end < line.len() { "…" } else { "" };
    let shown: String = line.get(start..end).unwrap_or_default().iter().collect();
    let indent = " ".repeat(column - start + before.chars().count());
    let carets = "^".repeat(place.width.clamp(1, end.saturating_sub(column).max(1)));
    let label = label.map(|label| format!(" {label}")).unwrap_or_default();
    format!("{:>5} | {before}{shown}{after}\n      | {indent}{carets}{label}", place.line)
}

/// Stars, as many as the value had characters, so that the caret still fits.
fn hide_secrets(line: &str) -> String {
    let characters: Vec<char> = line.chars().collect();
    let mut shown = characters.clone();
    for (at, _) in characters.iter().enumerate().filter(|(_, character)| **character == ':') {
        let name = key_before(&characters, at);
        if !is_secret_name(&name) {
            continue;
        }
        let rest = characters.get(at + 1..).unwrap_or_default();
        let start = at + 1 + rest.iter().take_while(|character| character.is_whitespace()).count();
        let value = characters.get(start..).unwrap_or_default();
        let quote = value.first().copied().filter(|first| ['"', '\''].contains(first));
        let length = match quote {
            Some(quote) => value.iter().skip(1).position(|character| *character == quote).map(|end| end + 2),
            None => value.iter().position(|character| [',', '}'].contains(character)),
        };
        let value: String = value.iter().take(length.unwrap_or(value.len())).collect();
        let value = value.trim_end();
        // An interpolation is no secret, what it gives is; nor is a map.
        if value.contains("${") || value.starts_with('{') || value.starts_with('[') {
            continue;
        }
        for character in shown.iter_mut().skip(start).take(value.chars().count()) {
            *character = '*';
        }
    }
    shown.into_iter().collect()
}

fn key_before(characters: &[char], colon: usize) -> String {
    let name = characters.iter().take(colon).rev();
    let name: Vec<char> = name
        .skip_while(|character| ['"', '\'', ' '].contains(character))
        .take_while(|character| character.is_alphanumeric() || ['_', '-', '.'].contains(character))
        .copied()
        .collect();
    name.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::hide_secrets;

    #[test]
    fn a_password_in_the_file_is_starred_out() {
        assert_eq!(
            hide_secrets("{ user: me, password: \"a, b\", \"api_token\": x , port: 1 }"),
            "{ user: me, password: ******, \"api_token\": * , port: 1 }"
        );
        assert_eq!(hide_secrets("password: hunter2"), "password: *******");
    }

    #[test]
    fn an_interpolation_is_shown() {
        assert_eq!(hide_secrets("password: \"${env:PG}\""), "password: \"${env:PG}\"");
    }
}
