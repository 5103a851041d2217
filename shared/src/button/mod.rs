//! The button in a cabin, and its messages.

mod dedup_state;
mod device;
mod flapping;
mod identity;
mod press;
mod unrecognised;
mod verbs;
mod vocabulary;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::EntityBody;
use crate::ids::{ButtonId, PlaceId};

pub use dedup_state::DedupState;
pub use device::device_id;
pub use flapping::Flapping;
pub use identity::{Classification, Delivery, Recorded, classify, classify_recording, note_health};
pub use press::{ButtonKey, Evidence, PressKind, SeenPress, Telemetry};
pub use unrecognised::{UnrecognisedMessage, UnrecognisedMessages};
pub use verbs::ButtonVerb;
pub use vocabulary::{DeviceTopic, DeviceWord, Dialect, Vocabulary};

/// The enrolment state of a button.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ButtonState {
    /// The button was pressed but has no place yet. Its presses are recorded and don't ring.
    New,
    /// The button belongs to a place and rings.
    Assigned,
    /// The button is out of use. Its presses are recorded and don't ring.
    Retired,
}

impl ButtonState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::New, Self::Assigned, Self::Retired];

    /// The state's name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Assigned => "assigned",
            Self::Retired => "retired",
        }
    }
}

/// A button.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Button {
    /// The button's id.
    pub id: ButtonId,
    /// Its id on the wire, in the spelling of [`device_id`]: the topic's, or the radio's devEUI. Unique at the site.
    pub device: String,
    /// Its name, if the place alone doesn't identify it ("bathroom").
    pub name: Option<String>,
    /// Its enrolment state.
    pub state: ButtonState,
    /// Its place.
    pub place_id: Option<PlaceId>,
    /// Whether it has credentials of its own; then other clients can't publish for it.
    pub has_credentials: bool,
    /// Its health, as last logged.
    #[serde(flatten)]
    pub health: Health,
}

impl EntityBody for Button {}

/// A button's health. It is logged on significant changes, not with every message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Health {
    /// Whether it is connected, where its dialect reports that; while it flaps, the value from when that was detected.
    pub online: Option<bool>,
    /// Since when it flaps ([`Flapping`]); meanwhile its connection changes aren't reported one by one.
    pub flapping_since: Option<Timestamp>,
    /// Charge in percent, 0 to 100.
    pub battery_percent: Option<u8>,
    /// Received signal strength in dBm.
    pub rssi_dbm: Option<i16>,
    /// Firmware version.
    pub firmware: Option<String>,
    /// The time of its last message.
    pub last_seen_at: Option<Timestamp>,
}

impl Health {
    /// The battery level that triggers an alert, in percent: most cells' voltage falls fast from here.
    pub const LOW_BATTERY_PERCENT: u8 = 15;

    /// Minutes after which "last seen" is reported again without other changes.
    const TELL_SEEN_AFTER_MIN: i64 = 15;

    /// Applies the telemetry of a message that arrived at a time.
    #[must_use]
    pub fn heard(&self, vitals: &Telemetry, at: Timestamp) -> Self {
        Self {
            // A device that sends is connected, unless it reports that it disconnects.
            online: vitals.online.or(self.online.map(|_| true)),
            battery_percent: vitals.battery_percent.or(self.battery_percent),
            rssi_dbm: vitals.rssi_dbm.or(self.rssi_dbm),
            firmware: vitals.firmware.clone().or_else(|| self.firmware.clone()),
            last_seen_at: Some(at),
            flapping_since: self.flapping_since,
        }
    }

    /// Applies flap damping to a new health, where `self` is the last reported one: while it flaps, the connection
    /// state stays.
    #[must_use]
    pub fn damped(&self, heard: Self, flapping: &mut Flapping, at: Timestamp) -> Self {
        let flapping_since = flapping.note(heard.online, at);
        let online = if self.flapping_since.is_some() && flapping_since.is_some() { self.online } else { heard.online };
        Self { online, flapping_since, ..heard }
    }

