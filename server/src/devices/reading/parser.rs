//! Parser for JSON (RFC 8259) with error recovery: after invalid input it continues at the next member.

use serde_json::Number;

use super::{DEPTH_MAX, Damage, Object, Reading, VALUES_MAX, Value};

/// Parser of one object. Every loop advances by at least a byte, or ends.
pub(super) struct Parser<'p> {
    bytes: &'p [u8],
    at: usize,
    /// The number of values that may still be kept.
    budget: usize,
    damage: Option<Damage>,
    is_cut: bool,
    /// Whether a search has shown that no further member begins. Repeating it would be as slow and find none.
    is_last: bool,
}

impl<'p> Parser<'p> {
    /// Creates a parser for bytes that begin with `{`.
    pub(super) fn new(bytes: &'p [u8]) -> Self {
        Self { bytes, at: 0, budget: VALUES_MAX, damage: None, is_cut: false, is_last: false }
    }

    /// Reads the object, and returns where it ends.
    pub(super) fn read(mut self) -> (Reading, usize) {
        self.at = 1;
        let object = Object(self.members(DEPTH_MAX));
        let reading = Reading { object, damage: self.damage, is_whole: !self.is_cut };
        (reading, self.at)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn note(&mut self, damage: Damage) {
        self.damage.get_or_insert(damage);
    }

    /// Records that the end is missing, which takes precedence over earlier damage.
    fn cut(&mut self) {
        self.is_cut = true;
        self.damage = Some(Damage::Cut);
    }

    /// Takes one value from the budget; false if it is used up.
    fn spend(&mut self) -> bool {
        if self.budget == 0 {
            self.note(Damage::TooMuch);
            return false;
        }
        self.budget -= 1;
        true
    }

    /// Reads the members up to and including the closing brace.
    fn members(&mut self, depth: usize) -> Vec<(String, Value)> {
        let mut members = Vec::new();
        let mut next = Next::ItemOrEnd;
        loop {
            self.skip_blanks();
            let Some(byte) = self.peek() else {
                self.cut();
                return members;
            };
            match byte {
                b'}' => {
                    self.at += 1;
                    if next == Next::Item {
                        self.note(Damage::Punctuation);
                    }
                    return members;
                }
                b',' => {
                    self.at += 1;
                    if next != Next::CommaOrEnd {
                        self.note(Damage::Punctuation);
                    }
                    next = Next::Item;
                }
                _ => {
                    if next == Next::CommaOrEnd {
                        self.note(Damage::Punctuation);
                    }
                    if let Some((name, value)) = self.member(byte, depth)
                        && self.spend()
                    {
                        members.push((name, value));
                    }
                    next = Next::CommaOrEnd;
                }
            }
        }
    }

    /// Reads a member; none if its name can't be read. Input that begins with `byte` is consumed in any case.
    fn member(&mut self, byte: u8, depth: usize) -> Option<(String, Value)> {
        let name = if matches!(byte, b'"' | b'\'') {
            self.text(byte)
        } else {
            self.note(Damage::Punctuation);
            let word = self.word();
            if word.is_empty() {
                self.at += 1;
                return None;
            }
            std::str::from_utf8(word).ok().map(str::to_owned)
        };
        self.skip_blanks();
        if self.peek() != Some(b':') {
            if self.at < self.bytes.len() {
                self.note(Damage::Punctuation);
            }
            return None;
        }
        self.at += 1;
        let begins = self.at;
        let mut value = self.value(depth);
        if matches!(value, Value::Text(_)) && !self.is_member_over() {
            value = Value::Unknown;
            self.note(Damage::Text);
            self.find_member(begins);
        }
        Some((name?, value))
    }

    /// Whether the next byte may follow a text. Otherwise a quote inside the text was mistaken for its end.
    fn is_member_over(&mut self) -> bool {
        self.skip_blanks();
        match self.peek() {
            None | Some(b',' | b'}' | b']') => true,
            // Only the comma is missing.
            Some(b'"') => self.begins_member(self.at),
            Some(_) => false,
        }
    }

    /// Moves to the comma before the next recognisable member, searching from a position.
    fn find_member(&mut self, from: usize) {
        if self.is_last {
            return;
        }
        let begins = |at: usize| {
            let blanks = self.bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_whitespace()).take(8).count();
            self.bytes[at] == b',' && self.begins_member(at + 1 + blanks)
        };
        match (from..self.bytes.len()).find(|&at| begins(at)) {
            Some(comma) => self.at = comma,
            None => self.is_last = true,
        }
    }

    /// Whether a quoted name and a colon begin at a position.
    fn begins_member(&self, at: usize) -> bool {
        /// Maximum length of a recognised name, in bytes.
        const NAME: usize = 64;
        let Some(rest) = self.bytes.get(at..).and_then(|rest| rest.strip_prefix(b"\"")) else { return false };
        let name = rest.iter().take(NAME).take_while(|byte| byte.is_ascii_alphanumeric() || b"_-.: ".contains(byte));
        let length = name.count();
        let Some(rest) = rest[length..].strip_prefix(b"\"") else { return false };
        length > 0 && rest.iter().take(8).find(|byte| !byte.is_ascii_whitespace()) == Some(&b':')
    }

