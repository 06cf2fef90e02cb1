//! The walk through one record's JSON.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use singer::RawJson;

use super::{
    batch::BatchBuilder,
    names::{Place, PropertyNames},
};
use crate::refusal::Found;

/// Puts a record's properties into the builder's columns.
pub(super) struct RecordVisitor<'b>(pub(super) &'b mut BatchBuilder);

impl<'de> Visitor<'de> for RecordVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut record: A) -> Result<(), A::Error> {
        let mut place = PropertyNames::start();
        while let Some(next) = record.next_key_seed(NameSeed { names: &mut self.0.names, previous: place })? {
            place = next;
            match self.0.names.column(place) {
                Some(column) => {
                    let value: RawJson = record.next_value()?;
                    self.0.put(column, value.get());
                }
                None => drop(record.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.0.not_object(Found::Array);
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        self.0.not_object(Found::String);
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.0.not_object(Found::Boolean);
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.0.not_object(Found::Number);
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.0.not_object(Found::Number);
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.0.not_object(Found::Number);
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.0.not_object(Found::Null);
        Ok(())
    }
}

/// Reads a property's name without keeping it.
struct NameSeed<'b> {
    names: &'b mut PropertyNames,
    previous: Place,
}

impl<'de> DeserializeSeed<'de> for NameSeed<'_> {
    type Value = Place;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Place, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NameSeed<'_> {
    type Value = Place;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a property's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Place, E> {
        Ok(self.names.find(self.previous, name))
    }
}
