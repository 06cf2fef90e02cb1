//! The reader as a serde deserializer.

use serde::Deserialize as _;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::error::{Fault, ReadError};
use super::raw_json::RAW_JSON;
use super::scan::{JsonReader, Quoted};

impl<'de> Deserializer<'de> for &mut JsonReader<'de> {
    type Error = ReadError;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.peek()? {
            b'"' => self.string()?.visit(visitor),
            b'{' => self.nested(b'{', |reader| visitor.visit_map(Members { reader, first: true })),
            b'[' => self.nested(b'[', |reader| visitor.visit_seq(Items { reader, first: true })),
            _ => scalar(self.raw_value()?, visitor),
        }
    }

    #[inline]
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.skip_value()?;
        visitor.visit_unit()
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        if name == RAW_JSON {
            visitor.visit_borrowed_str(self.raw_value()?)
        } else {
            visitor.visit_newtype_struct(self)
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.peek()? {
            b'n' => self.deserialize_ignored_any(visitor),
            _ => visitor.visit_some(self),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq
        tuple tuple_struct map struct enum identifier
    }
}

impl JsonReader<'_> {
    #[inline]
    fn nested<T>(
        &mut self,
        bracket: u8,
        read: impl FnOnce(&mut Self) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        self.expect(bracket)?;
        self.depth_left = self.depth_left.checked_sub(1).ok_or_else(|| self.fault(Fault::Deep))?;
        let value = read(self)?;
        self.depth_left += 1;
        Ok(value)
    }
}

fn scalar<'de, V: Visitor<'de>>(raw: &str, visitor: V) -> Result<V::Value, ReadError> {
    match raw {
        "null" => return visitor.visit_unit(),
        "true" => return visitor.visit_bool(true),
        "false" => return visitor.visit_bool(false),
        // An integer has no minus zero.
        "-0" => return visitor.visit_f64(-0.0),
        _ => {}
    }
    if let Ok(value) = raw.parse() {
        return visitor.visit_u64(value);
    }
    if let Ok(value) = raw.parse() {
        return visitor.visit_i64(value);
    }
    // Digits are kept by whoever asks for the text instead.
    visitor.visit_f64(raw.parse().unwrap_or(f64::NAN))
}

impl<'de> Quoted<'de> {
    #[inline]
    fn visit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        if self.escaped { self.visit_unescaped(visitor) } else { visitor.visit_borrowed_str(self.inside) }
    }

    #[cold]
    fn visit_unescaped<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let whole = format!("\"{}\"", self.inside);
        let mut deserializer = serde_json::Deserializer::from_str(&whole);
        let text =
            String::deserialize(&mut deserializer).map_err(|_| ReadError { at: 0, fault: Fault::Syntax })?;
        visitor.visit_string(text)
    }
}

/// The members of an object that is open.
struct Members<'r, 'de> {
    reader: &'r mut JsonReader<'de>,
    first: bool,
}

impl<'de> MapAccess<'de> for Members<'_, 'de> {
    type Error = ReadError;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ReadError> {
        if self.reader.skip_if(b'}')? {
            return Ok(None);
        }
        if !self.first {
            self.reader.expect(b',')?;
        }
        self.first = false;
        let name = self.reader.string()?;
        self.reader.expect(b':')?;
        seed.deserialize(name).map(Some)
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ReadError> {
        seed.deserialize(&mut *self.reader)
    }
}

/// The items of an array that is open.
struct Items<'r, 'de> {
    reader: &'r mut JsonReader<'de>,
    first: bool,
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError> {
        if self.first {
            self.first = false;
            if self.reader.skip_if(b']')? {
                return Ok(None);
            }
        } else if self.reader.skip_if(b']')? {
            return Ok(None);
        } else {
            self.reader.expect(b',')?;
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

/// A member's name.
impl<'de> Deserializer<'de> for Quoted<'de> {
    type Error = ReadError;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.visit(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
