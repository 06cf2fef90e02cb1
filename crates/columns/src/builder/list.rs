//! The items of an array column.

use std::fmt;

use serde::de::{SeqAccess, Visitor};
use singer::RawJson;

use super::column::ColumnBuilder;
use crate::ValueLimits;
use crate::value::Misfit;

/// Puts each item of a JSON array into a column.
pub(super) struct Items<'b> {
    pub(super) column: &'b mut ColumnBuilder,
    pub(super) limits: &'b ValueLimits,
    /// Bytes that the items take.
    pub(super) bytes: usize,
    /// The first item that did not fit.
    pub(super) misfit: Option<Misfit>,
}

impl<'de> Visitor<'de> for &mut Items<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(raw) = items.next_element::<RawJson>()? {
            match self.column.put(raw.get(), self.limits) {
                Ok(bytes) => self.bytes += bytes + self.column.cell_bytes(),
                Err(misfit) => self.misfit = self.misfit.or(Some(misfit)),
            }
        }
        Ok(())
    }
}
