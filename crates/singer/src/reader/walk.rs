//! What a reader is asked for: the members of an object, the items of an array, a value's text.

use std::borrow::Cow;

use super::error::Fault;
use super::scan::{JsonReader, Quoted, Read};

/// One JSON value as its text, borrowed from the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawJson<'a>(&'a str);

impl<'a> RawJson<'a> {
    /// The JSON text, without blanks around it.
    #[must_use]
    pub fn get(self) -> &'a str {
        self.0
    }
}

/// What comes next in an object.
#[derive(Debug, PartialEq, Eq)]
pub enum Member<'a> {
    /// The name that was expected.
    Expected,
    /// Another name.
    Named(Cow<'a, str>),
    /// Nothing: the object is closed.
    End,
}

impl<'a> JsonReader<'a> {
    /// How many bytes of the text have been read.
    #[must_use]
    pub fn position(&self) -> usize {
        self.at
    }

    /// Goes into the object that comes next; false, and nothing read, when another value comes.
    ///
    /// # Errors
    /// [`ReadError`](super::ReadError), here and below: the text is not JSON.
    #[inline]
    pub fn open_object(&mut self) -> Read<bool> {
        self.first = self.skip_if(b'{')?;
        Ok(self.first)
    }

    /// Reads the next name of the object that is open, and the colon behind it. `expected` is a name between quotes,
    /// as JSON writes it: where it comes, nothing needs to be searched.
    ///
    /// # Errors
    /// The text is not JSON.
    #[inline]
    pub fn next_member(&mut self, expected: &str) -> Read<Member<'a>> {
        if !self.next(b'}')? {
            return Ok(Member::End);
        }
        self.peek()?;
        if !expected.is_empty() && self.rest().starts_with(expected.as_bytes()) {
            self.at += expected.len();
            self.expect(b':')?;
            return Ok(Member::Expected);
        }
        let name = self.string()?;
        self.expect(b':')?;
        self.unescaped(name).map(Member::Named)
    }

    /// Reads the next name of the object that is open; `None` at its end.
    ///
    /// # Errors
    /// The text is not JSON.
    pub fn next_name(&mut self) -> Read<Option<Cow<'a, str>>> {
        match self.next_member("")? {
            Member::Named(name) => Ok(Some(name)),
            Member::Expected | Member::End => Ok(None),
        }
    }

    /// Goes into the array that comes next; false, and nothing read, when another value comes.
    ///
    /// # Errors
    /// The text is not JSON.
    pub fn open_array(&mut self) -> Read<bool> {
        self.first = self.skip_if(b'[')?;
        Ok(self.first)
    }

    /// Goes to the next item of the array that is open; false at its end.
    ///
    /// # Errors
    /// The text is not JSON.
    pub fn next_item(&mut self) -> Read<bool> {
        self.next(b']')
    }

    /// Goes over the comma that must stand between two; false behind the closing bracket.
    #[inline]
    fn next(&mut self, closing: u8) -> Read<bool> {
        let first = std::mem::take(&mut self.first);
        let byte = self.peek()?;
        if byte == closing {
            self.at += 1;
            return Ok(false);
        }
        if !first {
            if byte != b',' {
                return Err(self.fault(Fault::Syntax));
            }
            self.at += 1;
        }
        Ok(true)
    }

    /// The text of the value that comes next.
    ///
    /// # Errors
    /// The text is not JSON.
    #[inline]
    pub fn value(&mut self) -> Read<RawJson<'a>> {
        self.raw_value().map(RawJson)
    }

    /// Passes over the value that comes next.
    ///
    /// # Errors
    /// The text is not JSON.
    pub fn skip(&mut self) -> Read<()> {
        self.skip_value()
    }

    /// The string that comes next; `None` when another value comes, which is passed over.
    ///
    /// # Errors
    /// The text is not JSON, or the string has half a surrogate pair.
    #[inline]
    pub fn text(&mut self) -> Read<Option<Cow<'a, str>>> {
        if self.peek()? != b'"' {
            return self.skip().map(|()| None);
        }
        let text = self.string()?;
        self.unescaped(text).map(Some)
    }

    #[inline]
    fn unescaped(&self, text: Quoted<'a>) -> Read<Cow<'a, str>> {
        if text.escaped { self.unescape(text.inside).map(Cow::Owned) } else { Ok(Cow::Borrowed(text.inside)) }
    }

    #[cold]
    fn unescape(&self, inside: &str) -> Read<String> {
        serde_json::from_str(&format!("\"{inside}\"")).map_err(|_| self.fault(Fault::Syntax))
    }
}
