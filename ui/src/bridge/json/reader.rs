//! The serde deserializer for JSON text.

use serde::de::{self, DeserializeSeed, Deserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::text::{Broken, Number, Text};

/// Maximum nesting depth of lists and objects, the same as in `serde_json`.
const DEEPEST: u8 = 127;

/// A serde deserializer that reads a text value by value.
pub(super) struct Reader<'a> {
    text: Text<'a>,
    depth: u8,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text: Text::new(text), depth: 0 }
    }

    /// How far it is read, in bytes.
    pub(super) fn at(&self) -> usize {
        self.text.at
    }

    /// Fails unless the text ends here.
    pub(super) fn end(&mut self) -> Result<(), Broken> {
        if self.text.peek().is_none() { Ok(()) } else { Err(Broken) }
    }

    fn open(&mut self, bracket: u8) -> Result<(), Broken> {
        self.text.expect(bracket)?;
        self.depth += 1;
        if self.depth > DEEPEST { Err(Broken) } else { Ok(()) }
    }

    fn close(&mut self, bracket: u8) -> Result<(), Broken> {
        self.depth -= 1;
        self.text.expect(bracket)
    }

    /// Skips a value.
    fn pass_over(&mut self) -> Result<(), Broken> {
        let (open, close) = match self.text.peek().ok_or(Broken)? {
            b'"' => return self.text.string().map(drop),
            b'{' => (b'{', b'}'),
            b'[' => (b'[', b']'),
            b'-' | b'0'..=b'9' => return self.text.number().map(drop),
            _ => return self.truth().map(drop).or_else(|_| self.nothing()),
        };
        self.open(open)?;
        let mut first = true;
        while self.goes_on(&mut first, close) {
            if open == b'{' {
                self.text.string()?;
                self.text.expect(b':')?;
            }
            self.pass_over()?;
        }
        self.close(close)
    }

    /// Whether another value follows in a list or an object that ends with that bracket.
    fn goes_on(&mut self, first: &mut bool, bracket: u8) -> bool {
        let is_first = std::mem::replace(first, false);
        // The closing call checks that it ends with the right bracket.
        if is_first { self.text.peek() != Some(bracket) } else { self.text.take(b',') }
    }

    fn truth(&mut self) -> Result<bool, Broken> {
        if self.text.word("true") {
            Ok(true)
        } else if self.text.word("false") {
            Ok(false)
        } else {
            Err(Broken)
        }
    }

    fn nothing(&mut self) -> Result<(), Broken> {
        if self.text.word("null") { Ok(()) } else { Err(Broken) }
    }
}

impl<'de> Deserializer<'de> for &mut Reader<'_> {
    type Error = Broken;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
        match self.text.peek().ok_or(Broken)? {
            b'"' => self.deserialize_str(visitor),
            b'{' => self.deserialize_map(visitor),
            b'[' => self.deserialize_seq(visitor),
            b'n' => self.deserialize_unit(visitor),
            b't' | b'f' => self.deserialize_bool(visitor),
            _ => match self.text.number()? {
                Number::Natural(number) => visitor.visit_u64(number),
                Number::Negative(number) => visitor.visit_i64(number),
                Number::Fraction(number) => visitor.visit_f64(number),
            },
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
        visitor.visit_bool(self.truth()?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
        visitor.visit_str(&self.text.string()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
        self.deserialize_str(visitor)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
        self.nothing()?;
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
        if self.text.word("null") { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Broken> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
        self.open(b'[')?;
        let value = visitor.visit_seq(Values { reader: self, first: true })?;
        self.close(b']')?;
        Ok(value)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Broken> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
        self.open(b'{')?;
        let value = visitor.visit_map(Values { reader: self, first: true })?;
        self.close(b'}')?;
        Ok(value)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Broken> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Broken> {
        let is_bare = self.text.peek() == Some(b'"');
        if is_bare {
            return visitor.visit_enum(Variant { reader: self, is_bare });
        }
        self.open(b'{')?;
        let value = visitor.visit_enum(Variant { reader: self, is_bare })?;
        self.close(b'}')?;
        Ok(value)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
        self.pass_over()?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char bytes byte_buf unit_struct tuple_struct
    }
}

/// Access to the elements of a list, or the names and values of an object.
struct Values<'r, 'a> {
    reader: &'r mut Reader<'a>,
    first: bool,
}

impl<'de> de::SeqAccess<'de> for Values<'_, '_> {
    type Error = Broken;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Broken> {
        if self.reader.goes_on(&mut self.first, b']') {
            seed.deserialize(&mut *self.reader).map(Some)
        } else {
            Ok(None)
        }
    }
}

impl<'de> de::MapAccess<'de> for Values<'_, '_> {
    type Error = Broken;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Broken> {
        if !self.reader.goes_on(&mut self.first, b'}') {
            return Ok(None);
        }
        // A seed that accepts any value would accept a number, too.
        if self.reader.text.peek() == Some(b'"') { seed.deserialize(&mut *self.reader).map(Some) } else { Err(Broken) }
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Broken> {
        self.reader.text.expect(b':')?;
        seed.deserialize(&mut *self.reader)
    }
}

/// Access to a variant of an enum: a bare name, or a name with its content.
struct Variant<'r, 'a> {
    reader: &'r mut Reader<'a>,
    is_bare: bool,
}

impl Variant<'_, '_> {
    fn holds_something(&self) -> Result<(), Broken> {
        if self.is_bare { Err(Broken) } else { Ok(()) }
    }
}

impl<'de> de::EnumAccess<'de> for Variant<'_, '_> {
    type Error = Broken;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Broken> {
        let name = seed.deserialize(&mut *self.reader)?;
        if !self.is_bare {
            self.reader.text.expect(b':')?;
        }
        Ok((name, self))
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'_, '_> {
    type Error = Broken;

    fn unit_variant(self) -> Result<(), Broken> {
        if self.is_bare { Ok(()) } else { self.reader.nothing() }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Broken> {
        self.holds_something()?;
        seed.deserialize(self.reader)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Broken> {
        self.holds_something()?;
        self.reader.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Broken> {
        self.holds_something()?;
        self.reader.deserialize_map(visitor)
    }
}
