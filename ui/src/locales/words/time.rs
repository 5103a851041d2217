//! Texts for times and durations.

use super::{Plural, Text, words};

words! {
    /// Texts for times and durations.
    Time {
        now: Text,
        minutes: Plural,
        hours: Plural,
        days: Plural,
        seconds: Plural,
        ago: Text,
        /// Short units beside a number on a card.
        short_hours: Text,
        short_days: Text,
        today: Text,
        yesterday: Text,
        /// A date: `{d}` day, `{m}` month as a number, `{y}` year.
        date: Text,
    }
}
