//! The names that a table's columns were given, kept beside the table so that no later run gives others.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{ActualColumn, ColumnType, IdentifierRule, shortened};

/// Property → its columns: the present one first, then those whose type could not become what came later.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GivenNames(BTreeMap<String, Names>);

/// One name is the rule, and is written as such.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Names {
    One(String),
    Several(Vec<String>),
}

impl Names {
    fn as_slice(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Several(names) => names,
        }
    }
}

impl GivenNames {
    /// The column of a property.
    #[must_use]
    pub fn get(&self, property: &str) -> Option<&String> {
        self.all_of(property).first()
    }

    /// All columns that a property has had, the present one first.
    fn all_of(&self, property: &str) -> &[String] {
        self.0.get(property).map(Names::as_slice).unwrap_or_default()
    }

    /// Every name that is taken.
    pub fn names(&self) -> impl Iterator<Item = &String> {
        self.0.values().flat_map(Names::as_slice)
    }

    /// Makes a column the property's present one; those before stay known.
    pub fn give(&mut self, property: &str, column: &str) {
        let before = self.all_of(property);
        if before.first().is_some_and(|present| present == column) {
            return;
        }
        let others = before.iter().filter(|name| *name != column).cloned();
        let mut names: Vec<String> = std::iter::once(column.to_owned()).chain(others).collect();
        let names = if names.len() == 1 { Names::One(names.remove(0)) } else { Names::Several(names) };
        self.0.insert(property.to_owned(), names);
    }

    /// Takes over other names given for the same table; where both know a property, the other's present column is it.
    pub fn merge(&mut self, other: &Self) {
        for (property, names) in &other.0 {
            names.as_slice().iter().rev().for_each(|column| self.give(property, column));
        }
    }

    /// The columns that hold values of these properties from before and that a record which is replaced must not
    /// keep: it would have two values. Each with the place of its property among these.
    #[must_use]
    pub fn retired<'a>(&self, properties: impl IntoIterator<Item = &'a str>) -> Vec<(usize, String)> {
        let retired =
            |(at, property)| self.all_of(property).iter().skip(1).map(move |name| (at, name.clone()));
        properties.into_iter().enumerate().flat_map(retired).collect()
    }

    /// Gives a property another column, because its present one cannot become this type: an earlier one that holds
    /// the type as it is, else a new one, `amount__2`. Returns its name.
    pub fn version(
        &mut self,
        property: &str,
        column_type: &ColumnType,
        actual: &[ActualColumn],
        rule: IdentifierRule,
    ) -> String {
        let holds = |name: &&String| {
            let column = actual.iter().find(|column| column.name == **name);
            let found = column.and_then(|column| column.column_type.as_ref());
            found.is_some_and(|found| found == column_type || column_type.widens_to(found))
        };
        let earlier = self.all_of(property).iter().skip(1).find(holds).cloned();
        let column = earlier.unwrap_or_else(|| {
            let taken: BTreeSet<String> = actual
                .iter()
                .map(|column| &column.name)
                .chain(self.names())
                .map(|name| rule.folded(name))
                .collect();
            let first = self.all_of(property).iter().min_by_key(|name| name.len());
            let base = first.map_or(property, String::as_str);
            let names = (2..).map(|number: u32| shortened(&format!("{base}__{number}"), rule));
            names.into_iter().find(|name| !taken.contains(&rule.folded(name))).unwrap_or_default()
        });
        self.give(property, &column);
        column
    }
}

impl<P: AsRef<str>, C: AsRef<str>> Extend<(P, C)> for GivenNames {
    fn extend<T: IntoIterator<Item = (P, C)>>(&mut self, names: T) {
        for (property, column) in names {
            self.give(property.as_ref(), column.as_ref());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::GivenNames;
    use crate::{ActualColumn, ColumnType, IdentifierRule};

    const RULE: IdentifierRule = IdentifierRule { max_bytes: 12, case_insensitive: true };

    fn column(name: &str, column_type: ColumnType) -> ActualColumn {
        let written = column_type.to_string();
        ActualColumn { name: name.into(), column_type: Some(column_type), written, nullable: true }
    }

    #[test]
    fn a_property_gets_a_new_column_and_goes_back_to_an_old_one_that_fits() {
        let mut given = GivenNames::default();
        given.extend([("amount", "amount"), ("other", "AMOUNT__2")]);
        let mut actual = vec![column("amount", ColumnType::Int64), column("AMOUNT__2", ColumnType::Text)];
        assert_eq!(given.version("amount", &ColumnType::Json, &actual, RULE), "amount__3");
        actual.push(column("amount__3", ColumnType::Json));
        assert_eq!(given.retired(["other", "amount"]), [(1, "amount".to_owned())]);
        assert_eq!(given.version("amount", &ColumnType::Int64, &actual, RULE), "amount");
        assert_eq!(given.version("amount", &ColumnType::Binary, &actual, RULE), "amount__4");
        assert_eq!(given.retired(["amount"]), ["amount", "amount__3"].map(|name| (0, name.to_owned())));
    }

    #[test]
    fn a_version_of_a_long_name_fits() {
        let mut given = GivenNames::default();
        given.give("twelve_bytes", "twelve_bytes");
        let name = given.version("twelve_bytes", &ColumnType::Json, &[], RULE);
        assert!(name.len() <= 12 && name != "twelve_bytes", "{name}");
    }
}
