use super::{Block, PIPELINE_FILE, PROJECT_FILE, Shape};

/// Every block below one, itself included.
fn blocks(shape: &'static Shape, found: &mut Vec<&'static Block>) {
    match shape {
        Shape::Block(block) if !found.iter().any(|known| std::ptr::eq(*known, *block)) => {
            found.push(block);
            block.keys().for_each(|key| blocks(&key.shape, found));
        }
        Shape::List(inner) | Shape::Named(inner) | Shape::Patterns(inner) => blocks(inner, found),
        Shape::Either(shapes) => shapes.iter().for_each(|shape| blocks(shape, found)),
        _ => {}
    }
}

#[test]
fn no_key_is_told_twice_and_none_is_a_boolean_of_old_yaml() {
    static FILES: [Shape; 2] = [Shape::Block(&PIPELINE_FILE), Shape::Block(&PROJECT_FILE)];
    let mut all = Vec::new();
    for file in &FILES {
        blocks(file, &mut all);
    }
    assert!(all.len() > 15);
    let mut names: Vec<_> = all.iter().map(|block| block.what).collect();
    names.sort_unstable();
    names.dedup();
    // The JSON Schema names its definitions by them.
    assert_eq!(names.len(), all.len());
    for block in all {
        let mut keys: Vec<_> = block.keys().map(|key| key.name).collect();
        assert!(keys.iter().all(|key| !["on", "off", "yes", "no", "y", "n"].contains(key)), "{keys:?}");
        let count = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), count, "{}", block.what);
    }
}
