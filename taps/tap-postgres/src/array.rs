//! Arrays in the server's form: dimensions, then the items row by row. Yields items; what a list looks like is the
//! writer's.

use crate::scalar::{Malformed, int4};

/// Most dimensions that the server knows.
const MOST_DIMENSIONS: usize = 6;

/// An array's shape and what is left of its items.
#[derive(Debug)]
pub(crate) struct Items<'a> {
    /// Lengths, the outermost first; none when the array is empty.
    lengths: [usize; MOST_DIMENSIONS],
    dimensions: usize,
    rest: &'a [u8],
}

impl<'a> Items<'a> {
    /// Reads the head.
    pub(crate) fn new(cell: &'a [u8]) -> Result<Self, Malformed> {
        let mut items = Self { lengths: [0; MOST_DIMENSIONS], dimensions: 0, rest: cell };
        let dimensions = usize::try_from(items.word()?).map_err(|_| Malformed)?;
        // Whether there are nulls, and the items' type: seen from the items, and known.
        let (_, _) = (items.word()?, items.word()?);
        items.dimensions = dimensions;
        for at in 0..dimensions {
            let length = usize::try_from(items.word()?).map_err(|_| Malformed)?;
            // Where counting begins is not kept: lists of JSON have no such thing.
            items.word()?;
            *items.lengths.get_mut(at).ok_or(Malformed)? = length;
        }
        Ok(items)
    }

    /// Lengths of the lists, the outermost first; none when the array is empty.
    pub(crate) fn lengths(&self) -> [usize; MOST_DIMENSIONS] {
        self.lengths
    }

    /// How many lists lie in each other; none when the array is empty.
    pub(crate) fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// The next item; `None` is a null.
    pub(crate) fn next_item(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        let Ok(length) = usize::try_from(self.word()?) else { return Ok(None) };
        let (item, rest) = self.rest.split_at_checked(length).ok_or(Malformed)?;
        self.rest = rest;
        Ok(Some(item))
    }

    fn word(&mut self) -> Result<i32, Malformed> {
        let (word, rest) = self.rest.split_at_checked(4).ok_or(Malformed)?;
        self.rest = rest;
        int4(word)
    }
}
