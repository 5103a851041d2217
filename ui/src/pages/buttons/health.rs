//! The attention that buttons need, and their health in words.

use crewbell_shared::button::{Button, ButtonState, Health};

use crate::components::Tone;
use crate::locales::{Text, fill, time, words};

/// The attention that a button needs, most urgent first, which is the order on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Care {
    /// Its place must be set; it doesn't ring until then.
    Place,
    /// It is offline, or its connection is unstable.
    Search,
    /// Its battery is low.
    Charge,
    /// It needs nothing.
    Nothing,
    /// It is retired and needs nothing.
    Retired,
}

/// The attention that a button needs.
pub fn care(button: &Button) -> Care {
    match (button.state, button.place_id) {
        (ButtonState::Retired, _) => Care::Retired,
        (ButtonState::New, _) | (ButtonState::Assigned, None) => Care::Place,
        (ButtonState::Assigned, Some(_)) if is_unreliable(&button.health) => Care::Search,
        (ButtonState::Assigned, Some(_)) if is_low(&button.health) => Care::Charge,
        (ButtonState::Assigned, Some(_)) => Care::Nothing,
    }
}

fn is_unreliable(health: &Health) -> bool {
    health.online == Some(false) || health.flapping_since.is_some()
}

/// The connection fault in words: it is lost or unstable.
pub fn trouble(health: &Health) -> Option<String> {
    let w = &words().buttons;
    match (health.flapping_since, health.online) {
        (Some(since), _) => Some(fill(w.flapping, &[("time", &time::time(since))])),
        (None, Some(false)) => Some(w.lost.to_owned()),
        (None, Some(true) | None) => None,
    }
}

fn is_low(health: &Health) -> bool {
    health.battery_percent.is_some_and(|percent| percent <= Health::LOW_BATTERY_PERCENT)
}

/// The battery in words; `None` if the button doesn't report it.
pub fn battery(health: &Health) -> Option<(String, Tone)> {
    let w = &words().buttons;
    let percent = health.battery_percent?;
    let (text, tone) = if is_low(health) { (w.battery_low, Tone::Wait) } else { (w.battery_percent, Tone::Quiet) };
    Some((fill(text, &[("percent", &percent.to_string())]), tone))
}

/// The signal strength of a button: 1 to 4 bars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    /// Messages get lost.
    Weak = 1,
    /// It works, with retransmissions.
    Fair = 2,
    /// It works.
    Good = 3,
    /// It is excellent.
    Strong = 4,
}

/// The signal strength of a button; `None` if it doesn't report it.
pub fn signal(button: &Button) -> Option<Signal> {
    let dbm = button.health.rssi_dbm?;
    // A long-range radio works far below the levels that Wi-Fi needs.
    let [strong, good, fair] = if is_long_range(&button.device) { [-90, -105, -115] } else { [-60, -70, -80] };
    Some(match dbm {
        _ if dbm >= strong => Signal::Strong,
        _ if dbm >= good => Signal::Good,
        _ if dbm >= fair => Signal::Fair,
        _ => Signal::Weak,
    })
}

/// Whether a device's id is the devEUI of a `LoRaWAN` radio: 16 hexadecimal digits.
fn is_long_range(device: &str) -> bool {
    device.len() == 16 && device.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The signal strength in words.
pub fn signal_word(signal: Signal) -> Text {
    let w = &words().buttons;
    match signal {
        Signal::Weak => w.signal_weak,
        Signal::Fair => w.signal_fair,
        Signal::Good => w.signal_good,
        Signal::Strong => w.signal_strong,
    }
}

#[cfg(test)]
mod tests {
    use crewbell_shared::testing::{at, button};

    use super::*;

    fn with(health: Health) -> Button {
        Button { health, ..button() }
    }

    fn battery_at(percent: u8) -> Health {
        Health { battery_percent: Some(percent), ..Health::default() }
    }

    #[test]
    fn what_needs_somebody_comes_first() {
        let lost = with(Health { online: Some(false), ..battery_at(5) });
        let flapping = with(Health { online: Some(true), flapping_since: Some(at(0)), ..battery_at(87) });
        assert_eq!(care(&flapping), Care::Search);
        let new = Button { state: ButtonState::New, place_id: None, ..lost.clone() };
        let retired = Button { state: ButtonState::Retired, ..lost.clone() };
        let all = [retired, with(battery_at(16)), with(battery_at(15)), lost, new];
        let mut cares = all.map(|button| care(&button));
        cares.sort_unstable();
        assert_eq!(cares, [Care::Place, Care::Search, Care::Charge, Care::Nothing, Care::Retired]);
    }

    #[test]
    fn a_button_that_never_told_its_health_needs_nothing() {
        assert_eq!(care(&button()), Care::Nothing);
        assert_eq!((battery(&button().health), signal(&button())), (None, None));
    }

    #[test]
    fn a_low_battery_is_said_in_words() {
        assert_eq!(battery(&battery_at(87)), Some(("Battery 87 %".into(), Tone::Quiet)));
        assert_eq!(battery(&battery_at(15)), Some(("Battery low: 15 %".into(), Tone::Wait)));
    }

    #[test]
    fn a_signal_has_as_many_bars_as_its_radio_makes_of_it() {
        let at = |device: &str, dbm| {
            let health = Health { rssi_dbm: Some(dbm), ..Health::default() };
            signal(&Button { device: device.into(), ..with(health) }).unwrap()
        };
        let wifi = [-48, -60, -61, -70, -80, -81].map(|dbm| at("cabin-5", dbm) as u8);
        assert_eq!(wifi, [4, 4, 3, 3, 2, 1]);
        let lora = [-81, -105, -110, -120].map(|dbm| at("a84041000181c0de", dbm) as u8);
        assert_eq!(lora, [4, 3, 2, 1]);
    }
}
