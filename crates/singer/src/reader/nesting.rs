//! Which brackets are open: one bit each.

/// A stack of bits. The first 64 need no memory of their own.
#[derive(Debug, Default)]
pub(super) struct Nesting {
    full: Vec<u64>,
    word: u64,
    depth: usize,
}

impl Nesting {
    #[inline]
    pub(super) fn push(&mut self, object: bool) {
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.full.push(self.word);
        }
        self.word = self.word << 1 | u64::from(object);
        self.depth += 1;
    }

    /// Whether the innermost bracket is an object's; `None` when none is open.
    #[inline]
    pub(super) fn in_object(&self) -> Option<bool> {
        if self.depth == 0 { None } else { Some(self.word & 1 == 1) }
    }

    #[inline]
    pub(super) fn pop(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.word >>= 1;
        if self.depth > 0
            && self.depth.is_multiple_of(64)
            && let Some(word) = self.full.pop()
        {
            self.word = word;
        }
    }
}
