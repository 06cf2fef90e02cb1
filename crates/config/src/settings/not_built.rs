use super::{Block, SettingFault, Shape};
use crate::problem::Problem;
use crate::selection::Warning;
use crate::yaml::{Map, Node, Value};

/// Collects the keys and words that are reserved, but that nothing honours yet. A file may hold them; a pipeline
/// that uses them cannot run, because a setting is never ignored.
pub(crate) fn not_built(node: &Node, shape: &Shape, problems: &mut Vec<Problem>) {
    match (shape, &node.value) {
        (Shape::Word(words), Value::Text(text))
            if words.iter().any(|word| word.text == text && !word.is_built) =>
        {
            problems.push(Problem::new(SettingFault::NotBuilt(text.clone()), &node.place));
        }
        (Shape::List(item), Value::List(items)) => {
            for node in items {
                not_built(node, item, problems);
            }
        }
        (Shape::Block(block), Value::Map(map)) => {
            for (name, entry) in map {
                match block.key(name) {
                    Some(key) if key.is_built => not_built(&entry.node, &key.shape, problems),
                    Some(_) => problems.push(Problem::new(SettingFault::NotBuilt(name.clone()), &entry.key)),
                    None => {}
                }
            }
        }
        (Shape::Named(shape) | Shape::Patterns(shape), Value::Map(map)) => {
            map.values().for_each(|entry| not_built(&entry.node, shape, problems));
        }
        (Shape::Either(shapes), _) => shapes.iter().for_each(|shape| not_built(node, shape, problems)),
        _ => {}
    }
}

/// The keys at the top of a file that are taken and that nothing acts on yet, each with what does not happen.
pub(crate) fn idle(map: &Map, block: &'static Block) -> Vec<Warning> {
    let warning = |(name, entry): (&String, &crate::yaml::Entry)| {
        let therefore = block.key(name)?.idle?;
        let message = format!("`{name}` is not built yet: {therefore}");
        Some(Warning { message, place: entry.key.clone() })
    };
    map.iter().filter_map(warning).collect()
}
