//! The Things Stack, version 3 (`LoRaWAN`): `v3/{application}@{tenant}/devices/{device id}/up`, `…/join`.
//!
//! A frame counter or port of 0 is omitted from the message.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crewbell_shared::button::Telemetry;

use super::decoded::Ignored;
use super::fields::Fields;
use super::lorawan::{Event, Frame, decode_frame, decode_join};
use super::radio_table::RadioTable;
use super::{Message, Understood};

pub(super) fn decode(event: Event, message: &Message<'_>, table: &RadioTable) -> Understood {
    match event {
        Event::Up => decode_frame(frame(message.fields()?)?, message, table),
        Event::Join => decode_join(message),
        Event::Status | Event::Other => Err(Ignored::NotAPress),
    }
}

fn frame(fields: Fields<'_>) -> Result<Frame, Ignored> {
    let uplink = fields.object("uplink_message").ok_or(Ignored::UnknownShape("an uplink without a message"))?;
    let data = match uplink.text(&["frm_payload"]) {
        Some(text) => STANDARD.decode(text).map_err(|_| Ignored::UnknownShape("data that is not base64"))?,
        None if uplink.is_damaged(&["frm_payload"]) => return Err(Ignored::Damaged("its data can't be read")),
        None => Vec::new(),
    };
    let received = uplink.objects("rx_metadata");
    let charge = uplink.object("last_battery_percentage").and_then(|charge| charge.percent(&["value"]));
    let is_damaged = uplink.is_damaged(&["f_cnt"]);
    Ok(Frame {
        port: uplink.whole(&["f_port"]).unwrap_or(u64::from(uplink.is_damaged(&["f_port"]))),
        data,
        count: uplink.whole(&["f_cnt"]).or((!is_damaged).then_some(0)),
        name: None,
        time: fields.date(&["received_at"]).or_else(|| uplink.date(&["received_at"])),
        vitals: Telemetry {
            rssi_dbm: received.iter().filter_map(|gateway| gateway.rssi(&["rssi"])).max(),
            battery_percent: charge,
            ..Telemetry::default()
        },
    })
}
