//! Times and spans

use super::{Plural, Text, words};

words! {
    /// Times and spans
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
        /// A day: `{d}` day, `{m}` month as a number, `{y}` year.
        date: Text,
    }
}
