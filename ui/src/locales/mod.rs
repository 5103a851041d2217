//! Everything that the app says, in English, German, French and Croatian.
//!
//! `words().requests.title` is a text; `fill(words().codes.not_yours, &[("who", name)])` one with names in it;
//! `words().frame.waiting_count.say(n)` one with a number. The language changes seldom: then the whole face is shown
//! anew, and so what is said is no reactive value.
//!
//! - `words/` what there is to say; `en/`, `de/`, `fr/`, `hr/` how: a language that lacks something doesn't compile
//! - [`names`] what sorts and states are called; [`refusals`], [`happenings`], [`doings`], [`troubles`] sentences for codes,
//!   entries, verbs, broken connections; [`Sentence`] one with people in it
//! - [`time`] clock times, dates, ages; [`sought`] looking for words as people type them

pub mod doings;
pub mod happenings;
pub mod names;
pub mod refusals;
mod sentence;
pub mod sought;
pub mod time;
pub mod troubles;
mod words;

mod de;
mod en;
mod fr;
mod hr;

use std::cell::Cell;

pub use sentence::{Piece, Sentence};
pub use words::Words;

/// Something to say as it is; names in braces are filled in by [`fill`].
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
    /// Every language, by name.
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

    /// The language that a tag such as `de-AT` means; English for those that the app doesn't speak.
    pub fn of_tag(tag: &str) -> Self {
        let code = tag.split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| language.code() == code).unwrap_or_default()
    }

    /// Everything that the app says in it.
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

/// The language that is spoken.
pub fn language() -> Language {
    SPOKEN.get()
}

/// Speaks a language from now on; what is shown already has to be shown anew.
pub fn speak(language: Language) {
    SPOKEN.set(language);
}

/// Everything that the app says, in the language that is spoken.
pub fn words() -> &'static Words {
    language().words()
}

/// Something to say with a number, in the forms that the language has for it (CLDR's plural rules for whole numbers).
#[derive(Clone, Copy, Debug)]
pub struct Plural {
    one: Text,
    few: Text,
    other: Text,
}

impl Plural {
    /// A language with a form for one and a form for many.
    pub const fn two(one: Text, other: Text) -> Self {
        Self { one, few: other, other }
    }

    /// A language with a form for a few, too.
    pub const fn three(one: Text, few: Text, other: Text) -> Self {
        Self { one, few, other }
    }

    /// The text for a number, which stands in it as `{n}`.
    pub fn say(self, n: impl TryInto<u64>) -> String {
        self.say_with(n, &[])
    }

    /// The text for a number, with names filled in, too.
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

/// Puts names into a text: `{who}` becomes what stands for `who`. What is put in is not looked through again.
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

/// A part of a text that names are put into.
#[derive(Clone, Copy, Debug)]
enum Part<'a> {
    /// What is said as it is.
    Words(&'a str),
    /// The name of what is put there.
    Name(&'a str),
}

/// Looks at the parts of a text, in their order.
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

/// Anything that is said, for the tests.
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
                    // "One request" needs no number; the number itself is the only name that a form may leave out.
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
