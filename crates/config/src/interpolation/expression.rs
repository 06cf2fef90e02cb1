use super::InterpolationFault;
use crate::problem::did_you_mean;

/// A text in pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(String),
    Expression(Expression),
}

/// What stands in `${…}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expression {
    /// As it was written, without `${` and `}`.
    pub(crate) text: String,
    /// The value is parsed as JSON.
    pub(crate) is_json: bool,
    pub(crate) origin: Origin,
}

/// Where the value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    Variable {
        name: String,
        default: Option<String>,
    },
    File(String),
    Command(String),
    /// The folder of the run, which is not made yet: the runner knows it.
    RunFolder,
}

/// Whether there is anything to resolve, `$${` included.
pub(crate) fn has_expression(text: &str) -> bool {
    text.contains("${")
}

/// Takes a text apart.
pub(crate) fn parse(text: &str) -> Result<Vec<Piece>, InterpolationFault> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let (before, after) =
            (rest.get(..start).unwrap_or_default(), rest.get(start + 2..).unwrap_or_default());
        if let Some(before) = before.strip_suffix('$') {
            literal.push_str(before);
            literal.push_str("${");
            rest = after;
            continue;
        }
        literal.push_str(before);
        let (inside, after) = after.split_once('}').ok_or(InterpolationFault::NotClosed)?;
        if !literal.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut literal)));
        }
        pieces.push(Piece::Expression(expression(inside)?));
        rest = after;
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        pieces.push(Piece::Text(literal));
    }
    let json = pieces.iter().find_map(|piece| match piece {
        Piece::Expression(expression) if expression.is_json => Some(expression.text.clone()),
        _ => None,
    });
    match json {
        Some(text) if pieces.len() > 1 => Err(InterpolationFault::JsonInText(text)),
        _ => Ok(pieces),
    }
}

fn expression(text: &str) -> Result<Expression, InterpolationFault> {
    let (is_json, inside) = text.strip_prefix("json:").map_or((false, text), |inside| (true, inside));
    let unknown = || InterpolationFault::UnknownKind { expression: text.to_owned(), meant: meant(inside) };
    let (kind, argument) = inside.split_once(':').ok_or_else(unknown)?;
    let argument_or_empty = || {
        let argument = argument.trim();
        if argument.is_empty() {
            Err(InterpolationFault::Empty(text.to_owned()))
        } else {
            Ok(argument.to_owned())
        }
    };
    let origin = match kind {
        "env" => {
            let (name, default) = match argument.split_once(":-") {
                Some((name, default)) => (name, Some(default.to_owned())),
                None => (argument, None),
            };
            if name.is_empty() {
                return Err(InterpolationFault::Empty(text.to_owned()));
            }
            Origin::Variable { name: name.to_owned(), default }
        }
        "file" => Origin::File(argument_or_empty()?),
        "cmd" => Origin::Command(argument_or_empty()?),
        "run" if argument == "folder" && !is_json => Origin::RunFolder,
        "matrix" => return Err(InterpolationFault::Matrix),
        _ => return Err(unknown()),
    };
    Ok(Expression { text: text.to_owned(), is_json, origin })
}

/// `${NAME}` is a habit from the shell; `${evn:NAME}` a slip.
fn meant(inside: &str) -> Option<String> {
    match inside.split_once(':') {
        Some((kind, argument)) if !argument.starts_with('-') => {
            let kind = did_you_mean(kind, ["env", "file", "cmd", "run", "json:env"])?;
            Some(format!("{kind}:{argument}"))
        }
        _ if inside.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') => {
            Some(format!("env:{inside}"))
        }
        _ => None,
    }
}
