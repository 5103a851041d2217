//! All texts of the app, in English, German, French and Croatian.
//!
//! `words().requests.title` is a text; `fill(words().codes.not_yours, &[("who", name)])` fills in names;
//! `words().frame.waiting_count.say(n)` inserts a number. The language changes seldom, and then the whole UI renders
//! again, so texts are no reactive values.
//!
//! - `words/` declares the text keys; `en/`, `de/`, `fr/`, `hr/` hold the texts: a language that lacks one doesn't
//!   compile
//! - [`names`] names of kinds and states; [`refusals`], [`log_text`], [`command_text`], [`connection_error`] sentences for codes,
//!   log entries, commands, connection errors; [`Sentence`] a sentence that mentions people
//! - [`time`] clock times, dates, ages; [`search`] text search

pub mod command_text;
pub mod connection_error;
pub mod log_text;
pub mod names;
pub mod refusals;
pub mod search;
mod sentence;
pub mod time;
mod words;

mod de;
mod en;
mod fr;
mod hr;

use std::cell::Cell;

pub use sentence::{Piece, Sentence};
pub use words::Words;

/// A text; names in braces are placeholders for [`fill`].
pub type Text = &'static str;

/// A language.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// German.
    German,
    /// French.
    French,
    /// Croatian.
    Croatian,
}

impl Language {
    /// Every language, ordered by name.
    pub const ALL: [Self; 4] = [Self::German, Self::English, Self::French, Self::Croatian];

    /// The language's code (ISO 639-1).
    pub fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::French => "fr",
            Self::Croatian => "hr",
        }
    }

    /// The language's own name.
    pub fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
            Self::French => "Français",
            Self::Croatian => "Hrvatski",
        }
    }

    /// The language for a tag such as `de-AT`; English for unsupported languages.
    pub fn of_tag(tag: &str) -> Self {
        let code = tag.split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| language.code() == code).unwrap_or_default()
    }

    /// All texts in the language.
    pub fn words(self) -> &'static Words {
        match self {
            Self::English => &en::WORDS,
            Self::German => &de::WORDS,
            Self::French => &fr::WORDS,
            Self::Croatian => &hr::WORDS,
        }
    }
}

thread_local! {
    static SPOKEN: Cell<Language> = const { Cell::new(Language::English) };
}

/// The current language.
pub fn language() -> Language {
    SPOKEN.get()
}

/// Sets the current language. Views that are shown already must be rendered again.
pub fn speak(language: Language) {
    SPOKEN.set(language);
}

/// All texts in the current language.
pub fn words() -> &'static Words {
    language().words()
}

/// A text with a number, in the plural forms of the language (the plural rules of CLDR for whole numbers).
#[derive(Clone, Copy, Debug)]
pub struct Plural {
    one: Text,
    few: Text,
    other: Text,
}

impl Plural {
    /// Creates a text with a form for one and a form for many.
    pub const fn two(one: Text, other: Text) -> Self {
        Self { one, few: other, other }
    }

    /// Creates a text with an additional form for a few.
    pub const fn three(one: Text, few: Text, other: Text) -> Self {
        Self { one, few, other }
    }

    /// The text for a number, which replaces `{n}`.
    pub fn say(self, n: impl TryInto<u64>) -> String {
        self.say_with(n, &[])
    }

    /// The text for a number, with names filled in as well.
    pub fn say_with(self, n: impl TryInto<u64>, names: &[(&str, &str)]) -> String {
        let n = n.try_into().unwrap_or_default();
        fill(&fill(self.form(language(), n), &[("n", &n.to_string())]), names)
    }

    fn form(self, language: Language, n: u64) -> Text {
        match language {
            Language::English | Language::German if n == 1 => self.one,
            Language::French if n < 2 => self.one,
            Language::Croatian if n % 10 == 1 && n % 100 != 11 => self.one,
            Language::Croatian if (2..=4).contains(&(n % 10)) && !(12..=14).contains(&(n % 100)) => self.few,
            Language::English | Language::German | Language::French | Language::Croatian => self.other,
        }
    }
}

/// Fills names into a text: `{who}` is replaced by the value for `who`. Values aren't searched for placeholders.
pub fn fill(text: &str, names: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len() + 16);
    each_part(text, &mut |part| match part {
        Part::Words(words) => filled.push_str(words),
        Part::Name(name) => match names.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => filled.push_str(value),
            None => filled.extend(["{", name, "}"]),
        },
    });
    filled
}

/// A part of a text with placeholders.
#[derive(Clone, Copy, Debug)]
enum Part<'a> {
    /// Literal words.
    Words(&'a str),
    /// The name of a placeholder.
    Name(&'a str),
}

/// Visits the parts of a text, in order.
fn each_part<'a>(text: &'a str, look: &mut dyn FnMut(Part<'a>)) {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, behind)) = after.split_once('}') else { break };
        look(Part::Words(before));
        look(Part::Name(name));
        rest = behind;
    }
    look(Part::Words(rest));
}

/// A text or plural, for the tests.
#[cfg(test)]
pub trait Said {
    fn forms(&self) -> Vec<Text>;
}

#[cfg(test)]
impl Said for Text {
    fn forms(&self) -> Vec<Text> {
        vec![self]
    }
}

#[cfg(test)]
impl Said for Plural {
    fn forms(&self) -> Vec<Text> {
        vec![self.one, self.few, self.other]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    fn names_in(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name).collect()
    }

    #[test]
    fn every_language_fills_in_the_same_names() {
        let mut seen: BTreeMap<usize, (&str, BTreeSet<&str>)> = BTreeMap::new();
        for language in Language::ALL {
            let mut place = 0;
            language.words().each(&mut |key, said| {
                for form in said.forms() {
                    assert!(!form.trim().is_empty(), "{key} is empty in {}", language.name());
                    // "One request" needs no number; the number is the only placeholder that a form may leave out.
                    let names: BTreeSet<_> = names_in(form).into_iter().filter(|name| *name != "n").collect();
                    let (_, expected) = seen.entry(place).or_insert((key, names.clone()));
                    assert_eq!(&names, expected, "{key} in {}: {form}", language.name());
                }
                place += 1;
            });
        }
    }

    #[test]
    fn croatian_has_a_form_for_a_few() {
        let days = Plural::three("dan", "dana", "dana!");
        let form = |n| days.form(Language::Croatian, n);
        assert_eq!([1, 21, 101].map(form), ["dan"; 3]);
        assert_eq!([2, 4, 23, 104].map(form), ["dana"; 4]);
        assert_eq!([0, 5, 11, 12, 14, 111, 112].map(form), ["dana!"; 7]);
    }

    #[test]
    fn nothing_is_one_in_french_and_many_elsewhere() {
        let plural = Plural::two("one", "many");
        assert_eq!(plural.form(Language::French, 0), "one");
        assert_eq!(plural.form(Language::English, 0), "many");
        assert_eq!(plural.form(Language::German, 1), "one");
    }

    #[test]
    fn names_are_filled_in_once() {
        assert_eq!(fill("{who} has {what}", &[("who", "{what}"), ("what", "it")]), "{what} has it");
        assert_eq!(fill("{a} and {unknown", &[("a", "1")]), "1 and {unknown");
    }

    #[test]
    fn a_language_is_known_by_its_tag() {
        assert_eq!(Language::of_tag("de-AT"), Language::German);
        assert_eq!(Language::of_tag("hr"), Language::Croatian);
        assert_eq!(Language::of_tag("fi"), Language::English);
    }
}
