//! `requires_tapster`.

use super::ProjectFault;
use crate::problem::{ConfigError, Problem};
use crate::yaml::Node;

/// The version of this tapster: all crates of the workspace share it.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Refuses the project when this tapster is none of those that it asks for.
pub(super) fn check_version(node: &Node) -> Result<(), ConfigError> {
    let required = node.as_text().unwrap_or_default();
    let refuse = |fault| Err(Problem::new(fault, &node.place).into());
    match is_met(required, VERSION) {
        Some(true) => Ok(()),
        Some(false) => refuse(ProjectFault::WrongVersion { required: required.to_owned(), version: VERSION }),
        None => refuse(ProjectFault::BadRequirement(required.to_owned())),
    }
}

/// `>=0.2, <1` against `0.1.0`; `None` when it is no requirement.
fn is_met(required: &str, version: &str) -> Option<bool> {
    let version = numbers(version)?;
    let mut all = true;
    for part in required.split(',') {
        let part = part.trim();
        let operator = [">=", "<=", ">", "<", "="].into_iter().find(|operator| part.starts_with(operator))?;
        let wanted = numbers(part.strip_prefix(operator)?.trim())?;
        all &= match operator {
            ">=" => version >= wanted,
            "<=" => version <= wanted,
            ">" => version > wanted,
            "<" => version < wanted,
            _ => version == wanted,
        };
    }
    Some(all)
}

fn numbers(version: &str) -> Option<[u64; 3]> {
    let mut numbers = [0; 3];
    let mut parts = version.split('.');
    for (at, number) in numbers.iter_mut().enumerate() {
        match parts.next() {
            Some(part) => *number = part.parse().ok()?,
            None if at == 0 => return None,
            None => {}
        }
    }
    parts.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_are_compared_by_number() {
        for (required, expected) in [
            (">=0.2", Some(true)),
            (">=0.10", Some(true)),
            (">=0.2, <0.10", Some(false)),
            ("=0.10.1", Some(true)),
            (">0.10.1", Some(false)),
            ("<=0.10.1", Some(true)),
            ("", None),
            ("0.2", None),
            (">=x", None),
            (">=1.2.3.4", None),
        ] {
            assert_eq!(is_met(required, "0.10.1"), expected, "{required}");
        }
    }
}