    /// The health to report of a silent button. Once a flapping one has been steady for long enough
    /// ([`Flapping::STEADY`]), it gets its last connection state.
    #[must_use]
    pub fn settled(&self, flapping: &mut Flapping, at: Timestamp) -> Self {
        let flapping_since = flapping.note(None, at);
        let online = if flapping_since.is_none() { flapping.online().or(self.online) } else { self.online };
        Self { online, flapping_since, ..self.clone() }
    }

    /// Whether the difference from the last logged health is worth an entry: connection, flapping, firmware, a battery
    /// that changed by 5 % or crossed the low mark, a signal that changed by 10 dB, or no report for a quarter of an
    /// hour.
    pub fn worth_telling(&self, now: &Self) -> bool {
        let moved = |before: Option<i64>, after: Option<i64>, by: i64| match (before, after) {
            (Some(before), Some(after)) => (before - after).abs() >= by,
            (before, after) => before != after,
        };
        let low = |health: &Self| health.battery_percent.is_some_and(|percent| percent <= Self::LOW_BATTERY_PERCENT);
        let minute = |health: &Self| health.last_seen_at.map(|at| at.as_second() / 60);
        self.online != now.online
            || self.flapping_since != now.flapping_since
            || self.firmware != now.firmware
            || low(self) != low(now)
            || moved(self.battery_percent.map(i64::from), now.battery_percent.map(i64::from), 5)
            || moved(self.rssi_dbm.map(i64::from), now.rssi_dbm.map(i64::from), 10)
            || moved(minute(self), minute(now), Self::TELL_SEEN_AFTER_MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{at, button};

    fn healthy() -> Health {
        let vitals =
            Telemetry { online: Some(true), battery_percent: Some(80), rssi_dbm: Some(-60), ..Telemetry::default() };
        Health::default().heard(&vitals, at(0))
    }

    #[test]
    fn a_button_is_read_as_it_was_written() {
        let health = Health { battery_percent: Some(9), last_seen_at: Some(at(1)), ..Health::default() };
        let button = Button { health, ..button() };
        let text = serde_json::to_string(&button).unwrap();
        assert_eq!(serde_json::from_str::<Button>(&text).unwrap(), button, "{text}");
    }

    #[test]
    fn optional_fields_that_a_button_lacks_are_none() {
        let button = Button { name: None, place_id: None, health: Health::default(), ..button() };
        let mut json = serde_json::to_value(&button).unwrap();
        json.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        assert_eq!(serde_json::from_value::<Button>(json).unwrap(), button);
    }

    #[test]
    fn what_a_message_leaves_out_stays_as_it_was() {
        let later = healthy().heard(&Telemetry { battery_percent: Some(79), ..Telemetry::default() }, at(30));
        assert_eq!((later.battery_percent, later.rssi_dbm, later.online), (Some(79), Some(-60), Some(true)));
    }

    #[test]
    fn a_percent_less_is_not_worth_telling_and_a_low_battery_is() {
        let told = healthy();
        let heard = |percent| told.heard(&Telemetry { battery_percent: Some(percent), ..Telemetry::default() }, at(30));
        assert!(!told.worth_telling(&heard(79)));
        assert!(told.worth_telling(&heard(75)));
        let nearly = told.heard(&Telemetry { battery_percent: Some(16), ..Telemetry::default() }, at(30));
        assert!(
            nearly
                .worth_telling(&nearly.heard(&Telemetry { battery_percent: Some(15), ..Telemetry::default() }, at(31)))
        );
    }

    #[test]
    fn a_button_that_was_lost_and_speaks_again_is_there() {
        let lost = healthy().heard(&Telemetry { online: Some(false), ..Telemetry::default() }, at(30));
        let back = lost.heard(&Telemetry::default(), at(60));
        assert_eq!((lost.online, back.online), (Some(false), Some(true)));
        assert!(lost.worth_telling(&back));
    }

    #[test]
    fn silence_is_told_after_a_quarter_of_an_hour() {
        let told = healthy();
        assert!(!told.worth_telling(&told.heard(&Telemetry::default(), at(14 * 60))));
        assert!(told.worth_telling(&told.heard(&Telemetry::default(), at(15 * 60))));
    }
}
