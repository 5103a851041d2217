//! Topics of the site's own: the payload is a word, or an object that contains one.

use crewbell_shared::button::{ButtonKey, SeenPress, Telemetry};

use super::decoded::{Heard, Ignored, Said, press};
use super::fields::{online, text_of};
use super::original::no_press;
use super::vocabulary::{self, WordMeaning};
use super::{Message, Understood};

/// Fields that may contain the word for a press, the likeliest first.
const FIELDS: [&str; 10] =
    ["action", "click", "event", "kind", "pressType", "press_type", "button", "type", "state", "value"];
/// Maximum length of a word, in characters.
const WORD_MAX: usize = 100;

pub(super) fn decode(message: &Message<'_>) -> Understood {
    let (word, vitals) = match message.fields() {
        Ok(fields) => {
            let vitals = Telemetry {
                battery_percent: fields.battery(&["battery"]),
                rssi_dbm: fields.rssi(&["rssi"]),
                ..Telemetry::default()
            };
            let found = FIELDS.iter().find_map(|field| fields.text(&[field]));
            let number = || FIELDS.iter().find_map(|field| fields.whole(&[field])).map(|number| number.to_string());
            match found.or_else(number) {
                Some(word) => (word, vitals),
                None if FIELDS.iter().any(|field| fields.is_damaged(&[field])) => {
                    return Err(Ignored::Damaged("how it was pressed can't be read"));
                }
                None => return message.one(no_press(vitals, Ignored::NotAPress)),
            }
        }
        Err(_) => (text_of(message.payload)?, Telemetry::default()),
    };
    if word.chars().count() > WORD_MAX || word.contains(char::is_control) {
        return Err(Ignored::UnknownShape("a word that is too long"));
    }
    if let Some(taught) = message.taught(&word) {
        let seen = SeenPress { vitals, ..press(taught.kind, taught.key) };
        let heard = Heard::itself(Said::Press(seen));
        return Ok(vec![match &taught.button {
            Some(button) => heard.of(button.clone()),
            None => heard,
        }]);
    }
    match vocabulary::way(&word) {
        WordMeaning::Press(kind) => {
            let seen = press(kind, ButtonKey::Main);
            message.one(Ok(Said::Press(SeenPress { vitals, ..seen })))
        }
        _ if word.is_empty() => message.one(no_press(vitals, Ignored::EmptyAction)),
        WordMeaning::NoPress | WordMeaning::Heartbeat => {
            message.one(no_press(Telemetry { online: online(&word), ..vitals }, Ignored::NotAPress))
        }
        WordMeaning::Unknown => Err(Ignored::UnknownWord(word.into())),
    }
}
