//! Bits of an Arrow column, least significant first, with a way back.

use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};

/// A row of bits.
#[derive(Debug, Default)]
pub(super) struct Bits {
    bytes: Vec<u8>,
    length: usize,
}

impl Bits {
    #[inline]
    pub(super) fn push(&mut self, bit: bool) {
        if self.length.is_multiple_of(8) {
            self.bytes.push(0);
        }
        if let Some(last) = self.bytes.last_mut() {
            *last |= u8::from(bit) << (self.length % 8);
        }
        self.length += 1;
    }

    fn ones(length: usize) -> Self {
        let mut bits = Self { bytes: vec![0xff; length.div_ceil(8)], length };
        bits.clear_tail();
        bits
    }

    fn get(&self, at: usize) -> bool {
        self.bytes.get(at / 8).is_some_and(|byte| byte >> (at % 8) & 1 == 1)
    }

    pub(super) fn truncate(&mut self, length: usize) {
        if length < self.length {
            self.length = length;
            self.bytes.truncate(length.div_ceil(8));
            self.clear_tail();
        }
    }

    /// Bits beyond the length are zero, so that `push` may add to them.
    fn clear_tail(&mut self) {
        if !self.length.is_multiple_of(8)
            && let Some(last) = self.bytes.last_mut()
        {
            *last &= (1 << (self.length % 8)) - 1;
        }
    }

    pub(super) fn finish(&mut self) -> BooleanBuffer {
        let whole = std::mem::take(self);
        BooleanBuffer::new(Buffer::from_vec(whole.bytes), 0, whole.length)
    }
}

/// Which cells are not NULL. Costs nothing until the first NULL.
#[derive(Debug, Default)]
pub(super) struct Validity {
    bits: Option<Bits>,
    length: usize,
}

impl Validity {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.length
    }

    #[inline]
    pub(super) fn push(&mut self, valid: bool) {
        match &mut self.bits {
            Some(bits) => bits.push(valid),
            None if valid => {}
            None => {
                let mut bits = Bits::ones(self.length);
                bits.push(false);
                self.bits = Some(bits);
            }
        }
        self.length += 1;
    }

    pub(super) fn is_valid(&self, at: usize) -> bool {
        self.bits.as_ref().is_none_or(|bits| bits.get(at))
    }

    pub(super) fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
        if let Some(bits) = &mut self.bits {
            bits.truncate(length);
        }
    }

    pub(super) fn finish(&mut self) -> Option<NullBuffer> {
        let whole = std::mem::take(self);
        whole.bits.map(|mut bits| NullBuffer::new(bits.finish())).filter(|nulls| nulls.null_count() > 0)
    }
}
