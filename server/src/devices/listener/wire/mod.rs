//! The protocol state of one connection: bytes in, packets out, for 3.1.1 and 5 alike. No I/O, no waiting.
//!
//! `opening` handles CONNECT and CONNACK, this module the client's later packets, `answers` the packets sent to it.
//!
//! `mqtt-protocol-core` provides the packets and the protocol state. This module adds what the crate leaves to its
//! caller (the checks in `frames` and `strict`, valid names, the refusal of unsupported packets), and works around two
//! faults. The crate answers a repeated `QoS` 2 PUBLISH with PUBREC at once, even while the first is still being made
//! durable: that PUBREC is suppressed. The crate panics on a CONNECT with Topic Alias Maximum 0: `opening` replaces the
//! value.

mod answers;
mod opening;
mod strict;

use bytes::{Bytes, BytesMut};
use mqtt_protocol_core::mqtt::{
    self, ArcPayload, Version,
    common::Cursor,
    connection::Event,
    packet::{GenericPacketTrait, Packet, Property, Qos, RetainHandling, v3_1_1, v5_0},
    result_code::{DisconnectReasonCode, MqttError, PubcompReasonCode},
};

use self::strict::Broken;
pub(super) use self::{
    answers::Grant,
    opening::{Connect, TurnedAway},
};
use super::{
    frames::{self, Front},
    topics,
};
use crate::devices::delivery::Message;

/// Maximum bytes of a CONNECT: enough for any client id and password with a will, and too few to exhaust memory.
const LONGEST_CONNECT: usize = 64 * 1024;

/// The protocol state of one connection, with its input and output buffers.
pub(super) struct Wire {
    protocol: mqtt::Connection<mqtt::role::Server>,
    /// Bytes that were read and not parsed yet.
    pub(super) input: BytesMut,
    /// Bytes to be written.
    pub(super) output: BytesMut,
    longest: usize,
    /// `QoS` 2 messages that have no PUBREC yet.
    unconfirmed: Vec<u16>,
}

/// A packet of a connected client.
#[derive(Debug)]
pub(super) enum Incoming {
    Publish(Message),
    Subscribe {
        packet_id: u16,
        filters: Vec<(String, RetainHandling)>,
    },
    Unsubscribe {
        packet_id: u16,
        filters: Vec<String>,
    },
    /// The client may request its last will nevertheless (MQTT 5, reason 0x04).
    Disconnect {
        with_will: bool,
    },
}

/// A protocol violation by the client, with its reason. The answer is in the output already; nothing more can be sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault(pub(super) &'static str);

impl Wire {
    pub(super) fn new() -> Self {
        Self {
            protocol: mqtt::Connection::new(Version::Undetermined),
            input: BytesMut::with_capacity(1024),
            output: BytesMut::new(),
            longest: LONGEST_CONNECT,
            unconfirmed: Vec::new(),
        }
    }

    pub(super) fn is_v5(&self) -> bool {
        self.protocol.get_protocol_version() == Version::V5_0
    }

    /// Parses the client's next packet, and sets `heard` if one is complete. PINGREQ and PUBREL are answered here.
    pub(super) fn next(&mut self, heard: &mut bool) -> Result<Option<Incoming>, Fault> {
        loop {
            let whole = match frames::front(&self.input, self.longest) {
                Front::Part => return Ok(None),
                Front::Whole(whole) => whole,
                Front::TooLong => {
                    return Err(self.fault("packet too long", DisconnectReasonCode::PacketTooLarge));
                }
                Front::Malformed => return Err(self.malformed()),
            };
            *heard = true;
            let packet = self.input.split_to(whole);
            match strict::check(&packet, self.is_v5()) {
                Ok(()) => {}
                Err(Broken::Malformed) => return Err(self.malformed()),
                Err(Broken::Protocol) => {
                    return Err(self.fault("protocol error", DisconnectReasonCode::ProtocolError));
                }
            }
            let mut said = None;
            for event in self.protocol.recv(&mut Cursor::new(&packet[..])) {
                match event {
                    Event::NotifyPacketReceived(packet) => said = self.understand(packet)?,
                    Event::RequestSendPacket { packet, .. } => self.answer(&packet),
                    Event::NotifyError(error) => return Err(self.broke(error)),
                    Event::NotifyPacketIdReleased(_)
                    | Event::RequestTimerReset { .. }
                    | Event::RequestTimerCancel(_)
                    | Event::RequestClose => {}
                }
            }
            if said.is_some() {
                return Ok(said);
            }
        }
    }

