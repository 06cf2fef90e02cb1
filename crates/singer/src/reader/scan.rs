//! Where values end. Every byte is checked against JSON's grammar once.

use super::error::{Fault, ReadError};
use super::nesting::Nesting;

pub(super) type Read<T> = Result<T, ReadError>;

/// A place in a JSON text. [`open_object`](Self::open_object) and its like walk one level; the values in it are read
/// as their text or passed over, of whatever depth they are.
pub struct JsonReader<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    /// Whether a bracket was just opened, so that no comma may come.
    pub(super) first: bool,
}

/// A string of the text, between its quotes.
#[derive(Clone, Copy)]
pub(super) struct Quoted<'a> {
    pub(super) inside: &'a str,
    pub(super) escaped: bool,
}

impl<'a> JsonReader<'a> {
    /// A reader at the beginning of a text.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0, first: false }
    }

    /// Fails unless only blanks are left.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn end(&mut self) -> Read<()> {
        match self.peek() {
            Err(_) => Ok(()),
            Ok(_) => Err(self.fault(Fault::Syntax)),
        }
    }

    #[cold]
    pub(super) fn fault(&self, fault: Fault) -> ReadError {
        ReadError { at: self.at, fault }
    }

    /// What is wrong where another byte was expected.
    #[cold]
    fn unexpected(&self) -> ReadError {
        self.fault(if self.at < self.text.len() { Fault::Syntax } else { Fault::Truncated })
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is no blank.
    #[inline]
    pub(super) fn peek(&mut self) -> Read<u8> {
        match self.byte() {
            Some(byte) if byte > b' ' => Ok(byte),
            _ => self.peek_behind_blanks(),
        }
    }

    #[inline]
    fn peek_behind_blanks(&mut self) -> Read<u8> {
        loop {
            match self.byte() {
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.at += 1,
                Some(byte) => return Ok(byte),
                None => return Err(self.unexpected()),
            }
        }
    }

    /// Passes over `byte` where it comes next.
    #[inline]
    pub(super) fn skip_if(&mut self, byte: u8) -> Read<bool> {
        let found = self.peek()? == byte;
        self.at += usize::from(found);
        Ok(found)
    }

    #[inline]
    pub(super) fn expect(&mut self, byte: u8) -> Read<()> {
        if self.skip_if(byte)? { Ok(()) } else { Err(self.fault(Fault::Syntax)) }
    }

    /// The text of the next value.
    #[inline]
    pub(super) fn raw_value(&mut self) -> Read<&'a str> {
        let first = self.peek()?;
        let start = self.at;
        match first {
            b'[' | b'{' => self.skip_nested()?,
            byte => self.skip_scalar(byte)?,
        }
        Ok(self.text.get(start..self.at).unwrap_or_default())
    }

    /// The next value, which must be a string.
    #[inline]
    pub(super) fn string(&mut self) -> Read<Quoted<'a>> {
        self.expect(b'"')?;
        let start = self.at;
        let escaped = self.skip_string()?;
        Ok(Quoted { inside: self.text.get(start..self.at - 1).unwrap_or_default(), escaped })
    }

    /// Passes over one value.
    #[inline]
    pub(super) fn skip_value(&mut self) -> Read<()> {
        match self.peek()? {
            b'[' | b'{' => self.skip_nested(),
            byte => self.skip_scalar(byte),
        }
    }

    #[inline]
    fn skip_scalar(&mut self, first: u8) -> Read<()> {
        match first {
            b'"' => {
                self.at += 1;
                self.skip_string().map(drop)
            }
            b'0'..=b'9' | b'-' => self.skip_number(),
            b'n' => self.skip_word("null"),
            b't' => self.skip_word("true"),
            b'f' => self.skip_word("false"),
            _ => Err(self.fault(Fault::Syntax)),
        }
    }

    #[inline]
    fn skip_word(&mut self, word: &str) -> Read<()> {
        let rest = self.rest();
        if rest.starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(());
        }
        let fault = if word.as_bytes().starts_with(rest) { Fault::Truncated } else { Fault::Syntax };
        Err(self.fault(fault))
    }

    /// The bytes that are still to be read.
    #[inline]
    pub(super) fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    #[inline]
    fn skip_digits(&mut self) -> usize {
        let count = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count
    }

    #[inline]
    fn skip_number(&mut self) -> Read<()> {
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        let zero = self.byte() == Some(b'0');
        let digits = self.skip_digits();
        if digits == 0 {
            return Err(self.unexpected());
        }
        if zero && digits > 1 {
            return Err(self.fault(Fault::Syntax));
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            if self.skip_digits() == 0 {
                return Err(self.unexpected());
            }
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.byte(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.skip_digits() == 0 {
                return Err(self.unexpected());
            }
        }
        Ok(())
    }

    /// From behind a string's opening quote to behind its closing one; tells whether there are escapes in it.
    #[inline]
    fn skip_string(&mut self) -> Read<bool> {
        let mut escaped = false;
        loop {
            self.skip_plain();
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    escaped = true;
                    self.skip_escape()?;
                }
                _ => return Err(self.unexpected()),
            }
        }
    }

    /// Up to the next quote, backslash or control character; eight bytes at a time, by Mycroft's test for a byte
    /// below a limit. Its lowest hit is always a true one.
    #[inline]
    fn skip_plain(&mut self) {
        const ONES: u64 = u64::MAX / 255;
        let rest = self.rest();
        let mut chunks = rest.chunks_exact(8);
        let mut count = 0;
        for chunk in &mut chunks {
            let Ok(chunk) = chunk.try_into() else { break };
            let word = u64::from_le_bytes(chunk);
            let quote = word ^ (ONES * u64::from(b'"'));
            let backslash = word ^ (ONES * u64::from(b'\\'));
            let control = word.wrapping_sub(ONES * 0x20) & !word;
            let hits =
                control | (quote.wrapping_sub(ONES) & !quote) | (backslash.wrapping_sub(ONES) & !backslash);
            let hits = hits & (ONES << 7);
            if hits != 0 {
                self.at += count + hits.trailing_zeros() as usize / 8;
                return;
            }
            count += 8;
        }
        let plain = |byte: &&u8| **byte >= 0x20 && **byte != b'"' && **byte != b'\\';
        self.at += count + chunks.remainder().iter().take_while(plain).count();
    }

    fn skip_escape(&mut self) -> Read<()> {
        self.at += 1;
        match self.byte() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.byte().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                        return Err(self.unexpected());
                    }
                    self.at += 1;
                }
            }
            _ => return Err(self.unexpected()),
        }
        Ok(())
    }

    /// Passes over an array or an object, of whatever depth, without recursion.
    fn skip_nested(&mut self) -> Read<()> {
        let mut open = Nesting::default();
        loop {
            match self.peek()? {
                bracket @ (b'[' | b'{') => {
                    let object = bracket == b'{';
                    self.at += 1;
                    if !self.skip_if(if object { b'}' } else { b']' })? {
                        open.push(object);
                        if object {
                            self.skip_name()?;
                        }
                        continue;
                    }
                }
                byte => self.skip_scalar(byte)?,
            }
            if self.skip_ends(&mut open)? {
                return Ok(());
            }
        }
    }

    /// From behind a value to the next one of what is open; true when nothing is open any more.
    #[inline]
    fn skip_ends(&mut self, open: &mut Nesting) -> Read<bool> {
        while let Some(in_object) = open.in_object() {
            match (self.peek()?, in_object) {
                (b',', _) => {
                    self.at += 1;
                    if in_object {
                        self.skip_name()?;
                    }
                    return Ok(false);
                }
                (b'}', true) | (b']', false) => {
                    self.at += 1;
                    open.pop();
                }
                _ => return Err(self.fault(Fault::Syntax)),
            }
        }
        Ok(true)
    }

    #[inline]
    fn skip_name(&mut self) -> Read<()> {
        self.expect(b'"')?;
        self.skip_string()?;
        self.expect(b':')
    }
}
