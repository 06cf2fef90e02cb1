//! The forms in which programs print a value: as it is, in JSON, in a URL, in base64.

/// Shorter ones stand in too much else; the listing of a file hides them by their place.
const SHORTEST: usize = 4;
/// A part of a base64 text that is shorter says too little to be taken out of a log.
const SHORTEST_BASE64: usize = 8;

/// Every form of the value that is hidden.
pub(super) fn forms(value: &str) -> Vec<String> {
    let mut parts = vec![value.to_owned()];
    // A key of many lines comes out line by line.
    parts.extend(value.lines().map(str::trim).filter(|line| line.len() >= 16).map(str::to_owned));
    parts.extend(password_of_url(value));
    let mut forms = Vec::new();
    for part in parts.iter().filter(|part| part.len() >= SHORTEST) {
        forms.push(part.clone());
        forms.extend([json(part, false), json(part, true), url(part, "%20"), url(part, "+")]);
        forms.extend(base64(part.as_bytes()));
    }
    forms.sort_unstable_by(|left, right| right.len().cmp(&left.len()).then_with(|| left.cmp(right)));
    forms.dedup();
    forms
}

/// The password of `scheme://user:password@host`, as it stands there and decoded.
fn password_of_url(value: &str) -> Vec<String> {
    let password = value
        .split_once("://")
        .and_then(|(_, rest)| rest.split('/').next()?.rsplit_once('@'))
        .and_then(|(user, _)| user.split_once(':'))
        .map(|(_, password)| password);
    password.into_iter().flat_map(|password| [password.to_owned(), decoded(password)]).collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend(before.as_bytes());
        if let Some(byte) = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(byte);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(b'%');
            rest = after;
        }
    }
    bytes.extend(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Inside of a JSON string; Python's writer escapes all that is not ASCII.
fn json(text: &str, ascii: bool) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            character if (character as u32) < 0x20 || (ascii && !character.is_ascii()) => {
                let mut units = [0; 2];
                escaped
                    .extend(character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
            }
            character => escaped.push(character),
        }
    }
    escaped
}

fn url(text: &str, space: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => escaped.push(byte as char),
            b' ' => escaped.push_str(space),
            byte => escaped.extend([format!("%{byte:02X}")]),
        }
    }
    escaped
}

/// The value in base64, wherever in a longer text it begins: `Basic` joins it to a user's name. The characters at
/// either end that its neighbours decide are left out.
fn base64(bytes: &[u8]) -> Vec<String> {
    let mut forms = Vec::new();
    for alphabet in [STANDARD, URL_SAFE] {
        forms.push(encode(bytes, alphabet));
        for lead in 0..3_usize {
            let shifted: Vec<u8> = std::iter::repeat_n(0, lead).chain(bytes.iter().copied()).collect();
            let whole = shifted.len() / 3 * 4 + (shifted.len() % 3 * 8) / 6;
            let first = (lead * 8).div_ceil(6);
            let core = encode(&shifted, alphabet).get(first..whole).unwrap_or_default().to_owned();
            forms.push(core);
        }
    }
    forms.retain(|form| form.len() >= SHORTEST_BASE64);
    forms
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn encode(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let group = at(0) << 16 | at(1) << 8 | at(2);
        for (index, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let letter = alphabet.get((group >> shift & 63) as usize).copied().unwrap_or(b'=');
            text.push(if index > chunk.len() { '=' } else { letter as char });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        for (text, expected) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(encode(text.as_bytes(), STANDARD), expected);
        }
    }

    #[test]
    fn a_value_is_found_in_base64_wherever_it_begins_and_ends() {
        for before in ["", "u:", "us:", "user:"] {
            for after in ["", "x", "xy"] {
                let whole = encode(format!("{before}correct-horse{after}").as_bytes(), STANDARD);
                assert!(
                    base64(b"correct-horse").iter().any(|form| whole.contains(form)),
                    "{before} {after} {whole}"
                );
            }
        }
    }

    #[test]
    fn the_password_of_a_url_is_a_secret_of_its_own() {
        let forms = forms("postgres://me:p%40ss%2Fw@dwh:5432/db");
        assert!(
            forms.contains(&"p%40ss%2Fw".to_owned()) && forms.contains(&"p@ss/w".to_owned()),
            "{forms:?}"
        );
    }
}
