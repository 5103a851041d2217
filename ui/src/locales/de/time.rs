//! German: texts for times and durations.

use crate::locales::Plural;
use crate::locales::words::Time;

pub const WORDS: Time = Time {
    now: "jetzt",
    minutes: Plural::two("{n} Minute", "{n} Minuten"),
    hours: Plural::two("{n} Stunde", "{n} Stunden"),
    days: Plural::two("{n} Tag", "{n} Tage"),
    seconds: Plural::two("{n} Sekunde", "{n} Sekunden"),
    ago: "vor {span}",
    short_hours: "{n} Std.",
    short_days: "{n} T.",
    today: "Heute",
    yesterday: "Gestern",
    date: "{d}.{m}.{y}",
};