    /// Reads the items up to and including the closing bracket.
    fn items(&mut self, depth: usize) -> Vec<Value> {
        let mut items = Vec::new();
        let mut next = Next::ItemOrEnd;
        loop {
            self.skip_blanks();
            let Some(byte) = self.peek() else {
                self.cut();
                return items;
            };
            match byte {
                b']' => {
                    self.at += 1;
                    if next == Next::Item {
                        self.note(Damage::Punctuation);
                    }
                    return items;
                }
                // An unclosed list: its object continues.
                b'}' => {
                    self.note(Damage::Punctuation);
                    return items;
                }
                b',' => {
                    self.at += 1;
                    if next != Next::CommaOrEnd {
                        self.note(Damage::Punctuation);
                    }
                    next = Next::Item;
                }
                b':' => {
                    self.at += 1;
                    self.note(Damage::Punctuation);
                }
                _ => {
                    if next == Next::CommaOrEnd {
                        self.note(Damage::Punctuation);
                    }
                    let item = self.value(depth);
                    if self.spend() {
                        items.push(item);
                    }
                    next = Next::CommaOrEnd;
                }
            }
        }
    }

    fn value(&mut self, depth: usize) -> Value {
        self.skip_blanks();
        match self.peek() {
            Some(b'{' | b'[') if depth == 0 => {
                self.note(Damage::TooMuch);
                self.pass_nested();
                Value::Unknown
            }
            Some(b'{') => {
                self.at += 1;
                Value::Object(Object(self.members(depth - 1)))
            }
            Some(b'[') => {
                self.at += 1;
                Value::List(self.items(depth - 1))
            }
            Some(quote @ (b'"' | b'\'')) => self.text(quote).map_or(Value::Unknown, Value::Text),
            Some(_) => self.plain(),
            None => {
                self.cut();
                Value::Unknown
            }
        }
    }

    /// Skips a value that is nested too deeply, without recursion.
    fn pass_nested(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                b'"' => self.pass_text(),
                _ => {}
            }
            if depth == 0 {
                return;
            }
        }
        self.cut();
    }

    fn pass_text(&mut self) {
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'"' => return,
                b'\\' => self.at = self.bytes.len().min(self.at + 1),
                _ => {}
            }
        }
    }

    /// Reads a word without quotes, up to the first delimiter.
    fn word(&mut self) -> &'p [u8] {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().take_while(|byte| !b",:{}[]\"' \t\r\n".contains(byte)).count();
        self.at += length;
        &rest[..length]
    }

    /// Reads a value without quotes.
    fn plain(&mut self) -> Value {
        let word = self.word();
        let ends_here = self.at == self.bytes.len();
        let value = match word {
            b"true" => Value::Bool(true),
            b"false" => Value::Bool(false),
            b"null" => Value::Null,
            // At the end of a truncated message, a number may have had more digits.
            _ if ends_here => Value::Unknown,
            word => number(word).map_or(Value::Unknown, Value::Number),
        };
        if value == Value::Unknown {
            self.note(Damage::Value);
        }
        value
    }

    /// Reads a text from its opening quote on; `None` if it is damaged.
    fn text(&mut self, quote: u8) -> Option<String> {
        if quote != b'"' {
            self.note(Damage::Punctuation);
        }
        self.at += 1;
        let mut text = Vec::new();
        let mut is_intact = true;
        loop {
            let Some(byte) = self.peek() else {
                self.cut();
                return None;
            };
            self.at += 1;
            match byte {
                _ if byte == quote => break,
                b'\\' => match self.escaped() {
                    Some(c) => text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                    None => is_intact = false,
                },
                // A raw line break is invalid, but unambiguous.
                b'\n' | b'\r' | b'\t' => {
                    self.note(Damage::Text);
                    text.push(byte);
                }
                0..0x20 => is_intact = false,
                byte => text.push(byte),
            }
        }
        if !is_intact {
            self.note(Damage::Text);
            return None;
        }
        let text = String::from_utf8(text);
        if text.is_err() {
            self.note(Damage::Encoding);
        }
        text.ok()
    }

    /// Decodes an escape, from behind its backslash on.
    fn escaped(&mut self) -> Option<char> {
        let byte = self.peek()?;
        let c = match byte {
            b'"' | b'\\' | b'/' | b'\'' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                self.at += 1;
                return self.unicode();
            }
            _ => return None,
        };
        self.at += 1;
        if byte == b'\'' {
            self.note(Damage::Text);
        }
        Some(c)
    }

    /// Decodes `\uXXXX` or a surrogate pair; `None` for an unpaired surrogate.
    fn unicode(&mut self) -> Option<char> {
        let first = self.hex()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        if self.bytes.get(self.at..self.at + 2) != Some(b"\\u") {
            return None;
        }
        self.at += 2;
        let second = self.hex()?;
        let is_low = (0xdc00..0xe000).contains(&second);
        is_low.then(|| char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))).flatten()
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.bytes.get(self.at..self.at + 4)?;
        let number = digits.iter().try_fold(0, |number, &digit| Some(number << 4 | char::from(digit).to_digit(16)?))?;
        self.at += 4;
        Some(number)
    }
}

/// The tokens expected next in a list or an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    ItemOrEnd,
    Item,
    CommaOrEnd,
}

/// Parses a number in JSON syntax (RFC 8259, section 6), and no other notation.
fn number(word: &[u8]) -> Option<Number> {
    // `serde_json` allows blanks around a number, but a word contains none.
    serde_json::from_slice(word).ok()
}
