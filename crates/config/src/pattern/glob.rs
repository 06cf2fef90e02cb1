use std::fmt;

use super::PatternFault;
use super::expand::{Token, expand};
use crate::problem::{ConfigError, Problem};

/// What names of streams, columns or pipelines are meant.
#[derive(Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    alternatives: Vec<Vec<Token>>,
}

impl Pattern {
    pub(crate) fn parse(text: &str) -> Result<Self, PatternFault> {
        if text.is_empty() {
            return Err(PatternFault::Empty);
        }
        Ok(Self { text: text.to_owned(), alternatives: expand(text)? })
    }

    /// Reads a pattern that was given on the command line.
    ///
    /// # Errors
    /// When a brace is not closed, the text empty, or it stands for too many alternatives.
    pub fn new(text: &str) -> Result<Self, ConfigError> {
        Self::parse(text).map_err(|fault| Problem::nowhere(fault).into())
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the whole name is one of those that are meant.
    pub fn matches(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().collect();
        self.alternatives.iter().any(|tokens| matches(tokens, &name))
    }

    /// The names that are meant one by one: each alternative without wildcard, its escapes resolved.
    pub fn names(&self) -> impl Iterator<Item = String> {
        self.alternatives.iter().filter_map(|tokens| literal(tokens))
    }

    /// Whether any alternative has a wildcard.
    pub fn has_wildcard(&self) -> bool {
        self.alternatives.iter().any(|tokens| literal(tokens).is_none())
    }

    /// Whether a column is meant by its path from the top: an unescaped dot goes into an object, `\.` is a dot in a
    /// name, and a wildcard stays on its level.
    pub(crate) fn matches_path(&self, path: &[&str]) -> bool {
        self.alternatives.iter().any(|tokens| {
            let levels: Vec<_> = levels(tokens).collect();
            levels.len() == path.len()
                && levels
                    .iter()
                    .zip(path)
                    .all(|(tokens, name)| matches(tokens, &name.chars().collect::<Vec<_>>()))
        })
    }

    /// Whether columns inside of others are meant.
    pub(crate) fn is_nested(&self) -> bool {
        self.alternatives.iter().any(|tokens| levels(tokens).nth(1).is_some())
    }

    /// The paths that are meant one by one.
    pub(crate) fn paths(&self) -> impl Iterator<Item = Vec<String>> {
        self.alternatives.iter().filter_map(|tokens| levels(tokens).map(literal).collect())
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Pattern({})", self.text)
    }
}

fn levels(tokens: &[Token]) -> impl Iterator<Item = &[Token]> {
    tokens.split(|token| *token == Token::Literal { character: '.', is_escaped: false })
}

fn literal(tokens: &[Token]) -> Option<String> {
    let character = |token: &Token| match token {
        Token::Literal { character, .. } => Some(*character),
        Token::AnyOne | Token::AnyMany => None,
    };
    tokens.iter().map(character).collect()
}

/// Goes back to the last `*` alone, so that no pattern takes more than pattern × name steps.
fn matches(tokens: &[Token], name: &[char]) -> bool {
    let (mut token, mut character) = (0, 0);
    let mut last_star: Option<(usize, usize)> = None;
    while character < name.len() {
        let fits = match tokens.get(token) {
            Some(Token::AnyMany) => {
                last_star = Some((token, character));
                token += 1;
                continue;
            }
            Some(Token::AnyOne) => true,
            Some(Token::Literal { character: wanted, .. }) => name.get(character) == Some(wanted),
            None => false,
        };
        if fits {
            token += 1;
            character += 1;
        } else if let Some((star, start)) = last_star {
            last_star = Some((star, start + 1));
            token = star + 1;
            character = start + 1;
        } else {
            return false;
        }
    }
    tokens.get(token..).is_some_and(|rest| rest.iter().all(|token| *token == Token::AnyMany))
}
