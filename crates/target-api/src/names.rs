//! From the tap's names to the warehouse's: lengths, collisions, and which schema a stream goes to.

use std::collections::HashSet;

use sha2::{Digest, Sha256};

use crate::{GivenNames, IdentifierRule, TableName};

/// The table of a stream by PipelineWise's rule: `table`, `schema-table`, `catalog-schema-rest` with the dashes of
/// the rest made underscores.
#[must_use]
pub fn table_name(stream: &str) -> TableName {
    let parts: Vec<&str> = stream.split('-').collect();
    match parts.as_slice() {
        [schema, table] if !schema.is_empty() && !table.is_empty() => {
            TableName { schema: Some((*schema).to_owned()), table: (*table).to_owned() }
        }
        [_, schema, rest @ ..] if !rest.is_empty() && !schema.is_empty() && !rest.concat().is_empty() => {
            TableName { schema: Some((*schema).to_owned()), table: rest.join("_") }
        }
        _ => TableName { schema: None, table: stream.to_owned() },
    }
}

/// A name that fits: NUL, which no warehouse allows, is U+FFFD as in [`quoted`](crate::sql::quoted); what is too
/// long is cut on a character's boundary, with a suffix that hashes the whole original.
#[must_use]
pub fn shortened(name: &str, rule: IdentifierRule) -> String {
    let plain = if name.is_empty() { "_".to_owned() } else { name.replace('\0', "\u{fffd}") };
    if plain.len() <= rule.max_bytes { plain } else { suffixed(name, rule) }
}

fn suffixed(name: &str, rule: IdentifierRule) -> String {
    let hash = Sha256::digest(name.as_bytes());
    let [a, b, c, d, ..] = <[u8; 32]>::from(hash);
    let suffix = format!("{:08x}", u32::from_be_bytes([a, b, c, d]));
    let name = name.replace('\0', "\u{fffd}");
    let mut end = rule.max_bytes.saturating_sub(suffix.len() + 1).min(name.len());
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}_{suffix}", &name[..end])
}

/// The column names of properties, in their order. Names in `given` are kept; of others that
/// collide, by the warehouse's comparison, all but the first get a suffix that hashes the property's name, so the
/// outcome never depends on the order in which later properties come.
#[must_use]
pub fn column_names<'a>(
    properties: impl IntoIterator<Item = &'a str>,
    given: &GivenNames,
    rule: IdentifierRule,
) -> Vec<String> {
    let mut taken: HashSet<String> = given.names().map(|name| rule.folded(name)).collect();
    let mut name_of = |property: &str| {
        if let Some(name) = given.get(property) {
            return name.clone();
        }
        let plain = shortened(property, rule);
        let name = if taken.contains(&rule.folded(&plain)) { suffixed(property, rule) } else { plain };
        taken.insert(rule.folded(&name));
        name
    };
    properties.into_iter().map(&mut name_of).collect()
}

#[cfg(test)]
mod tests {
    use super::{column_names, shortened, table_name};
    use crate::{GivenNames, IdentifierRule, TableName};

    const RULE: IdentifierRule = IdentifierRule { max_bytes: 63, case_insensitive: true };

    #[test]
    fn streams_find_their_table() {
        let name = |schema: Option<&str>, table: &str| TableName {
            schema: schema.map(str::to_owned),
            table: table.into(),
        };
        assert_eq!(table_name("orders"), name(None, "orders"));
        assert_eq!(table_name("shop-orders"), name(Some("shop"), "orders"));
        assert_eq!(table_name("db-shop-a-b"), name(Some("shop"), "a_b"));
        assert_eq!(table_name("-x"), name(None, "-x"));
        assert_eq!(table_name("a--"), name(None, "a--"));
    }

    #[test]
    fn long_names_stay_apart() {
        let (a, b) = ("é".repeat(40) + "a", "é".repeat(40) + "b");
        let (a, b) = (shortened(&a, RULE), shortened(&b, RULE));
        assert!(a.len() <= 63 && b.len() <= 63 && a != b, "{a} {b}");
    }

    #[test]
    fn nul_and_what_stands_for_it_stay_apart() {
        let names = column_names(["a\0", "a\u{fffd}"], &GivenNames::default(), RULE);
        assert_eq!(names[0], "a\u{fffd}");
        assert!(names[1].starts_with("a\u{fffd}_") && !names.concat().contains('\0'), "{names:?}");
    }

    #[test]
    fn names_once_given_are_kept_whatever_the_order() {
        let first = column_names(["Id", "id", "name"], &GivenNames::default(), RULE);
        assert_eq!(first[0], "Id");
        assert!(first[1].starts_with("id_") && first[2] == "name");
        let mut given = GivenNames::default();
        given.extend(["Id", "id", "name"].into_iter().zip(&first));
        let again = column_names(["id", "ID", "Id", "name"], &given, RULE);
        assert_eq!((&again[0], &again[2], &again[3]), (&first[1], &first[0], &first[2]));
        assert!(again[1].starts_with("ID_"));
    }
}
