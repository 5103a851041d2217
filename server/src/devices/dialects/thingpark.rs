//! Actility's `ThingPark` (`LoRaWAN`): `…/things/{devEui}/uplink` with `{"DevEUI_uplink": {…}}`, or with the inner
//! object alone.
//!
//! Numbers may be written as text; the payload is in hexadecimal digits; `BatteryLevel` is the radio's own 0 to 254.

use crewbell_shared::button::Telemetry;

use super::battery;
use super::decoded::Ignored;
use super::fields::Fields;
use super::lorawan::{Event, Frame, decode_frame, decode_join};
use super::radio_table::RadioTable;
use super::{Message, Understood};

pub(super) fn decode(event: Event, message: &Message<'_>, table: &RadioTable) -> Understood {
    match event {
        Event::Up => {
            let fields = message.fields()?;
            decode_frame(frame(fields.object("DevEUI_uplink").unwrap_or(fields))?, message, table)
        }
        Event::Join => decode_join(message),
        Event::Status | Event::Other => Err(Ignored::NotAPress),
    }
}

fn frame(fields: Fields<'_>) -> Result<Frame, Ignored> {
    let data = match fields.text(&["payload_hex"]) {
        Some(text) => bytes(&text).ok_or(Ignored::UnknownShape("data that is not hexadecimal"))?,
        None if fields.is_damaged(&["payload_hex"]) => return Err(Ignored::Damaged("its data can't be read")),
        None => Vec::new(),
    };
    Ok(Frame {
        port: fields.whole(&["FPort"]).unwrap_or(u64::from(fields.is_damaged(&["FPort"]))),
        data,
        count: fields.whole(&["FCntUp"]),
        name: None,
        time: fields.date(&["Time"]),
        vitals: Telemetry {
            rssi_dbm: fields.rssi(&["LrrRSSI"]),
            battery_percent: fields.number(&["BatteryLevel"]).and_then(battery::lorawan),
            ..Telemetry::default()
        },
    })
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.chars().map(|digit| u8::try_from(digit.to_digit(16)?).ok()).collect::<Option<Vec<u8>>>()?;
    (digits.len() % 2 == 0).then(|| digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}
