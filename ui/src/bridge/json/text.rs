//! A JSON tokenizer: whitespace, punctuation, literals, numbers, strings.

use std::borrow::Cow;
use std::fmt;

use serde::de;

/// A parse error without details. [`Text`] holds the position.
#[derive(Debug)]
pub(super) struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not understood")
    }
}

impl std::error::Error for Broken {}

impl de::Error for Broken {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }

    // The default implementations of the methods below would each format a message first.

    fn invalid_type(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Self
    }

    fn invalid_value(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Self
    }

    fn invalid_length(_: usize, _: &dyn de::Expected) -> Self {
        Self
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Self
    }

    fn missing_field(_: &'static str) -> Self {
        Self
    }

    fn duplicate_field(_: &'static str) -> Self {
        Self
    }
}

/// A number, as an integer where it is one and fits.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    Natural(u64),
    Negative(i64),
    Fraction(f64),
}

/// A JSON text and the current position in it.
pub(super) struct Text<'a> {
    whole: &'a str,
    pub(super) at: usize,
}

impl<'a> Text<'a> {
    pub(super) fn new(whole: &'a str) -> Self {
        Self { whole, at: 0 }
    }

    /// The next byte; none at the end.
    fn byte(&self) -> Option<u8> {
        self.whole.as_bytes().get(self.at).copied()
    }

    /// The next byte after whitespace; none at the end.
    pub(super) fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.byte() {
            self.at += 1;
        }
        self.byte()
    }

    /// Consumes the next byte after whitespace if it is the wanted one.
    pub(super) fn take(&mut self, wanted: u8) -> bool {
        let is_there = self.peek() == Some(wanted);
        self.at += usize::from(is_there);
        is_there
    }

    pub(super) fn expect(&mut self, wanted: u8) -> Result<(), Broken> {
        if self.take(wanted) { Ok(()) } else { Err(Broken) }
    }

    /// Consumes the literal `true`, `false` or `null` if it comes next.
    pub(super) fn word(&mut self, wanted: &str) -> bool {
        self.peek();
        let is_there = self.whole.as_bytes()[self.at..].starts_with(wanted.as_bytes());
        self.at += if is_there { wanted.len() } else { 0 };
        is_there
    }

    /// Parses a number (RFC 8259, section 6).
    pub(super) fn number(&mut self) -> Result<Number, Broken> {
        self.peek();
        let from = self.at;
        let is_negative = self.one_of(b"-");
        if !self.one_of(b"0") {
            self.digits()?;
        }
        let is_whole = !matches!(self.byte(), Some(b'.' | b'e' | b'E'));
        if self.one_of(b".") {
            self.digits()?;
        }
        if self.one_of(b"eE") {
            self.one_of(b"+-");
            self.digits()?;
        }
        let said = &self.whole[from..self.at];
        if is_whole
            && !is_negative
            && let Ok(number) = said.parse()
        {
            return Ok(Number::Natural(number));
        }
        // Negative zero is read as a fraction.
        if is_whole && let Some(number) = said.parse().ok().filter(|number| *number < 0) {
            return Ok(Number::Negative(number));
        }
        said.parse().ok().filter(|number: &f64| number.is_finite()).map(Number::Fraction).ok_or(Broken)
    }

    fn one_of(&mut self, wanted: &[u8]) -> bool {
        let is_there = self.byte().is_some_and(|byte| wanted.contains(&byte));
        self.at += usize::from(is_there);
        is_there
    }

    fn digits(&mut self) -> Result<(), Broken> {
        let from = self.at;
        while self.one_of(b"0123456789") {}
        if self.at > from { Ok(()) } else { Err(Broken) }
    }

    /// Parses a string (RFC 8259, section 7). A string without escapes is borrowed, not copied.
    pub(super) fn string(&mut self) -> Result<Cow<'a, str>, Broken> {
        self.expect(b'"')?;
        let plain = self.plain()?;
        if self.byte() == Some(b'"') {
            self.at += 1;
            return Ok(Cow::Borrowed(plain));
        }
        let mut string = plain.to_owned();
        loop {
            self.at += 1;
            string.push(self.escaped()?);
            string.push_str(self.plain()?);
            if self.byte() == Some(b'"') {
                self.at += 1;
                return Ok(Cow::Owned(string));
            }
        }
    }

    /// The characters before the next quotation mark or backslash.
    fn plain(&mut self) -> Result<&'a str, Broken> {
        let from = self.at;
        loop {
            match self.byte() {
                Some(b'"' | b'\\') => return Ok(&self.whole[from..self.at]),
                Some(0x20..) => self.at += 1,
                _ => return Err(Broken),
            }
        }
    }

    /// The character of an escape sequence, after the backslash.
    fn escaped(&mut self) -> Result<char, Broken> {
        let escape = self.byte().ok_or(Broken)?;
        self.at += 1;
        Ok(match escape {
            b'"' | b'\\' | b'/' => char::from(escape),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.unit()?;
                let second = match first {
                    0xd800..0xdc00 if self.one_of(b"\\") && self.one_of(b"u") => Some(self.unit()?),
                    _ => None,
                };
                // A lone surrogate (UTF-16) is no character.
                let mut characters = char::decode_utf16([first].into_iter().chain(second));
                characters.next().and_then(Result::ok).ok_or(Broken)?
            }
            _ => return Err(Broken),
        })
    }

    /// Parses four hexadecimal digits.
    fn unit(&mut self) -> Result<u16, Broken> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.byte().and_then(|byte| char::from(byte).to_digit(16)).ok_or(Broken)?;
            unit = unit * 16 + digit;
            self.at += 1;
        }
        u16::try_from(unit).map_err(|_| Broken)
    }
}
