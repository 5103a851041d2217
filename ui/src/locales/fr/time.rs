//! French: texts for times and durations.

use crate::locales::Plural;
use crate::locales::words::Time;

pub const WORDS: Time = Time {
    now: "maintenant",
    minutes: Plural::two("{n} minute", "{n} minutes"),
    hours: Plural::two("{n} heure", "{n} heures"),
    days: Plural::two("{n} jour", "{n} jours"),
    seconds: Plural::two("{n} seconde", "{n} secondes"),
    ago: "il y a {span}",
    short_hours: "{n} h",
    short_days: "{n} j",
    today: "Aujourd'hui",
    yesterday: "Hier",
    date: "{d}/{m}/{y}",
};
