//! `use:`: blocks of `tapster.yml` under a name.

use super::ProjectFault;
use super::overlay::{overlay_node, spelled_out};
use crate::problem::{ConfigError, Problem, did_you_mean};
use crate::yaml::{Map, Node, Value};

/// The keys that say which program a block is about.
pub(crate) const PROGRAMS: [&str; 5] = ["use", "name", "command", "pip", "airbyte"];

/// The block with what it refers to laid under it. `kind` is `tap` or `target`, `named` the blocks of `tapster.yml`.
pub(crate) fn referenced(
    block: &Node,
    kind: &'static str,
    named: Option<&Node>,
) -> Result<Node, ConfigError> {
    let mut block = spelled_out(block);
    let mut seen: Vec<String> = Vec::new();
    while let Some(reference) = block.get("use").cloned() {
        // Another program beside `use` is told of later, by who reads the block.
        if PROGRAMS.iter().filter(|program| block.get(program).is_some()).count() > 1 {
            return Ok(block);
        }
        let name = reference.as_text().unwrap_or_default().to_owned();
        let fail = |fault| Err(Problem::new(fault, &reference.place).into());
        if seen.contains(&name) {
            return fail(ProjectFault::CircularReference { kind, name });
        }
        let Some(under) = named.and_then(|named| named.get(&name)) else {
            let known: Vec<String> =
                named.and_then(Node::as_map).into_iter().flat_map(Map::keys).cloned().collect();
            let meant = did_you_mean(&name, known.iter().map(String::as_str)).map(str::to_owned);
            return fail(ProjectFault::NoReference { kind, name, meant, known });
        };
        if let Value::Map(map) = &mut block.value {
            map.shift_remove("use");
        }
        block = overlay_node(&spelled_out(under), &block);
        seen.push(name);
    }
    Ok(block)
}
