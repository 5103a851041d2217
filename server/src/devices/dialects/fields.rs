//! Reading fields of JSON that others wrote: tolerant of types, strict about ranges.

use crewbell_shared::button::Vitals;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::said::Ignored;

/// Longest text taken over from a device (an address, a transcript), in characters.
const TEXT_MAX: usize = 4096;
/// Unix milliseconds of 2001-09-09. A number from here on is a date; below, it counts from boot (31 years).
const FIRST_DATE_MS: u64 = 1_000_000_000_000;
/// Unix milliseconds of 2286-11-20; nothing above it is a date.
const LAST_DATE_MS: u64 = 10_000_000_000_000;

/// A JSON object from a device.
#[derive(Debug)]
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    pub(super) fn parse(payload: &[u8]) -> Result<Self, Ignored> {
        match serde_json::from_str(text_of(payload)?) {
            Ok(Value::Object(map)) => Ok(Self(map)),
            Ok(_) | Err(_) => Err(Ignored::NotJson),
        }
    }

    /// The first of the fields that is there and not null.
    pub(super) fn get(&self, names: &[&str]) -> Option<&Value> {
        names.iter().filter_map(|name| self.0.get(*name)).find(|value| !value.is_null())
    }

    /// Whether one of the fields is there, even as null.
    pub(super) fn has(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.0.contains_key(*name))
    }

    /// Text that is not blank, cut at 4,096 characters.
    pub(super) fn text(&self, names: &[&str]) -> Option<String> {
        let text = self.get(names)?.as_str()?.trim();
        (!text.is_empty()).then(|| text.chars().take(TEXT_MAX).collect())
    }

    pub(super) fn number(&self, names: &[&str]) -> Option<f64> {
        number(self.get(names)?)
    }

    pub(super) fn whole(&self, names: &[&str]) -> Option<u64> {
        whole(self.get(names)?)
    }

    /// `true`, `1` or such text.
    pub(super) fn yes(&self, names: &[&str]) -> bool {
        self.get(names).is_some_and(|value| match value {
            Value::Bool(yes) => *yes,
            Value::Number(_) => number(value).is_some_and(|n| n > 0.0),
            Value::String(text) => matches!(text.trim(), "true" | "1" | "yes"),
            Value::Null | Value::Array(_) | Value::Object(_) => false,
        })
    }

    pub(super) fn object(&self, name: &str) -> Option<Self> {
        self.0.get(name)?.as_object().cloned().map(Self)
    }

    pub(super) fn objects(&self, name: &str) -> Vec<Self> {
        let list = self.0.get(name).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_object).cloned().map(Self).collect()
    }

    /// Charge in percent, when it is one: 255 and -1 mean "unknown" in the field.
    pub(super) fn battery(&self, names: &[&str]) -> Option<u8> {
        percent(self.number(names)?)
    }

    /// Signal in dBm, when it is one: 0 and above mean "not connected" or "unknown".
    pub(super) fn rssi(&self, names: &[&str]) -> Option<i16> {
        dbm(self.number(names)?)
    }

    /// A time as a date: Unix milliseconds of this age, or RFC 3339 text.
    pub(super) fn date(&self, names: &[&str]) -> Option<Timestamp> {
        let value = self.get(names)?;
        if let Some(ms) = whole(value).filter(|&ms| is_date_ms(ms)) {
            return Timestamp::from_millisecond(i64::try_from(ms).ok()?).ok();
        }
        value.as_str()?.trim().parse().ok()
    }

    /// A time as milliseconds since boot: a number too small for a date.
    pub(super) fn since_boot_ms(&self, names: &[&str]) -> Option<u64> {
        self.whole(names).filter(|&ms| ms < FIRST_DATE_MS)
    }
}

fn is_date_ms(ms: u64) -> bool {
    (FIRST_DATE_MS..LAST_DATE_MS).contains(&ms)
}

/// The payload as text, without the byte-order mark and the closing zero that C programs send along.
pub(super) fn text_of(payload: &[u8]) -> Result<&str, Ignored> {
    let text = std::str::from_utf8(payload).map_err(|_| Ignored::NotUtf8)?;
    Ok(text.trim_matches(['\0', '\u{feff}']).trim())
}

/// A JSON number, also one written as text.
fn number(value: &Value) -> Option<f64> {
    let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
    number.is_finite().then_some(number)
}

/// A whole number, also one written as text or as `5.0`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked against the exact range of f64")]
fn whole(value: &Value) -> Option<u64> {
    if let Some(exact) = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok()) {
        return Some(exact);
    }
    let number = number(value)?;
    (number.fract() == 0.0 && (0.0..9_007_199_254_740_992.0).contains(&number)).then_some(number as u64)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100 fits")]
pub(super) fn percent(number: f64) -> Option<u8> {
    (0.0..=100.0).contains(&number).then(|| number.round() as u8)
}

#[expect(clippy::cast_possible_truncation, reason = "-200 to -1 fits")]
fn dbm(number: f64) -> Option<i16> {
    (-200.0..=-1.0).contains(&number).then(|| number.round() as i16)
}

/// Seconds as milliseconds, up to a thousand years.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
pub(super) fn seconds_to_ms(seconds: f64) -> Option<u64> {
    (0.0..3.2e10).contains(&seconds).then(|| (seconds * 1000.0).round() as u64)
}

/// `online` and `offline`, in the spellings of the field.
pub(super) fn online(word: &str) -> Option<bool> {
    match word.trim().to_ascii_lowercase().as_str() {
        "online" | "connected" | "true" => Some(true),
        "offline" | "disconnected" | "lost" | "false" => Some(false),
        _ => None,
    }
}

pub(super) fn says_something(vitals: &Vitals) -> bool {
    *vitals != Vitals::default()
}
