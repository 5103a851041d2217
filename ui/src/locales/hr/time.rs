//! Croatian: texts for times and durations.

use crate::locales::Plural;
use crate::locales::words::Time;

pub const WORDS: Time = Time {
    now: "sada",
    minutes: Plural::three("{n} minuta", "{n} minute", "{n} minuta"),
    hours: Plural::three("{n} sat", "{n} sata", "{n} sati"),
    days: Plural::three("{n} dan", "{n} dana", "{n} dana"),
    seconds: Plural::three("{n} sekunda", "{n} sekunde", "{n} sekundi"),
    ago: "prije {span}",
    short_hours: "{n} h",
    short_days: "{n} d",
    today: "Danas",
    yesterday: "Jučer",
    date: "{d}. {m}. {y}.",
};
