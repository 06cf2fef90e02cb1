//! The walk through one record's JSON.

use singer::{JsonReader, Member, RawJson, ReadError};

use super::{batch::BatchBuilder, names::PropertyNames};
use crate::refusal::Found;

impl BatchBuilder {
    /// Puts the properties of the record that comes next into their columns.
    pub(super) fn walk_record(&mut self, record: &mut JsonReader<'_>) -> Result<(), ReadError> {
        if !record.open_object()? {
            let other = record.value()?;
            self.not_object(Found::of(other.get()));
            return Ok(());
        }
        let mut place = PropertyNames::start();
        loop {
            let (expected, quoted) = self.names.expected(place);
            place = match record.next_member(quoted)? {
                Member::Expected => expected,
                Member::Named(name) => self.names.find(place, &name),
                Member::End => return Ok(()),
            };
            match self.names.column(place) {
                Some(column) => {
                    let value: RawJson = record.value()?;
                    self.put(column, value.get());
                }
                None => record.skip()?,
            }
        }
    }
}
