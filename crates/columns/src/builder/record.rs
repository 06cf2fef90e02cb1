//! The walk through one record's JSON.

use singer::{JsonReader, Member, RawJson, ReadError};

use super::{batch::BatchBuilder, names::PropertyNames, object::RECORD};
use crate::refusal::Found;

impl BatchBuilder {
    /// Puts the properties of the record that comes next into their columns.
    pub(super) fn walk_record(&mut self, record: &mut JsonReader<'_>) -> Result<(), ReadError> {
        if record.open_object()? {
            return self.walk_members(record, RECORD);
        }
        let other = record.value()?;
        self.not_object(RECORD, Found::of(other.get()));
        Ok(())
    }

    fn walk_members(&mut self, record: &mut JsonReader<'_>, object: usize) -> Result<(), ReadError> {
        let mut place = PropertyNames::start();
        loop {
            let names = &mut self.objects[object].names;
            let (expected, quoted) = names.expected(place);
            place = match record.next_member(quoted)? {
                Member::Expected => expected,
                Member::Named(name) => names.find(place, &name),
                Member::End => return Ok(()),
            };
            match names.column(place) {
                Some(column) if column < self.schema.columns.len() => {
                    let value: RawJson = record.value()?;
                    self.put(column, value.get());
                }
                Some(inner) => self.walk_inner(record, inner - self.schema.columns.len())?,
                None => record.skip()?,
            }
        }
    }

    /// A nested object whose properties are columns. Null, it leaves them all NULL.
    fn walk_inner(&mut self, record: &mut JsonReader<'_>, object: usize) -> Result<(), ReadError> {
        // The last of two equal names wins.
        for index in 0..self.objects[object].columns.len() {
            self.take_back_cell(self.objects[object].columns[index]);
        }
        if record.open_object()? {
            self.walk_members(record, object)?;
        } else {
            let other = record.value()?;
            if other.get() != "null" {
                self.not_object(object, Found::of(other.get()));
            }
        }
        if self.schema.keeps_absent {
            self.put_rest_of(object);
        }
        Ok(())
    }
}
