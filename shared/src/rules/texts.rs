//! Validation of names and texts that people type.

use crate::Refusal;
use crate::names::composed;

/// Maximum length of a name, in characters.
pub const MAX_NAME: usize = 200;

/// Validates a name: trimmed, not empty, no control characters, of limited length.
///
/// # Errors
/// Returns `invalid` with the field's name.
pub fn name(field: &str, text: &str) -> Result<String, Refusal> {
    words(field, text, MAX_NAME).and_then(|name| {
        if name.is_empty() { Err(Refusal::invalid(field, "A name can't be empty.")) } else { Ok(name) }
    })
}

/// Validates a text: trimmed, in normalization form C, possibly empty. `most` is in characters. Line endings of all
/// systems become line feeds.
///
/// # Errors
/// Returns `invalid` with the field's name, and the limit if it was exceeded.
pub fn words(field: &str, text: &str, most: usize) -> Result<String, Refusal> {
    let text = composed(&lines(text.trim()));
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Err(Refusal::invalid(field, "Control characters can't be taken."));
    }
    if text.chars().count() > most {
        return Err(Refusal::invalid(field, format!("{most} characters at most.")).with("limit", &most));
    }
    Ok(text)
}

/// Replaces each line ending by a line feed: carriage returns with or without a line feed, and Unicode's separators, as
/// other systems and word processors write them.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace(['\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'], "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_trimmed_and_counted_in_characters() {
        assert_eq!(name("name", "  Cabin 5 \n").unwrap(), "Cabin 5");
        assert_eq!(name("name", &"ü".repeat(MAX_NAME)).unwrap().chars().count(), MAX_NAME);
        let refusal = name("name", &"ü".repeat(MAX_NAME + 1)).unwrap_err();
        assert_eq!((refusal.details["field"].as_str(), refusal.details["limit"].as_u64()), (Some("name"), Some(200)));
    }

    #[test]
    fn what_was_typed_with_combining_marks_is_kept_in_one_form() {
        assert_eq!(name("name", "Z\u{30c}eljka").unwrap(), "Željka");
        assert_eq!(words("notes", &"u\u{308}".repeat(10), 10).unwrap(), "ü".repeat(10));
    }

    #[test]
    fn a_name_of_blanks_is_none_and_words_may_be_empty() {
        assert!(name("name", " \t ").is_err());
        assert_eq!(words("notes", " \t ", 10).unwrap(), "");
    }

    #[test]
    fn a_line_ends_with_a_line_feed_however_it_was_ended() {
        for end in ["\n", "\r\n", "\r", "\u{b}", "\u{c}", "\u{85}", "\u{2028}", "\u{2029}"] {
            assert_eq!(words("text", &format!("two{end}lines{end}"), 9).unwrap(), "two\nlines", "{end:?}");
        }
        assert_eq!(words("text", "a\r\n\r\nb", 9).unwrap(), "a\n\nb");
        assert_eq!(words("text", "a\n\rb", 9).unwrap(), "a\n\nb");
    }

    #[test]
    fn lines_can_be_taken_and_other_control_characters_not() {
        assert_eq!(words("notes", "two\n\tlines", 20).unwrap(), "two\n\tlines");
        for text in ["a\0b", "a\u{1b}[31m", "a\u{7f}b", "a\u{9b}31m"] {
            assert!(words("notes", text, 20).is_err(), "{text:?}");
        }
    }
}
