//! The packets sent to a client after CONNACK.

use mqtt_protocol_core::mqtt::{
    connection::Event,
    packet::{GenericPacketTrait, Packet, v3_1_1, v5_0},
    result_code::{
        DisconnectReasonCode, MqttError, PubackReasonCode, SubackReasonCode, SubackReturnCode, UnsubackReasonCode,
    },
};

use super::{
    super::intake::{Outgoing, Why},
    Wire,
};

/// The result of a subscription, sent in SUBACK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Grant {
    AtMostOnce,
    NotAuthorized,
    NotNow,
    InvalidFilter,
    Shared,
    TooMany,
}

impl Wire {
    /// Sends PUBACK, or PUBREC for `QoS` 2.
    pub(in super::super) fn acknowledge(&mut self, packet_id: u16, qos: u8, refused: Option<Why>) {
        let packet = if qos == 2 {
            self.unconfirmed.retain(|id| *id != packet_id);
            v3_1_1::Pubrec::builder().packet_id(packet_id).build().map(Packet::from)
        } else if self.is_v5() {
            let puback = v5_0::Puback::builder().packet_id(packet_id);
            match refused {
                None => puback,
                Some(Why::NotAuthorized) => puback.reason_code(PubackReasonCode::NotAuthorized),
                Some(Why::PayloadInvalid) => puback.reason_code(PubackReasonCode::PayloadFormatInvalid),
                Some(Why::TopicInvalid) => puback.reason_code(PubackReasonCode::TopicNameInvalid),
            }
            .build()
            .map(Packet::from)
        } else {
            v3_1_1::Puback::builder().packet_id(packet_id).build().map(Packet::from)
        };
        self.send(packet);
    }

    pub(in super::super) fn suback(&mut self, packet_id: u16, grants: &[Grant]) {
        let packet = if self.is_v5() {
            let codes = grants.iter().map(|grant| match grant {
                Grant::AtMostOnce => SubackReasonCode::GrantedQos0,
                Grant::NotAuthorized => SubackReasonCode::NotAuthorized,
                Grant::NotNow => SubackReasonCode::UnspecifiedError,
                Grant::InvalidFilter => SubackReasonCode::TopicFilterInvalid,
                Grant::Shared => SubackReasonCode::SharedSubscriptionsNotSupported,
                Grant::TooMany => SubackReasonCode::QuotaExceeded,
            });
            v5_0::Suback::builder().packet_id(packet_id).reason_codes(codes.collect()).build().map(Packet::from)
        } else {
            let codes = grants.iter().map(|grant| match grant {
                Grant::AtMostOnce => SubackReturnCode::SuccessMaximumQos0,
                Grant::NotAuthorized | Grant::NotNow | Grant::InvalidFilter | Grant::Shared | Grant::TooMany => {
                    SubackReturnCode::Failure
                }
            });
            v3_1_1::Suback::builder().packet_id(packet_id).return_codes(codes.collect()).build().map(Packet::from)
        };
        self.send(packet);
    }

    /// Sends UNSUBACK. Each flag says whether the subscription existed.
    pub(in super::super) fn unsuback(&mut self, packet_id: u16, existed: &[bool]) {
        let packet = if self.is_v5() {
            let codes = existed.iter().map(|existed| {
                if *existed { UnsubackReasonCode::Success } else { UnsubackReasonCode::NoSubscriptionExisted }
            });
            v5_0::Unsuback::builder().packet_id(packet_id).reason_codes(codes.collect()).build().map(Packet::from)
        } else {
            v3_1_1::Unsuback::builder().packet_id(packet_id).build().map(Packet::from)
        };
        self.send(packet);
    }

    /// Sends a PUBLISH at `QoS` 0. It is dropped if it exceeds the client's Maximum Packet Size [MQTT-3.1.2-24].
    pub(in super::super) fn publish(&mut self, message: &Outgoing, retain: bool) {
        let packet = if self.is_v5() {
            v5_0::Publish::builder()
                .topic_name(message.topic.as_str())
                .and_then(|publish| publish.retain(retain).payload(&message.payload[..]).build())
                .map(Packet::from)
        } else {
            v3_1_1::Publish::builder()
                .topic_name(message.topic.as_str())
                .and_then(|publish| publish.retain(retain).payload(&message.payload[..]).build())
                .map(Packet::from)
        };
        self.send(packet);
    }

    /// Sends DISCONNECT in MQTT 5; in 3.1.1 a server can't send it. Nothing can be sent after it.
    pub(in super::super) fn disconnect(&mut self, reason: DisconnectReasonCode) {
        if self.is_v5() {
            self.send(v5_0::Disconnect::builder().reason_code(reason).build().map(Packet::from));
        }
    }

    /// Sends a packet. Errors are ignored: the crate refuses only packets that must not be sent (after DISCONNECT, or
    /// too large).
    pub(super) fn send(&mut self, packet: Result<Packet, MqttError>) {
        if let Ok(packet) = packet {
            for event in self.protocol.send(packet) {
                if let Event::RequestSendPacket { packet, .. } = event {
                    self.output.extend_from_slice(&packet.to_continuous_buffer());
                }
            }
        }
    }
}
