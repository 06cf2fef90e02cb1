//! When a STATE is due.

use std::num::NonZeroU64;

/// Bytes of records after which a STATE is due, however few they are.
const BYTES: u64 = 1 << 20;
/// About what a bookmark takes for each file.
const BYTES_A_FILE: u64 = 150;
/// Bookmarks up to this size are small.
const SMALL: u64 = 64 * 1024;

/// Counts what went out since the last STATE.
#[derive(Debug)]
pub(crate) struct Pace {
    every: NonZeroU64,
    records: u64,
    bytes: u64,
}

impl Pace {
    pub(crate) fn new(every: NonZeroU64) -> Self {
        Self { every, records: 0, bytes: 0 }
    }

    /// Takes a record in.
    pub(crate) fn add(&mut self, bytes: usize) {
        self.records += 1;
        self.bytes += bytes as u64;
    }

    /// Whether a STATE is due. Where it holds many files it must not outweigh the records between two of them.
    pub(crate) fn is_due(&self, files: usize) -> bool {
        let weight = (files as u64 * BYTES_A_FILE).saturating_sub(SMALL) * 4;
        (self.records >= self.every.get() || self.bytes >= BYTES) && self.bytes >= weight
    }

    /// A STATE went out.
    pub(crate) fn reset(&mut self) {
        (self.records, self.bytes) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_bytes_and_the_weight_of_the_state_decide() {
        let mut pace = Pace::new(NonZeroU64::new(2).unwrap());
        pace.add(10);
        assert!(!pace.is_due(1));
        pace.add(10);
        assert!(pace.is_due(1) && pace.is_due(400));
        assert!(!pace.is_due(10_000), "a state of a megabyte for twenty bytes");
        pace.reset();
        pace.add(1 << 20);
        assert!(pace.is_due(1));
    }
}
