//! The device's clock, and conversion between timestamps and local wall-clock time.

use jiff::Timestamp;
use js_sys::Date;
use wasm_bindgen::JsValue;

use crate::locales::time::Local;

/// The current time by the device's clock.
pub fn now() -> Timestamp {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of some thousand years fit")]
    let millis = Date::now() as i64;
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Converts a timestamp to local wall-clock time.
pub fn local(at: Timestamp) -> Local {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of some thousand years fit")]
    let date = Date::new(&JsValue::from_f64(at.as_millisecond() as f64));
    Local {
        year: date.get_full_year(),
        month: date.get_month() + 1,
        day: date.get_date(),
        hour: date.get_hours(),
        minute: date.get_minutes(),
        second: date.get_seconds(),
    }
}

/// Converts local wall-clock time to a timestamp.
pub fn at_local(local: Local) -> Timestamp {
    let date = Date::new_0();
    let month = i32::try_from(local.month).unwrap_or(1) - 1;
    date.set_full_year_with_month_date(local.year, month, i32::try_from(local.day).unwrap_or(1));
    date.set_hours(local.hour);
    date.set_minutes(local.minute);
    date.set_seconds(local.second);
    date.set_milliseconds(0);
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of some thousand years fit")]
    let millis = date.get_time() as i64;
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH)
}
