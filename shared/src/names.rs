//! Name comparison by a key computed in Rust, so that it doesn't depend on a database's locale.
//!
//! `Željka` and `željka` are equal, and so are a precomposed letter and a base letter with a combining mark. The server
//! stores the key beside the name under a unique constraint; an offline app compares by the same function.

use caseless::default_case_fold_str;
use unicode_normalization::UnicodeNormalization;

/// The text in Unicode normalization form C, the stored form: letters and their marks are composed.
pub fn composed(text: &str) -> String {
    text.nfc().collect()
}

/// The comparison key of a name: Unicode's canonical caseless matching (The Unicode Standard, 3.13, D145), with each
/// run of white space collapsed to a space and trimmed.
pub fn key(name: &str) -> String {
    let decomposed: String = name.nfd().collect();
    let folded: String = default_case_fold_str(&decomposed).nfc().collect();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether two names are equal by their keys.
pub fn is_same(one: &str, other: &str) -> bool {
    one == other || key(one) == key(other)
}

/// Whether a text contains `words` as a substring, by their keys.
pub fn holds(text: &str, words: &str) -> bool {
    key(text).contains(&key(words))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_that_people_take_for_one_are_one() {
        for (one, other) in [
            ("Željka", "željka"),
            ("Željka", "ŽELJKA"),
            ("Z\u{30c}eljka", "željka"),
            ("ČAMAC", "čamac"),
            ("C\u{30c}AMAC", "čamac"),
            ("Zoë", "ZOE\u{308}"),
            ("Straße", "STRASSE"),
            ("ΟΔΥΣΣΕΥΣ", "Οδυσσευς"),
            ("Ana  Marija", " ana marija "),
            ("Ana\u{a0}Marija", "Ana Marija"),
            ("Å", "\u{212b}"),
            ("한글", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}"),
            // Marks in another order, which Unicode treats as equivalent.
            ("q\u{307}\u{323}", "q\u{323}\u{307}"),
            ("ﬁn", "FIN"),
        ] {
            assert!(is_same(one, other), "{one} and {other}: {:?}, {:?}", key(one), key(other));
        }
    }

    #[test]
    fn names_that_differ_in_a_mark_are_two() {
        for (one, other) in [("Ćiro", "Čiro"), ("Zoe", "Zoë"), ("Cabin 1", "Cabin 11"), ("Cabin1", "Cabin 1")] {
            assert!(!is_same(one, other), "{one} and {other}");
        }
    }

    #[test]
    fn words_are_found_in_any_case_and_however_they_were_typed() {
        assert!(holds("Gospođa Šorić, čamac", "S\u{30c}ORIĆ, ČA"));
        assert!(holds("anything", "") && !holds("Šorić", "soric"));
    }

    proptest! {
        #[test]
        fn the_key_of_a_key_is_itself(name in any::<String>()) {
            let once = key(&name);
            prop_assert_eq!(&key(&once), &once);
        }

        #[test]
        fn composing_and_either_case_change_no_key(name in any::<String>()) {
            prop_assert_eq!(key(&composed(&name)), key(&name));
            prop_assert!(is_same(&name, &name.nfd().collect::<String>()));
        }
    }
}
