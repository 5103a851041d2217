//! `ChirpStack` (`LoRaWAN`): `application/{id}/device/{devEui}/event/up`, `…/status`, `…/join`.
//!
//! Version 3 has `devEUI` (in base64) and no `deduplicationId`; version 4 has one. The topic identifies the device in
//! both. Version 3 reports a join after the first frame that followed it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crewbell_shared::button::Telemetry;

use super::battery;
use super::decoded::Ignored;
use super::fields::Fields;
use super::lorawan::{Event, Frame, decode_frame, decode_join};
use super::original::no_press;
use super::radio_table::RadioTable;
use super::{Message, Understood};

pub(super) fn decode(event: Event, message: &Message<'_>, table: &RadioTable) -> Understood {
    match event {
        Event::Up => decode_frame(frame(message.fields()?)?, message, table),
        Event::Status => {
            let battery_percent = charge(message.fields()?);
            message.one(no_press(Telemetry { battery_percent, ..Telemetry::default() }, Ignored::Heartbeat))
        }
        Event::Join => decode_join(message),
        Event::Other => Err(Ignored::NotAPress),
    }
}

fn frame(fields: Fields<'_>) -> Result<Frame, Ignored> {
    let data = match fields.text(&["data"]) {
        Some(text) => STANDARD.decode(text).map_err(|_| Ignored::UnknownShape("data that is not base64"))?,
        None if fields.is_damaged(&["data"]) => return Err(Ignored::Damaged("its data can't be read")),
        None => Vec::new(),
    };
    let rssi_dbm = fields.objects("rxInfo").iter().filter_map(|rx| rx.rssi(&["rssi"])).max();
    Ok(Frame {
        // A frame with a damaged port may be a press. Port 0 would mark it as the radio's own, which has no data.
        port: fields.whole(&["fPort"]).unwrap_or(u64::from(fields.is_damaged(&["fPort"]))),
        data,
        count: fields.whole(&["fCnt"]),
        name: fields.text(&["deduplicationId"]),
        time: fields.date(&["time"]),
        vitals: Telemetry { rssi_dbm, ..Telemetry::default() },
    })
}

/// The battery charge: `batteryLevel` is percent; the `battery` of old versions is the radio's own 0 to 254. External
/// power is not an empty battery.
fn charge(fields: Fields<'_>) -> Option<u8> {
    if fields.yes(&["batteryLevelUnavailable", "externalPowerSource"]) {
        return None;
    }
    fields.percent(&["batteryLevel"]).or_else(|| battery::lorawan(fields.number(&["battery"])?))
}
