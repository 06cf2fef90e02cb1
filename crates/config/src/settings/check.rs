use super::{Block, Key, SettingFault, Shape, Word, parse_duration, parse_size};
use crate::interpolation;
use crate::pattern::Pattern;
use crate::problem::{Problem, did_you_mean, one_of};
use crate::schedule::check_cron;
use crate::streams::NameTemplate;
use crate::yaml::{Map, Node, Value};

/// Collects everything about the value that is not as the shape says. `path` is how people are told of it:
/// `limits.batch_bytes`.
pub(crate) fn check(node: &Node, shape: &Shape, path: &str, problems: &mut Vec<Problem>) {
    let mut wrong = |expected: String, meant: Option<String>| {
        let fault = SettingFault::Value { path: path.to_owned(), expected, found: node.found(), meant };
        problems.push(Problem::new(fault, &node.place));
    };
    match (shape, &node.value) {
        (Shape::Json, _) | (Shape::JsonMap, Value::Map(_)) | (Shape::Text, Value::Text(_)) => {
            check_expressions(node, problems);
        }
        (Shape::NameTemplate, Value::Text(text)) => match NameTemplate::check(text) {
            Ok(()) => check_expressions(node, problems),
            Err(fault) => problems.push(Problem::new(fault, &node.place)),
        },
        (Shape::Cron, Value::Text(text)) => match check_cron(text) {
            _ if interpolation::has_expression(text) => check_expressions(node, problems),
            Ok(()) => {}
            Err(reason) => wrong(format!("{} ({reason})", expected(shape)), None),
        },
        (Shape::Boolean, Value::Bool(_)) | (Shape::False, Value::Bool(false)) => {}
        (Shape::Integer { least, most }, Value::Number(digits))
            if digits.parse().is_ok_and(|number: u64| (*least..=*most).contains(&number)) => {}
        (Shape::Duration { zero }, Value::Text(text))
            if parse_duration(text).is_some_and(|duration| *zero || !duration.is_zero()) => {}
        (Shape::Size { zero }, Value::Text(text))
            if parse_size(text).is_some_and(|size| *zero || size > 0) => {}
        (Shape::Word(words), Value::Text(text)) => {
            if !words.iter().any(|word| word.text == text) {
                let meant = did_you_mean(text, words.iter().map(|word| word.text));
                wrong(expected(shape), meant.map(str::to_owned));
            }
        }
        (Shape::List(item), Value::List(items)) => {
            for (at, node) in items.iter().enumerate() {
                check(node, item, &format!("{path}[{at}]"), problems);
            }
        }
        (Shape::Block(block), Value::Map(map)) => check_block(map, block, path, problems),
        (Shape::Named(shape), Value::Map(map)) => {
            map.iter().for_each(|(key, entry)| check(&entry.node, shape, &join(path, key), problems));
        }
        (Shape::Patterns(shape), Value::Map(map)) => check_patterns(map, shape, path, problems),
        (Shape::Either(shapes), _) => match shapes.iter().find(|shape| fits(shape, &node.value)) {
            Some(shape) => check(node, shape, path, problems),
            None => wrong(expected(shape), None),
        },
        (_, Value::Text(text)) => {
            let unit = if matches!(shape, Shape::Size { .. }) { repaired_size(text) } else { None };
            wrong(expected(shape), unit);
        }
        (Shape::Text | Shape::NameTemplate, Value::Number(digits)) => {
            wrong(format!("{}, in quotes", expected(shape)), Some(format!("\"{digits}\"")));
        }
        _ => wrong(expected(shape), None),
    }
}

fn check_block(map: &Map, block: &'static Block, path: &str, problems: &mut Vec<Problem>) {
    for (name, entry) in map {
        if block.takes_own_keys && name.starts_with("x-") {
            continue;
        }
        match block.key(name) {
            Some(key) => check(&entry.node, &key.shape, &join(path, name), problems),
            None => problems.push(Problem::new(unknown_key(name, block), &entry.key)),
        }
    }
}

