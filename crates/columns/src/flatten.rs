//! Nested objects as columns of their own: `a__b` for the property `b` of the object `a`.

use std::collections::{BTreeMap, HashMap};

use indexmap::IndexMap;
use sha2::{Digest as _, Sha256};
use singer::{JsonSchema, JsonType};

use crate::mapping::{all_of, types};

/// Between the names of an object and of its property.
const SEPARATOR: &str = "__";

/// A schema whose properties are all at its top.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flattened {
    /// The schema.
    pub schema: JsonSchema,
    /// The path in a record of each property that was nested, by its name now.
    pub paths: BTreeMap<String, Vec<String>>,
}

/// Puts the properties of objects, down to `depth` levels, beside those of the schema. Objects below that, those that
/// declare no properties, and what may be something else than an object stay as they are, as does a key.
///
/// A name that several paths would make belongs to the property at the top that has it; the nested ones get a suffix
/// that hashes their path, so the order in which they come is no matter.
#[must_use]
pub fn flatten(schema: &JsonSchema, depth: usize, is_key: &dyn Fn(&str) -> bool) -> Flattened {
    let mut root = all_of(schema);
    let Some(properties) = root.properties.take() else {
        return Flattened { schema: root, paths: BTreeMap::new() };
    };
    let mut leaves = Vec::new();
    for (name, node) in properties {
        let depth = if is_key(&name) { 0 } else { depth };
        spread(vec![name], node, depth, &mut leaves);
    }
    let mut uses: HashMap<String, usize> = HashMap::new();
    for (path, _) in &leaves {
        *uses.entry(path.join(SEPARATOR)).or_default() += 1;
    }
    let (mut flat, mut paths) = (IndexMap::new(), BTreeMap::new());
    for (path, node) in leaves {
        let plain = path.join(SEPARATOR);
        if path.len() == 1 {
            flat.insert(plain, node);
            continue;
        }
        let name =
            if uses.get(&plain).is_some_and(|&uses| uses > 1) { suffixed(&plain, &path) } else { plain };
        paths.insert(name.clone(), path);
        flat.insert(name, node);
    }
    root.properties = Some(flat);
    Flattened { schema: root, paths }
}

fn spread(path: Vec<String>, node: JsonSchema, depth: usize, leaves: &mut Vec<(Vec<String>, JsonSchema)>) {
    let inner = if depth == 0 { None } else { object_properties(&node) };
    let Some(inner) = inner else {
        leaves.push((path, node));
        return;
    };
    for (name, node) in inner {
        let path = path.iter().cloned().chain([name]).collect();
        spread(path, node, depth - 1, leaves);
    }
}

/// The properties of what is an object, or null, and nothing else.
fn object_properties(node: &JsonSchema) -> Option<IndexMap<String, JsonSchema>> {
    let whole = all_of(node);
    if whole.tapster_type.is_some() {
        return None;
    }
    if whole.types.is_empty() && whole.properties.is_none() {
        let mut others = whole.alternatives.iter().filter(|node| types(&all_of(node)) != [JsonType::Null]);
        let (one, more) = (others.next()?, others.next());
        return if more.is_none() { object_properties(one) } else { None };
    }
    let is_object = types(&whole).iter().all(|kind| matches!(kind, JsonType::Object | JsonType::Null));
    whole.properties.filter(|properties| is_object && !properties.is_empty())
}

fn suffixed(name: &str, path: &[String]) -> String {
    let mut hash = Sha256::new();
    for part in path {
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    let [a, b, c, d, ..] = <[u8; 32]>::from(hash.finalize());
    format!("{name}_{:08x}", u32::from_be_bytes([a, b, c, d]))
}

#[cfg(test)]
mod tests {
    use super::flatten;
    use singer::JsonSchema;

    fn names(schema: &str, depth: usize) -> Vec<String> {
        let flat = flatten(&JsonSchema::parse(schema).unwrap(), depth, &|name| name == "key");
        flat.schema.properties.unwrap().into_keys().collect()
    }

    #[test]
    fn objects_are_columns_down_to_the_depth() {
        let schema = r#"{"properties":{"id":{"type":"integer"},
            "a":{"type":["null","object"],"properties":{"b":{"type":"object","properties":{"c":{},"d":{"type":"string"}}},"e":{}}},
            "any":{"anyOf":[{"type":"null"},{"type":"object","properties":{"x":{}}}]},
            "two":{"type":["object","string"],"properties":{"x":{}}},
            "free":{"type":"object"}, "key":{"type":"object","properties":{"x":{}}}, "list":{"type":"array","items":{"type":"object","properties":{"x":{}}}}}}"#;
        assert_eq!(names(schema, 0), ["id", "a", "any", "two", "free", "key", "list"]);
        assert_eq!(names(schema, 1), ["id", "a__b", "a__e", "any__x", "two", "free", "key", "list"]);
        assert_eq!(
            names(schema, 9),
            ["id", "a__b__c", "a__b__d", "a__e", "any__x", "two", "free", "key", "list"]
        );
    }

    #[test]
    fn names_that_collide_stay_apart_in_any_order() {
        let (top, one, other) = (
            r#""a__b__c":{"type":"integer"}"#,
            r#""a":{"type":"object","properties":{"b__c":{}}}"#,
            r#""a__b":{"type":"object","properties":{"c":{}}}"#,
        );
        let of = |parts: [&str; 3]| {
            let mut names = names(&format!(r#"{{"properties":{{{}}}}}"#, parts.join(",")), 2);
            names.sort();
            names
        };
        let found = of([top, one, other]);
        assert_eq!(found, of([other, one, top]));
        assert_eq!((found.len(), found[0].as_str()), (3, "a__b__c"));
        assert!(found[1].starts_with("a__b__c_") && found[1] != found[2], "{found:?}");
    }
}
