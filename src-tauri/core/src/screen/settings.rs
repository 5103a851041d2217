//! Settings of a device: the names used by [`Ask::Set`](super::Ask::Set) and `Shell::setting`, and their values. UI and
//! shell read the settings by these constants.
//!
//! | name | value | default |
//! |---|---|---|
//! | [`LANGUAGE`] | `en`, `de`, `fr`, `hr` | the device's language |
//! | [`THEME`] | `auto`, `light`, `dark`, `night` | `auto`: the device's |
//! | [`TEXT_SIZE`] | `normal`, `large`, `largest` | `normal` |
//! | [`SOUNDS`] | `on`, `off` | `on` |
//! | [`VOLUME`] | percent, 10 to 100 | 100 |
//! | [`MICROPHONE`], [`SPEAKER`] | a name of [`AudioDevices`](super::AudioDevices) | the system's default device |
//! | [`CALL_VOLUME`] | percent, 10 to 100: volume of calls | 100 |
//! | [`PUSH_TO_TALK`] | `on`, `off` | `off` |
//! | [`BOARD_DECK`], [`BOARD_PERSON`] | an id | requests of every deck, of everybody |
//! | [`BOARD_KIND`] | a kind of request | requests of every kind |
//!
//! The core stores internal settings beside these (`last_session`, `device_id`, `token_in`, `known_entities`,
//! `unreadable_seen`, `to_revoke`). The UI can't set those: [`may_set`] accepts only the settings of the table.

use crewbell_shared::request::Kind;

/// The language of the UI.
pub const LANGUAGE: &str = "language";
/// The colour scheme of the UI.
pub const THEME: &str = "theme";
/// The text size of the UI.
pub const TEXT_SIZE: &str = "text_size";
/// Whether this device rings.
pub const SOUNDS: &str = "sounds";
/// The ringing volume of this device.
pub const VOLUME: &str = "volume";

/// The microphone for calls.
pub const MICROPHONE: &str = "microphone";
/// The speaker for calls.
pub const SPEAKER: &str = "speaker";
/// The volume of calls.
pub const CALL_VOLUME: &str = "call_volume";
/// Whether calls use push-to-talk.
pub const PUSH_TO_TALK: &str = "push_to_talk";

/// The deck whose requests the board shows.
pub const BOARD_DECK: &str = "board.deck";
/// The kind of requests that the board shows.
pub const BOARD_KIND: &str = "board.kind";
/// The person whose requests the board shows.
pub const BOARD_PERSON: &str = "board.person";

/// The minimum volume, in percent. A device is muted with [`SOUNDS`], which explains the consequence, and not by
/// accidentally moving the slider.
pub const LEAST_VOLUME: u8 = 10;

/// Returns whether a device rings; the default is on.
pub fn sounds_on(sounds: Option<&str>) -> bool {
    sounds != Some("off")
}

/// Returns the ringing volume in percent; 100 if it isn't set or can't be parsed.
pub fn volume(volume: Option<&str>) -> u8 {
    volume.and_then(|text| text.parse().ok()).map_or(100, |percent: u8| percent.clamp(LEAST_VOLUME, 100))
}

/// Maximum length of a microphone's or speaker's name, in bytes. Some systems give names that are a line long.
const LONGEST_NAME: usize = 500;

/// Returns whether the UI may set a setting to a value, or remove it: only settings of the table, with the values
/// listed there.
pub fn may_set(name: &str, value: Option<&str>) -> bool {
    let Some(allowed) = allowed(name) else { return false };
    value.is_none_or(|value| match allowed {
        Allowed::Words(words) => words.contains(&value),
        Allowed::Percent => value.parse().is_ok_and(|percent: u8| (LEAST_VOLUME..=100).contains(&percent)),
        Allowed::Id => uuid::Uuid::try_parse(value).is_ok(),
        Allowed::Kind => Kind::ALL.into_iter().any(|kind| kind.as_str() == value),
        Allowed::DeviceName => value.len() <= LONGEST_NAME && !value.contains(char::is_control),
    })
}

/// The values that a setting accepts.
enum Allowed {
    Words(&'static [&'static str]),
    Percent,
    DeviceName,
    Id,
    Kind,
}

/// Returns the accepted values of a setting; none if the table doesn't list it.
fn allowed(name: &str) -> Option<Allowed> {
    const SWITCH: Allowed = Allowed::Words(&["on", "off"]);
    Some(match name {
        LANGUAGE => Allowed::Words(&["en", "de", "fr", "hr"]),
        THEME => Allowed::Words(&["auto", "light", "dark", "night"]),
        TEXT_SIZE => Allowed::Words(&["normal", "large", "largest"]),
        SOUNDS | PUSH_TO_TALK => SWITCH,
        VOLUME | CALL_VOLUME => Allowed::Percent,
        MICROPHONE | SPEAKER => Allowed::DeviceName,
        BOARD_DECK | BOARD_PERSON => Allowed::Id,
        BOARD_KIND => Allowed::Kind,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_may_set_what_the_table_has_and_nothing_else() {
        let names = [LANGUAGE, THEME, TEXT_SIZE, SOUNDS, VOLUME, MICROPHONE, SPEAKER, CALL_VOLUME, PUSH_TO_TALK];
        let mut names = names.into_iter().chain([BOARD_DECK, BOARD_KIND, BOARD_PERSON]);
        assert!(names.all(|name| may_set(name, None)), "each can be removed");
        let good = [
            (LANGUAGE, "hr"),
            (THEME, "night"),
            (TEXT_SIZE, "largest"),
            (SOUNDS, "off"),
            (VOLUME, "10"),
            (CALL_VOLUME, "100"),
            (PUSH_TO_TALK, "on"),
            (MICROPHONE, "Jabra Speak 510, USB \u{2013} Mono"),
            (SPEAKER, ""),
            (BOARD_DECK, "01900000-0000-7000-8000-000000000001"),
            (BOARD_KIND, "emergency"),
        ];
        for (name, value) in good {
            assert!(may_set(name, Some(value)), "{name}: {value}");
        }
        let core_keeps = ["last_session", "device_id", "token_in", "known_entities", "unreadable_seen"];
        for name in core_keeps.into_iter().chain(["", "server", "Volume", "volume ", "__proto__"]) {
            assert!(!may_set(name, None) && !may_set(name, Some("on")), "{name}");
        }
        let long = "x".repeat(LONGEST_NAME + 1);
        let bad = [
            (LANGUAGE, "xx"),
            (THEME, "Night"),
            (TEXT_SIZE, "huge"),
            (SOUNDS, "no"),
            (VOLUME, "0"),
            (VOLUME, "101"),
            (CALL_VOLUME, "loud"),
            (PUSH_TO_TALK, "On"),
            (MICROPHONE, "two\nlines"),
            (SPEAKER, &long),
            (BOARD_PERSON, "Siri"),
            (BOARD_KIND, "fire"),
        ];
        for (name, value) in bad {
            assert!(!may_set(name, Some(value)), "{name}: {value}");
        }
    }

    #[test]
    fn a_device_rings_unless_it_is_told_not_to() {
        assert!([None, Some("on"), Some("nonsense")].into_iter().all(sounds_on));
        assert!(!sounds_on(Some("off")));
    }

    #[test]
    fn a_volume_is_never_silence_and_full_where_nobody_knows() {
        assert_eq!([None, Some("loud"), Some("-3"), Some("999")].map(volume), [100; 4]);
        assert_eq!([Some("0"), Some("9"), Some("55"), Some("101")].map(volume), [10, 10, 55, 100]);
    }
}
