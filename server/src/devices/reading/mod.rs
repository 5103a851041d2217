//! Tolerant JSON reader for device messages. Pure; independent of topics, buttons and presses.
//!
//! A damaged part becomes [`Value::Unknown`], and the parts around it are read normally: a failing sensor prints `nan`,
//! a C buffer ends in the rest of the previous message, a text is cut in the middle of a character. Nothing is guessed:
//! `087` is not 87, and half a word is not a word. Text that `serde_json` accepts is read identically (a test compares
//! the two), with no damage.
//!
//! One pass, no recursion deeper than [`DEPTH_MAX`], and no more than [`VALUES_MAX`] values are kept.

mod parser;
#[cfg(test)]
mod tests;
mod value;

use std::borrow::Cow;

pub use value::{Object, Value};

use parser::Parser;

/// Maximum nesting depth; deeper values are unknown.
pub const DEPTH_MAX: usize = 32;
/// Maximum number of values kept of one message, members and items together; further ones are unknown.
pub const VALUES_MAX: usize = 16 * 1024;
/// Maximum number of concatenated objects read of one message.
const OBJECTS_MAX: usize = 8;

/// An object, as far as it could be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Its members; damaged ones are [`Value::Unknown`], and those without a readable name are left out.
    pub object: Object,
    /// The first damage found, if any.
    pub damage: Option<Damage>,
    /// Whether its end was found. A truncated object says nothing about the missing part.
    pub is_whole: bool,
}

/// A kind of damage in a message that is at least partly readable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Damage {
    /// An invalid value: `nan`, `087`, nothing at all.
    Value,
    /// A text with bytes that aren't UTF-8.
    Encoding,
    /// A text with an incomplete escape, a control character, or a surplus quote.
    Text,
    /// A surplus or missing comma, colon or bracket.
    Punctuation,
    /// The end of the message is missing.
    Cut,
    /// Further bytes follow the end.
    Leftovers,
    /// The message is nested too deeply, or has too many values.
    TooMuch,
}

impl Damage {
    /// Stable code, for metrics.
    pub fn code(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Encoding => "encoding",
            Self::Text => "text",
            Self::Punctuation => "punctuation",
            Self::Cut => "cut",
            Self::Leftovers => "leftovers",
            Self::TooMuch => "too_much",
        }
    }

    /// Short description for the administrator.
    pub fn says(self) -> &'static str {
        match self {
            Self::Value => "a value that is none, such as nan",
            Self::Encoding => "a text that is not UTF-8",
            Self::Text => "a text with a broken escape, control character or quote",
            Self::Punctuation => "a comma, colon or bracket too many or too few",
            Self::Cut => "the end of the message is missing",
            Self::Leftovers => "something follows the end of the message",
            Self::TooMuch => "the message is nested too deep, or holds too much",
        }
    }
}

/// The reason why a message is unreadable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It is empty.
    Empty,
    /// It isn't text.
    NotText,
    /// It is text, but doesn't begin with an object.
    NotAnObject,
}

/// Reads a message: an object, and further intact objects behind it, except those equal to the one before.
///
/// A byte-order mark is skipped, and UTF-16 after one is decoded. A NUL ends the message, as in C, unless it is inside
/// a text of an object that continues after it, as in a field of fixed size.
///
/// # Errors
/// Returns an error if the message doesn't begin with an object.
pub fn read(payload: &[u8]) -> Result<Vec<Reading>, Unreadable> {
    let bytes = text_bytes(payload);
    let (message, is_ended) = until_nul(&bytes);
    let message = message.trim_ascii();
    if message.is_empty() {
        return Err(Unreadable::Empty);
    }
    if message[0] != b'{' {
        let is_text = std::str::from_utf8(message).is_ok();
        return Err(if is_text { Unreadable::NotAnObject } else { Unreadable::NotText });
    }
    let (mut first, end) = Parser::new(message).read();
    if !first.is_whole && is_ended {
        let (padded, _) = Parser::new(&bytes).read();
        if padded.is_whole && padded.damage == Some(Damage::Text) {
            return Ok(vec![padded]);
        }
    }
    let mut readings = Vec::new();
    let mut before = &message[..end];
    let mut rest = message[end..].trim_ascii();
    if is_ended || !rest.is_empty() {
        first.damage = first.damage.or(Some(Damage::Leftovers));
    }
    readings.push(first);
    while readings.len() < OBJECTS_MAX {
        rest = rest.trim_ascii_start();
        rest = rest.strip_prefix(b",").unwrap_or(rest).trim_ascii_start();
        if rest.first() != Some(&b'{') {
            break;
        }
        let (next, end) = Parser::new(rest).read();
        if next.damage.is_some() {
            break;
        }
        if &rest[..end] != before {
            readings.push(next);
        }
        before = &rest[..end];
        rest = &rest[end..];
    }
    Ok(readings)
}

/// Reads a message that is a plain word or a line of text: without byte-order mark, and without the bytes after a NUL.
///
/// # Errors
/// Returns an error if it isn't text. An empty message is `Ok("")`.
pub fn read_text(payload: &[u8]) -> Result<String, Unreadable> {
    let bytes = text_bytes(payload);
    let (message, _) = until_nul(&bytes);
    let text = std::str::from_utf8(message).map_err(|_| Unreadable::NotText)?;
    Ok(text.trim().to_owned())
}

/// The payload as UTF-8, without a byte-order mark and without leading NULs and blanks.
fn text_bytes(payload: &[u8]) -> Cow<'_, [u8]> {
    let unit = |from: fn([u8; 2]) -> u16| {
        let units = payload[2..].chunks_exact(2).map(move |pair| from([pair[0], pair[1]]));
        let text: String = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        Cow::Owned(text.into_bytes())
    };
    match payload {
        [0xff, 0xfe, ..] => unit(u16::from_le_bytes),
        [0xfe, 0xff, ..] => unit(u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, text @ ..] => Cow::Borrowed(text),
        text => {
            let begins = text.iter().position(|byte| !matches!(byte, 0 | b' ' | b'\t' | b'\r' | b'\n'));
            let text = begins.map_or(&text[text.len()..], |at| &text[at..]);
            Cow::Borrowed(text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text))
        }
    }
}

/// The bytes before the first NUL, and whether anything but NULs follows it.
fn until_nul(bytes: &[u8]) -> (&[u8], bool) {
    match bytes.iter().position(|&byte| byte == 0) {
        Some(at) => (&bytes[..at], bytes[at..].iter().any(|&byte| byte != 0)),
        None => (bytes, false),
    }
}
