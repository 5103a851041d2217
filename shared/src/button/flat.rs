//! The deserialization form of a button: all fields in one struct, for the reasons given in `request::flat`.

use jiff::Timestamp;
use serde::Deserialize;

use super::{Button, ButtonState, Health};
use crate::ids::{ButtonId, PlaceId};

#[derive(Deserialize)]
pub(super) struct Flat {
    id: ButtonId,
    device: String,
    name: Option<String>,
    state: ButtonState,
    place_id: Option<PlaceId>,
    has_credentials: bool,
    online: Option<bool>,
    flapping_since: Option<Timestamp>,
    battery_percent: Option<u8>,
    rssi_dbm: Option<i16>,
    firmware: Option<String>,
    last_seen_at: Option<Timestamp>,
}

impl From<Flat> for Button {
    fn from(flat: Flat) -> Self {
        let Flat { id, device, name, state, place_id, has_credentials, .. } = flat;
        let Flat { online, flapping_since, battery_percent, rssi_dbm, firmware, last_seen_at, .. } = flat;
        let health = Health { online, flapping_since, battery_percent, rssi_dbm, firmware, last_seen_at };
        Self { id, device, name, state, place_id, has_credentials, health }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{at, button};

    #[test]
    fn a_button_is_read_as_it_was_written() {
        let health = Health { battery_percent: Some(9), last_seen_at: Some(at(1)), ..Health::default() };
        let button = Button { health, ..button() };
        let text = serde_json::to_string(&button).unwrap();
        assert_eq!(serde_json::from_str::<Button>(&text).unwrap(), button, "{text}");
    }
}
