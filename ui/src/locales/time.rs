//! Clock times, dates and ages. Times use 24 hours in every language, as crews do.

use jiff::Timestamp;

use super::{fill, words};
use crate::bridge::clock;

/// A local wall-clock time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local {
    /// The year.
    pub year: u32,
    /// The month, 1 to 12.
    pub month: u32,
    /// The day of the month, 1 to 31.
    pub day: u32,
    /// The hour, 0 to 23.
    pub hour: u32,
    /// The minute.
    pub minute: u32,
    /// The second.
    pub second: u32,
}

impl Local {
    /// Whether both are on the same day.
    pub fn is_same_day(self, other: Self) -> bool {
        (self.year, self.month, self.day) == (other.year, other.month, other.day)
    }

    fn time(self) -> String {
        format!("{:02}:{:02}", self.hour, self.minute)
    }

    fn date(self) -> String {
        let [d, m, y] = [self.day, self.month, self.year].map(|number| number.to_string());
        fill(words().time.date, &[("d", &d), ("m", &m), ("y", &y)])
    }
}

/// The time of day: `14:02`.
pub fn time(at: Timestamp) -> String {
    clock::local(at).time()
}

/// The seconds of a time of day, to append to it: `11`.
pub fn seconds(at: Timestamp) -> String {
    format!("{:02}", clock::local(at).second)
}

/// The time of day, preceded by the date unless it is today.
pub fn moment(at: Timestamp, now: Timestamp) -> String {
    moment_of(clock::local(at), clock::local(now))
}

/// The date.
pub fn date(at: Timestamp) -> String {
    clock::local(at).date()
}

/// A day as a heading: today, yesterday, or the date.
pub fn day(at: Timestamp, now: Timestamp) -> String {
    let then = clock::local(at);
    if then.is_same_day(clock::local(now)) {
        words().time.today.to_owned()
    } else if then.is_same_day(clock::local(a_day_before(now))) {
        words().time.yesterday.to_owned()
    } else {
        then.date()
    }
}

/// The time of day for today and yesterday, the date for other days: `14:02`, `yesterday 22:10`, `18/11/2026`.
pub fn lately(at: Timestamp, now: Timestamp) -> String {
    lately_of(clock::local(at), clock::local(now), clock::local(a_day_before(now)))
}

fn lately_of(at: Local, today: Local, yesterday: Local) -> String {
    if at.is_same_day(today) {
        at.time()
    } else if at.is_same_day(yesterday) {
        format!("{} {}", words().time.yesterday.to_lowercase(), at.time())
    } else {
        at.date()
    }
}

fn a_day_before(now: Timestamp) -> Timestamp {
    now.checked_sub(jiff::SignedDuration::from_hours(24)).unwrap_or(now)
}

/// The start of a timestamp's day, by the device's wall clock.
pub fn start_of_day(at: Timestamp) -> Timestamp {
    clock::at_local(Local { hour: 0, minute: 0, second: 0, ..clock::local(at) })
}

fn moment_of(at: Local, now: Local) -> String {
    if at.is_same_day(now) { at.time() } else { format!("{} {}", at.date(), at.time()) }
}

/// A ticking age for a card: `0:42`, `59:59`, `1 h 05`, `2 d`. Negative ages (clock skew) show `0:00`.
pub fn age(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    if hours == 0 {
        format!("{minutes}:{:02}", seconds % 60)
    } else if days == 0 {
        format!("{} {:02}", fill(words().time.short_hours, &[("n", &hours.to_string())]), minutes % 60)
    } else {
        fill(words().time.short_days, &[("n", &days.to_string())])
    }
}

/// Seconds from a timestamp until now.
pub fn seconds_since(at: Timestamp, now: Timestamp) -> i64 {
    now.as_second() - at.as_second()
}

/// A duration in words, in its largest unit: `3 minutes`.
pub fn span(seconds: i64) -> String {
    let seconds = seconds.unsigned_abs();
    let w = &words().time;
    match seconds {
        0..60 => w.seconds.say(seconds),
        60..3600 => w.minutes.say(seconds / 60),
        3600..86400 => w.hours.say(seconds / 3600),
        86400.. => w.days.say(seconds / 86400),
    }
}

/// The time since a timestamp in words: `3 minutes ago`; below one minute, `now`.
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = seconds_since(at, now);
    if seconds < 60 { words().time.now.to_owned() } else { fill(words().time.ago, &[("span", &span(seconds))]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locales::{Language, speak};

    const NOON: Local = Local { year: 2026, month: 11, day: 21, hour: 12, minute: 5, second: 9 };

    #[test]
    fn an_age_ticks_by_seconds_until_the_hour_is_full() {
        assert_eq!([-5, 0, 42, 60, 3599].map(age), ["0:00", "0:00", "0:42", "1:00", "59:59"]);
        assert_eq!([3600, 3900, 86399].map(age), ["1 h 00", "1 h 05", "23 h 59"]);
        assert_eq!(age(2 * 86400), "2 d");
    }

    #[test]
    fn ages_and_spans_speak_the_language() {
        speak(Language::German);
        assert_eq!(age(3900), "1 Std. 05");
        assert_eq!(span(7200), "2 Stunden");
        speak(Language::Croatian);
        assert_eq!([1, 3, 5].map(|minutes| span(minutes * 60)), ["1 minuta", "3 minute", "5 minuta"]);
    }

    #[test]
    fn another_day_is_told_with_its_date() {
        assert_eq!(moment_of(NOON, NOON), "12:05");
        assert_eq!(moment_of(Local { day: 20, ..NOON }, NOON), "20/11/2026 12:05");
        speak(Language::German);
        assert_eq!(moment_of(Local { day: 20, ..NOON }, NOON), "20.11.2026 12:05");
    }

    #[test]
    fn what_was_lately_is_told_with_its_time_and_what_was_long_ago_with_its_date() {
        let (yesterday, before) = (Local { day: 20, hour: 22, ..NOON }, Local { day: 19, ..NOON });
        let lately = |at| lately_of(at, NOON, Local { day: 20, ..NOON });
        assert_eq!([NOON, yesterday, before].map(lately), ["12:05", "yesterday 22:05", "19/11/2026"]);
        speak(Language::Croatian);
        assert_eq!([yesterday, before].map(lately), ["jučer 22:05", "19. 11. 2026."]);
    }

    #[test]
    fn a_moment_ago_is_now() {
        let at = |seconds: i64| Timestamp::from_second(1_795_262_400 + seconds).unwrap();
        assert_eq!(ago(at(0), at(59)), "now");
        assert_eq!(ago(at(0), at(180)), "3 minutes ago");
    }
}
