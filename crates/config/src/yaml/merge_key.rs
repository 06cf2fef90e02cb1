//! `<<`: keys of another map, weaker than a map's own.

use super::{Map, Node, Value, YamlFault};
use crate::problem::Problem;

/// Adds the keys that the map does not have itself. Of several maps the first that has a key wins.
pub(super) fn merge_into(map: &mut Map, merged: Vec<Node>, problems: &mut Vec<Problem>) {
    for node in merged {
        match node.value {
            Value::Map(other) => {
                for (key, entry) in other {
                    map.entry(key).or_insert(entry);
                }
            }
            Value::List(items) if items.iter().all(|item| item.as_map().is_some()) => {
                merge_into(map, items, problems);
            }
            _ => problems.push(Problem::new(YamlFault::MergeKey(node.found()), &node.place)),
        }
    }
}