    /// Sends the crate's automatic answers, except a PUBREC for a message that isn't durable yet.
    fn answer(&mut self, packet: &Packet) {
        let premature =
            matches!(packet, Packet::V3_1_1Pubrec(pubrec) if self.unconfirmed.contains(&pubrec.packet_id()));
        if !premature {
            self.output.extend_from_slice(&packet.to_continuous_buffer());
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the rest are packets that no client may send here")]
    fn understand(&mut self, packet: Packet) -> Result<Option<Incoming>, Fault> {
        let said = match packet {
            Packet::V3_1_1Publish(publish) => {
                let (qos, id) = (publish.qos(), publish.packet_id());
                let flags = (publish.retain(), publish.dup());
                self.published(publish.topic_name(), publish.payload(), qos, id, flags)?
            }
            Packet::V5_0Publish(publish) => {
                let (qos, id) = (publish.qos(), publish.packet_id());
                let flags = (publish.retain(), publish.dup());
                self.published(publish.topic_name(), publish.payload(), qos, id, flags)?
            }
            Packet::V3_1_1Subscribe(subscribe) => Incoming::Subscribe {
                packet_id: subscribe.packet_id(),
                filters: subscribe
                    .entries()
                    .iter()
                    .map(|entry| (entry.topic_filter().to_owned(), RetainHandling::SendRetained))
                    .collect(),
            },
            Packet::V5_0Subscribe(subscribe) => {
                if subscribe.props().iter().any(|p| matches!(p, Property::SubscriptionIdentifier(_))) {
                    let reason = DisconnectReasonCode::SubscriptionIdentifiersNotSupported;
                    return Err(self.fault("subscription identifier", reason));
                }
                Incoming::Subscribe {
                    packet_id: subscribe.packet_id(),
                    filters: subscribe
                        .entries()
                        .iter()
                        .map(|entry| (entry.topic_filter().to_owned(), entry.sub_opts().rh()))
                        .collect(),
                }
            }
            Packet::V3_1_1Unsubscribe(unsubscribe) => Incoming::Unsubscribe {
                packet_id: unsubscribe.packet_id(),
                filters: unsubscribe.entries().iter().map(|filter| filter.as_str().to_owned()).collect(),
            },
            Packet::V5_0Unsubscribe(unsubscribe) => Incoming::Unsubscribe {
                packet_id: unsubscribe.packet_id(),
                filters: unsubscribe.entries().iter().map(|filter| filter.as_str().to_owned()).collect(),
            },
            Packet::V3_1_1Pingreq(_) => {
                self.send(Ok(v3_1_1::Pingresp::new().into()));
                return Ok(None);
            }
            Packet::V5_0Pingreq(_) => {
                self.send(Ok(v5_0::Pingresp::new().into()));
                return Ok(None);
            }
            Packet::V3_1_1Pubrel(pubrel) => {
                self.send(v3_1_1::Pubcomp::builder().packet_id(pubrel.packet_id()).build().map(Packet::from));
                return Ok(None);
            }
            Packet::V5_0Pubrel(pubrel) => {
                let pubcomp = v5_0::Pubcomp::builder()
                    .packet_id(pubrel.packet_id())
                    .reason_code(PubcompReasonCode::PacketIdentifierNotFound);
                self.send(pubcomp.build().map(Packet::from));
                return Ok(None);
            }
            Packet::V3_1_1Disconnect(_) => Incoming::Disconnect { with_will: false },
            Packet::V5_0Disconnect(disconnect) => Incoming::Disconnect {
                with_will: disconnect
                    .reason_code()
                    .is_some_and(|code| code != DisconnectReasonCode::NormalDisconnection),
            },
            _ => return Err(self.fault("unexpected packet", DisconnectReasonCode::ProtocolError)),
        };
        Ok(Some(said))
    }

    fn published(
        &mut self,
        topic: &str,
        payload: &ArcPayload,
        qos: Qos,
        packet_id: Option<u16>,
        (retain, dup): (bool, bool),
    ) -> Result<Incoming, Fault> {
        if !topics::is_name(topic) {
            return Err(self.fault("topic name", DisconnectReasonCode::TopicNameInvalid));
        }
        if let Some(packet_id) = packet_id.filter(|_| qos == Qos::ExactlyOnce) {
            if self.is_v5() {
                return Err(self.fault("QoS 2", DisconnectReasonCode::QosNotSupported));
            }
            self.unconfirmed.push(packet_id);
        }
        let payload = if payload.is_empty() { Bytes::new() } else { Bytes::from_owner(Shared(payload.clone())) };
        Ok(Incoming::Publish(Message {
            topic: topic.to_owned(),
            payload,
            will: false,
            retain,
            dup,
            qos: qos as u8,
            packet_id,
        }))
    }

    fn malformed(&mut self) -> Fault {
        self.fault("malformed packet", DisconnectReasonCode::MalformedPacket)
    }

    fn broke(&mut self, error: MqttError) -> Fault {
        let words = if error == MqttError::MalformedPacket {
            "malformed packet"
        } else if error == MqttError::ReceiveMaximumExceeded {
            "receive maximum"
        } else if error == MqttError::TopicAliasInvalid {
            "topic alias"
        } else {
            "protocol error"
        };
        // In most cases the crate has sent DISCONNECT already; then this adds nothing.
        self.fault(words, error.into())
    }

    fn fault(&mut self, words: &'static str, reason: DisconnectReasonCode) -> Fault {
        self.disconnect(reason);
        Fault(words)
    }
}

/// The payload as parsed, shared without a copy.
struct Shared(ArcPayload);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        self.0.as_slice()
    }
}
