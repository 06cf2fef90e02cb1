//! Which column a property's name means. Records of a stream name their properties in the same order, so that the
//! next name is mostly known before it is read.

use std::collections::HashMap;

use crate::DELETED_AT;

/// Most names outside the schema that are remembered. A tap that makes up names must not fill memory.
const MOST_UNKNOWN: usize = 1000;

/// Place of a name in [`PropertyNames`]; the first record begins behind no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place(usize);

#[derive(Debug)]
struct Name {
    text: Box<str>,
    /// It between quotes, as a line has it; empty where JSON would have to escape a part of it.
    quoted: Box<str>,
    /// Its column; `None` for a property outside the schema.
    column: Option<usize>,
    /// The name that came behind it last time.
    next: usize,
}

impl Name {
    fn new(text: &str, column: Option<usize>, next: usize) -> Self {
        let plain = !text.chars().any(|character| character < ' ' || matches!(character, '"' | '\\'));
        let quoted = if plain { format!("\"{text}\"") } else { String::new() };
        Self { text: text.into(), quoted: quoted.into(), column, next }
    }
}

/// All names seen so far.
#[derive(Debug)]
pub(crate) struct PropertyNames {
    /// The names, with one in front of them that stands for the record's beginning.
    names: Vec<Name>,
    places: HashMap<Box<str>, usize>,
    known: usize,
    /// Where the names begin that were not yet told.
    told: usize,
    /// Whether `_sdc_deleted_at` came and is not among the columns.
    undeclared_delete: bool,
}

impl PropertyNames {
    /// Names and their columns, in the order of the schema.
    pub(crate) fn new<'a>(columns: impl Iterator<Item = (&'a str, usize)>) -> Self {
        let mut names = vec![Name::new("", None, 1)];
        let mut places = HashMap::new();
        for (name, column) in columns {
            places.insert(name.into(), names.len());
            names.push(Name::new(name, Some(column), names.len() + 1));
        }
        let known = names.len();
        Self { names, places, known, told: known, undeclared_delete: false }
    }

    /// Where a record begins.
    #[inline]
    pub(crate) fn start() -> Place {
        Place(0)
    }

    /// The place of the name that came behind this one last time, and the name between quotes.
    #[inline]
    pub(crate) fn expected(&self, previous: Place) -> (Place, &str) {
        let next = self.names.get(previous.0).map_or(0, |name| name.next);
        // The first record of a stream has no name behind its last.
        let quoted = if next == 0 { None } else { self.names.get(next).map(|name| &*name.quoted) };
        (Place(next), quoted.unwrap_or_default())
    }

    /// The place of a name that comes behind another.
    pub(crate) fn find(&mut self, previous: Place, name: &str) -> Place {
        let place = match self.places.get(name) {
            Some(place) => *place,
            None if self.names.len() - self.known < MOST_UNKNOWN => {
                self.undeclared_delete |= name == DELETED_AT;
                self.places.insert(name.into(), self.names.len());
                self.names.push(Name::new(name, None, 0));
                self.names.len() - 1
            }
            None => return Self::start(),
        };
        if let Some(previous) = self.names.get_mut(previous.0) {
            previous.next = place;
        }
        Place(place)
    }

    /// The column at a place.
    #[inline]
    pub(crate) fn column(&self, place: Place) -> Option<usize> {
        self.names.get(place.0).and_then(|name| name.column)
    }

    /// Whether a record has said when it was deleted, and the schema has no column for it.
    #[inline]
    pub(crate) fn undeclared_delete(&self) -> bool {
        self.undeclared_delete
    }

    /// Names outside the schema that came since the last call.
    pub(crate) fn unknown(&mut self) -> Vec<String> {
        let new = self.names.get(self.told..).unwrap_or_default();
        let new = new.iter().map(|name| name.text.clone().into_string()).collect();
        self.told = self.names.len();
        new
    }
}

#[cfg(test)]
mod tests {
    use super::PropertyNames;

    #[test]
    fn any_order_finds_the_same_columns() {
        let mut names = PropertyNames::new([("a", 0), ("b", 1), ("", 2)].into_iter());
        for order in [["a", "b", ""], ["", "b", "a"], ["b", "a", "b"], ["a", "b", ""]] {
            let mut place = PropertyNames::start();
            for name in order {
                let (expected, quoted) = names.expected(place);
                let comes = quoted == format!("\"{name}\"");
                place = names.find(place, name);
                assert_eq!(expected == place, comes, "{name:?} in {order:?}");
                let column = ["a", "b", ""].iter().position(|other| *other == name);
                assert_eq!(names.column(place), column, "{name:?} in {order:?}");
            }
        }
    }

    #[test]
    fn unknown_names_are_told_once_and_are_bounded() {
        let mut names = PropertyNames::new([("a", 0)].into_iter());
        let x = names.find(PropertyNames::start(), "x");
        assert_eq!(names.column(x), None);
        assert_eq!(names.unknown(), ["x"]);
        assert!(names.unknown().is_empty());
        for number in 0..5000 {
            names.find(x, &number.to_string());
        }
        assert!(names.unknown().len() < 1000);
        let a = names.find(x, "a");
        assert_eq!(names.column(a), Some(0));
    }
}
