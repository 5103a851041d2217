//! English: texts for times and durations.

use crate::locales::Plural;
use crate::locales::words::Time;

pub const WORDS: Time = Time {
    now: "now",
    minutes: Plural::two("{n} minute", "{n} minutes"),
    hours: Plural::two("{n} hour", "{n} hours"),
    days: Plural::two("{n} day", "{n} days"),
    seconds: Plural::two("{n} second", "{n} seconds"),
    ago: "{span} ago",
    short_hours: "{n} h",
    short_days: "{n} d",
    today: "Today",
    yesterday: "Yesterday",
    date: "{d}/{m}/{y}",
};
