//! Case-insensitive search in the log, as a regular expression that needs no locale.
//!
//! `ilike` folds case by the database's locale: on a cluster of locale C it finds `ČAMAC` by no other spelling. So the
//! variants of each letter are listed, by the same case folding as in the comparison of names.

use crewbell_shared::names;

/// Returns PostgreSQL's regular expression for texts that contain these words, in any case.
pub fn pattern(words: &str) -> String {
    let words = names::composed(words.trim());
    let mut letters = words.chars().peekable();
    let mut pattern = String::with_capacity(4 * words.len());
    while let Some(letter) = letters.next() {
        if matches!(letter, 's' | 'S') && letters.next_if(|next| matches!(next, 's' | 'S')).is_some() {
            pattern.push_str("(?:[sS][sS]|[ßẞ])");
        } else {
            push(&mut pattern, letter);
        }
    }
    pattern
}

fn push(pattern: &mut String, letter: char) {
    match letter {
        'ß' | 'ẞ' => pattern.push_str("(?:[sS][sS]|[ßẞ])"),
        'σ' | 'ς' | 'Σ' => pattern.push_str("[σςΣ]"),
        // JSON escapes it with a backslash in the log's payloads.
        '"' => pattern.push_str("\\\\?\""),
        '\\' => pattern.push_str("\\\\+"),
        _ if letter.is_whitespace() => pattern.push_str("\\s+"),
        _ if letter.is_ascii() && !letter.is_ascii_alphanumeric() => pattern.extend(['\\', letter]),
        _ => {
            let mut variants = vec![letter];
            let (upper, lower) = (letter.to_uppercase(), letter.to_lowercase());
            variants.extend([single(upper), single(lower)].into_iter().flatten().filter(|variant| *variant != letter));
            if variants.len() == 1 {
                pattern.push(letter);
            } else {
                pattern.push('[');
                pattern.extend(variants);
                pattern.push(']');
            }
        }
    }
}

fn single(mut letters: impl Iterator<Item = char>) -> Option<char> {
    letters.next().filter(|_| letters.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_letter_stands_for_its_cases_and_what_is_special_for_itself() {
        for (words, expected) in [
            ("čam", "[čČ][aA][mM]"),
            ("c\u{30c}", "[čČ]"),
            ("Straße", "[Ss][tT][rR][aA](?:[sS][sS]|[ßẞ])[eE]"),
            ("sss", "(?:[sS][sS]|[ßẞ])[sS]"),
            (" 5 % ", "5\\s+\\%"),
            ("a.*(", "[aA]\\.\\*\\("),
            ("***:x", "\\*\\*\\*\\:[xX]"),
            ("[a]", "\\[[aA]\\]"),
            ("Σ", "[σςΣ]"),
            ("二つ", "二つ"),
        ] {
            let expected: String = expected.into();
            assert_eq!(sorted(&pattern(words)), sorted(&expected), "{words}");
        }
    }

    /// Sorts the letters within brackets, whose order doesn't matter.
    fn sorted(pattern: &str) -> String {
        let mut parts: Vec<String> = pattern.split_inclusive(['[', ']']).map(str::to_owned).collect();
        for part in &mut parts {
            let mut letters: Vec<char> = part.chars().collect();
            letters.sort_unstable();
            *part = letters.into_iter().collect();
        }
        parts.concat()
    }
}
