//! How a stronger layer lies over a weaker one.

use super::reference::PROGRAMS;
use crate::yaml::{Entry, Map, Node, Value};

/// Lays a file, or the overlay of an environment, over a weaker one. Maps merge, lists and scalars replace; the block
/// of a tap or target that names another program replaces the whole block.
pub(crate) fn overlay(weak: &Map, strong: &Map) -> Map {
    merge(weak, strong, |key, weak, strong| match key {
        "tap" | "target" => overlay_program(weak, strong),
        "taps" | "targets" => overlay_maps(weak, strong, |_, weak, strong| overlay_program(weak, strong)),
        _ => overlay_node(weak, strong),
    })
}

/// Lays one block of a program over another, the programs aside.
pub(super) fn overlay_node(weak: &Node, strong: &Node) -> Node {
    overlay_maps(weak, strong, |_, weak, strong| overlay_node(weak, strong))
}

fn overlay_program(weak: &Node, strong: &Node) -> Node {
    // A bare word is short for `use:`, so that settings can be laid over it and it over settings.
    let (weak, strong) = (spelled_out(weak), spelled_out(strong));
    let named = PROGRAMS.iter().filter_map(|program| Some((program, strong.get(program)?)));
    let mut same = true;
    for (program, node) in named {
        same &= weak.get(program).is_some_and(|weak| weak.to_json() == node.to_json());
    }
    if same { overlay_node(&weak, &strong) } else { strong }
}

/// `tap: app-db` → `tap: { use: app-db }`.
pub(super) fn spelled_out(node: &Node) -> Node {
    if node.as_text().is_none() {
        return node.clone();
    }
    let entry = Entry { key: node.place.clone(), node: node.clone() };
    Node { value: Value::Map(Map::from_iter([("use".to_owned(), entry)])), place: node.place.clone() }
}

fn overlay_maps(weak: &Node, strong: &Node, one: impl Fn(&str, &Node, &Node) -> Node) -> Node {
    match (&weak.value, &strong.value) {
        (Value::Map(weak), Value::Map(map)) => {
            Node { value: Value::Map(merge(weak, map, one)), place: strong.place.clone() }
        }
        _ => strong.clone(),
    }
}

/// Keys of both keep the place in the order that the weaker gave them.
fn merge(weak: &Map, strong: &Map, one: impl Fn(&str, &Node, &Node) -> Node) -> Map {
    let mut merged = weak.clone();
    for (key, entry) in strong {
        let node = match weak.get(key) {
            Some(weak) => one(key, &weak.node, &entry.node),
            None => entry.node.clone(),
        };
        merged.insert(key.clone(), Entry { key: entry.key.clone(), node });
    }
    merged
}
