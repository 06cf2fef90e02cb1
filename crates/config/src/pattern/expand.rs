//! Braces: `{a,b}c` → `ac`, `bc`.

use super::PatternFault;

/// More are a mistake, or an attack.
const MOST: usize = 1_000;

/// One thing that a name must have at this place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// This character; an unescaped one may also part nested names when it is a dot.
    Literal { character: char, is_escaped: bool },
    /// `?`
    AnyOne,
    /// `*`
    AnyMany,
}

/// Every alternative, in the order in which they are written.
pub(super) fn expand(text: &str) -> Result<Vec<Vec<Token>>, PatternFault> {
    let mut characters = text.chars().peekable();
    let (alternatives, end) = sequence(&mut characters, text, 0)?;
    match end {
        End::Text => Ok(alternatives),
        End::Comma | End::Brace => Err(PatternFault::OpenBrace(text.to_owned())),
    }
}

#[derive(PartialEq)]
enum End {
    Text,
    Comma,
    Brace,
}

/// Up to the end, or inside braces up to `,` or `}`.
fn sequence(
    characters: &mut std::iter::Peekable<std::str::Chars<'_>>,
    text: &str,
    depth: usize,
) -> Result<(Vec<Vec<Token>>, End), PatternFault> {
    let mut alternatives = vec![Vec::new()];
    while let Some(character) = characters.next() {
        let token = match character {
            '*' => Token::AnyMany,
            '?' => Token::AnyOne,
            '\\' => match characters.next() {
                Some(character) => Token::Literal { character, is_escaped: true },
                None => return Err(PatternFault::LoneEscape(text.to_owned())),
            },
            '{' => {
                alternatives = product(&alternatives, &braces(characters, text, depth)?, text)?;
                continue;
            }
            ',' if depth > 0 => return Ok((alternatives, End::Comma)),
            '}' if depth > 0 => return Ok((alternatives, End::Brace)),
            character => Token::Literal { character, is_escaped: false },
        };
        for tokens in &mut alternatives {
            tokens.push(token);
        }
    }
    Ok((alternatives, End::Text))
}

fn braces(
    characters: &mut std::iter::Peekable<std::str::Chars<'_>>,
    text: &str,
    depth: usize,
) -> Result<Vec<Vec<Token>>, PatternFault> {
    if depth >= 8 {
        return Err(PatternFault::TooMany(text.to_owned()));
    }
    let mut all = Vec::new();
    loop {
        let (alternatives, end) = sequence(characters, text, depth + 1)?;
        all.extend(alternatives);
        if all.len() > MOST {
            return Err(PatternFault::TooMany(text.to_owned()));
        }
        match end {
            End::Comma => {}
            End::Brace => return Ok(all),
            End::Text => return Err(PatternFault::OpenBrace(text.to_owned())),
        }
    }
}

fn product(left: &[Vec<Token>], right: &[Vec<Token>], text: &str) -> Result<Vec<Vec<Token>>, PatternFault> {
    if left.len() * right.len() > MOST {
        return Err(PatternFault::TooMany(text.to_owned()));
    }
    let joined = |start: &Vec<Token>, end: &Vec<Token>| start.iter().chain(end).copied().collect();
    Ok(left.iter().flat_map(|start| right.iter().map(move |end| joined(start, end))).collect())
}