fn unknown_key(name: &str, block: &'static Block) -> SettingFault {
    let all: Vec<_> = block.keys().map(|key: &Key| key.name).collect();
    let meant = did_you_mean(name, all.iter().copied());
    // A reserved word may be meant, but is no choice; in a reserved block there are no others.
    let built: Vec<_> = block.keys().filter(|key| key.is_built).map(|key| key.name).collect();
    let known = if built.is_empty() { all } else { built };
    SettingFault::UnknownKey { key: name.to_owned(), inside: block.what, meant, known }
}

fn check_patterns(map: &Map, shape: &Shape, path: &str, problems: &mut Vec<Problem>) {
    for (name, entry) in map {
        if let Err(fault) = Pattern::parse(name) {
            problems.push(Problem::new(fault, &entry.key));
        }
        check(&entry.node, shape, &join(path, name), problems);
    }
}

/// Every `${…}` inside must be well-formed, wherever it stands.
fn check_expressions(node: &Node, problems: &mut Vec<Problem>) {
    match &node.value {
        Value::Text(text) => {
            if let Err(fault) = interpolation::parse(text) {
                problems.push(Problem::new(fault, &node.place));
            }
        }
        Value::List(items) => items.iter().for_each(|item| check_expressions(item, problems)),
        Value::Map(map) => map.values().for_each(|entry| check_expressions(&entry.node, problems)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Whether the value is of the shape's kind, so that this alternative is what was meant.
fn fits(shape: &Shape, value: &Value) -> bool {
    match shape {
        Shape::Json => true,
        Shape::Text
        | Shape::NameTemplate
        | Shape::Cron
        | Shape::Word(_)
        | Shape::Duration { .. }
        | Shape::Size { .. } => {
            matches!(value, Value::Text(_))
        }
        Shape::Boolean => matches!(value, Value::Bool(_)),
        Shape::False => matches!(value, Value::Bool(false)),
        Shape::Integer { .. } => matches!(value, Value::Number(_)),
        Shape::List(_) => matches!(value, Value::List(_)),
        Shape::JsonMap | Shape::Block(_) | Shape::Named(_) | Shape::Patterns(_) => {
            matches!(value, Value::Map(_))
        }
        Shape::Either(shapes) => shapes.iter().any(|shape| fits(shape, value)),
    }
}

/// The shape in words, after "must be".
pub(super) fn expected(shape: &Shape) -> String {
    match shape {
        Shape::Text | Shape::NameTemplate => "a text".to_owned(),
        Shape::Cron => "five fields as in a crontab, such as \"0 6 * * mon-fri\"".to_owned(),
        Shape::Boolean => "true or false".to_owned(),
        Shape::False => "false".to_owned(),
        Shape::Integer { least, most: u64::MAX } => format!("a whole number from {least}"),
        Shape::Integer { least, most } => format!("a whole number from {least} to {most}"),
        Shape::Duration { zero: true } => "a duration such as 0s, 30s or 5m".to_owned(),
        Shape::Duration { zero: false } => "a duration such as 30s, 5m or 1h".to_owned(),
        Shape::Size { .. } => "a size such as 64KiB, 64MiB or 20GiB".to_owned(),
        Shape::Word(words) => one_of(&words.iter().map(|word: &Word| word.text).collect::<Vec<_>>()),
        Shape::Json => "a value".to_owned(),
        Shape::List(item) => format!("a list, each item {}", expected(item)),
        Shape::Block(block) => block.what.to_owned(),
        Shape::JsonMap | Shape::Named(_) | Shape::Patterns(_) => "a map".to_owned(),
        Shape::Either(shapes) => {
            let shapes: Vec<_> = shapes.iter().map(expected).collect();
            shapes.join(", or ")
        }
    }
}

/// `64MB` → `64MiB`: the unit that was meant, by its first letter.
fn repaired_size(text: &str) -> Option<String> {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    let unit = match text.trim_start_matches(|c: char| c.is_ascii_digit()).trim().chars().next()? {
        'k' | 'K' => "KiB",
        'm' | 'M' => "MiB",
        'g' | 'G' => "GiB",
        _ => return None,
    };
    parse_size(&format!("{digits}{unit}")).map(|_| format!("{digits}{unit}"))
}
