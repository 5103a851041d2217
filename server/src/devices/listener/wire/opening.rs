//! Parses CONNECT and sends CONNACK.

use bytes::Bytes;
use mqtt_protocol_core::mqtt::{
    common::Cursor,
    connection::Event,
    packet::{
        AssignedClientIdentifier, MaximumPacketSize, MaximumQos, Packet, Property, Qos, ReceiveMaximum,
        ServerKeepAlive, SessionExpiryInterval, SharedSubscriptionAvailable, SubscriptionIdentifierAvailable,
        TopicAliasMaximum, v3_1_1, v5_0,
    },
    result_code::{ConnectReasonCode, ConnectReturnCode, MqttError},
};

use super::{
    super::{
        Limits,
        frames::{self, Front, Opening},
        intake::NotLetIn,
        topics,
    },
    Fault, Wire,
    strict::{self, Broken},
};
use crate::devices::delivery::Message;
use crate::limits::Full;

/// A valid CONNECT.
pub(in super::super) struct Connect {
    pub(in super::super) client_id: String,
    pub(in super::super) clean_start: bool,
    /// Keep-alive in seconds; 0 disables it.
    pub(in super::super) keep_alive: u16,
    pub(in super::super) username: Option<String>,
    pub(in super::super) password: Option<Bytes>,
    pub(in super::super) will: Option<Message>,
}

/// The reason for refusing a CONNECT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum TurnedAway {
    By(NotLetIn),
    /// The client is authenticated, but a connection limit is reached.
    Full(Full),
    ClientId,
    /// A will at `QoS` 2, above the Maximum `QoS` of MQTT 5 clients [MQTT-3.2.2-12].
    WillQos,
    /// A will whose topic isn't a valid topic name.
    WillTopic,
    /// MQTT 5's enhanced authentication, which isn't supported.
    Method,
}

impl Wire {
    /// Parses the CONNECT; `None` while it is incomplete.
    pub(in super::super) fn open(&mut self) -> Result<Option<Connect>, Fault> {
        let whole = match frames::front(&self.input, self.longest) {
            Front::Part => return Ok(None),
            Front::Whole(whole) => whole,
            Front::TooLong => return Err(Fault("packet too long")),
            Front::Malformed => return Err(Fault("not MQTT")),
        };
        let mut packet = self.input.split_to(whole);
        let (v5, flags) = match frames::opening(&packet) {
            Opening::Connect { level, flags } => (level == 5, flags),
            Opening::OtherVersion(answer) => {
                self.output.extend_from_slice(answer);
                return Err(Fault("protocol version"));
            }
            Opening::BadFlags { level } => return Err(self.malformed_connect(level == 5, Broken::Malformed)),
            Opening::Malformed => return Err(Fault("malformed CONNECT")),
        };
        match strict::check_connect(&packet, v5) {
            Ok(None) => {}
            // The crate panics on 0. The value 1 makes no difference, since the server sends no topic aliases.
            Ok(Some(at)) => packet[at..at + 2].copy_from_slice(&[0, 1]),
            Err(broken) => return Err(self.malformed_connect(v5, broken)),
        }
        if v5 && strict::has_only_a_password(flags) {
            self.output.extend_from_slice(&[0x20, 3, 0, ConnectReasonCode::BadUserNameOrPassword as u8, 0]);
            return Err(Fault("password without user name"));
        }
        let mut broken = Broken::Malformed;
        for event in self.protocol.recv(&mut Cursor::new(&packet[..])) {
            match event {
                Event::NotifyPacketReceived(packet) => {
                    return connect(&packet).map(Some).map_err(|turned_away| self.turn_away(turned_away));
                }
                Event::NotifyError(MqttError::ProtocolError) => broken = Broken::Protocol,
                // The crate's own answers to a malformed CONNECT (such as "not authorized") would be misleading.
                Event::NotifyError(_)
                | Event::RequestSendPacket { .. }
                | Event::NotifyPacketIdReleased(_)
                | Event::RequestTimerReset { .. }
                | Event::RequestTimerCancel(_)
                | Event::RequestClose => {}
            }
        }
        Err(self.malformed_connect(v5, broken))
    }

    /// Answers a malformed CONNECT with a reason code in MQTT 5 [MQTT-3.1.4-1]; 3.1.1 has no code for it.
    fn malformed_connect(&mut self, v5: bool, broken: Broken) -> Fault {
        if v5 {
            let reason = match broken {
                Broken::Malformed => ConnectReasonCode::MalformedPacket,
                Broken::Protocol => ConnectReasonCode::ProtocolError,
            };
            self.output.extend_from_slice(&[0x20, 3, 0, reason as u8, 0]);
        }
        Fault("malformed CONNECT")
    }

    /// Refuses a CONNECT with the code for `why` (MQTT 5, 3.2.2.2; 3.1.1, 3.2.2.3).
    pub(in super::super) fn turn_away(&mut self, why: TurnedAway) -> Fault {
        let (old, new, words) = match why {
            TurnedAway::By(NotLetIn::BadCredentials) => {
                (ConnectReturnCode::BadUserNameOrPassword, ConnectReasonCode::BadUserNameOrPassword, "credentials")
            }
            TurnedAway::By(NotLetIn::NotAuthorized) => {
                (ConnectReturnCode::NotAuthorized, ConnectReasonCode::NotAuthorized, "not authorized")
            }
            TurnedAway::By(NotLetIn::NotNow) => {
                (ConnectReturnCode::ServerUnavailable, ConnectReasonCode::ServerUnavailable, "not now")
            }
            TurnedAway::By(NotLetIn::TooOften) => {
                (ConnectReturnCode::ServerUnavailable, ConnectReasonCode::ConnectionRateExceeded, "too many attempts")
            }
            TurnedAway::Full(Full::Shared) => {
                let words = "too many connections by a shared code";
                (ConnectReturnCode::ServerUnavailable, ConnectReasonCode::QuotaExceeded, words)
            }
            TurnedAway::Full(Full::SignedIn | Full::Unauthenticated) => {
                (ConnectReturnCode::ServerUnavailable, ConnectReasonCode::QuotaExceeded, "too many connections")
            }
            TurnedAway::ClientId => {
                (ConnectReturnCode::IdentifierRejected, ConnectReasonCode::ClientIdentifierNotValid, "client id")
            }
            TurnedAway::WillQos => (ConnectReturnCode::NotAuthorized, ConnectReasonCode::QosNotSupported, "will QoS"),
            TurnedAway::WillTopic => {
                (ConnectReturnCode::NotAuthorized, ConnectReasonCode::TopicNameInvalid, "will topic")
            }
            TurnedAway::Method => {
                (ConnectReturnCode::NotAuthorized, ConnectReasonCode::BadAuthenticationMethod, "authentication method")
            }
        };
        if self.is_v5() {
            self.output.extend_from_slice(&[0x20, 3, 0, new as u8, 0]);
        } else {
            self.output.extend_from_slice(&[0x20, 2, 0, old as u8]);
        }
        Fault(words)
    }

    /// Accepts a CONNECT, and sends the supported features and limits (MQTT 5, section 3.2.2.3).
    ///
    /// Session Present is 0: see "No session state" in the listener's module documentation.
    pub(in super::super) fn welcome(
        &mut self,
        assigned: Option<&str>,
        keep_alive: Option<u16>,
        limits: &Limits,
    ) -> Result<(), Fault> {
        let packet = if self.is_v5() {
            v5_welcome(assigned, keep_alive, limits)
        } else {
            v3_1_1::Connack::builder()
                .return_code(ConnectReturnCode::Accepted)
                .session_present(false)
                .build()
                .map(Packet::from)
        };
        self.longest = usize::try_from(limits.packet_size).unwrap_or(usize::MAX);
        self.send(packet);
        if self.output.is_empty() { Err(Fault("no room for CONNACK")) } else { Ok(()) }
    }
}

fn v5_welcome(assigned: Option<&str>, keep_alive: Option<u16>, limits: &Limits) -> Result<Packet, MqttError> {
    let mut properties: Vec<Property> = vec![
        SessionExpiryInterval::new(0)?.into(),
        ReceiveMaximum::new(limits.in_flight.max(1))?.into(),
        MaximumQos::new(1)?.into(),
        MaximumPacketSize::new(limits.packet_size.max(1))?.into(),
        TopicAliasMaximum::new(0)?.into(),
        SubscriptionIdentifierAvailable::new(0)?.into(),
        SharedSubscriptionAvailable::new(0)?.into(),
    ];
    if let Some(client_id) = assigned {
        properties.push(AssignedClientIdentifier::new(client_id)?.into());
    }
    if let Some(seconds) = keep_alive {
        properties.push(ServerKeepAlive::new(seconds)?.into());
    }
    let connack = v5_0::Connack::builder().reason_code(ConnectReasonCode::Success).session_present(false);
    connack.props(properties).build().map(Packet::from)
}

fn connect(packet: &Packet) -> Result<Connect, TurnedAway> {
    if let Packet::V5_0Connect(connect) = packet {
        if connect.props().iter().any(|property| matches!(property, Property::AuthenticationMethod(_))) {
            return Err(TurnedAway::Method);
        }
        if connect.will_flag() && connect.will_qos() == Qos::ExactlyOnce {
            return Err(TurnedAway::WillQos);
        }
        Ok(Connect {
            client_id: sound_client_id(connect.client_id())?,
            clean_start: connect.clean_start(),
            keep_alive: connect.keep_alive(),
            username: connect.user_name().map(str::to_owned),
            password: connect.password().map(Bytes::copy_from_slice),
            will: will(connect.will_topic(), connect.will_payload(), connect.will_qos())?,
        })
    } else if let Packet::V3_1_1Connect(connect) = packet {
        // A client that requests a session must send a client id [MQTT-3.1.3-8 of 3.1.1].
        if connect.client_id().is_empty() && !connect.clean_session() {
            return Err(TurnedAway::ClientId);
        }
        Ok(Connect {
            client_id: sound_client_id(connect.client_id())?,
            clean_start: connect.clean_session(),
            keep_alive: connect.keep_alive(),
            username: connect.user_name().map(str::to_owned),
            password: connect.password().map(Bytes::copy_from_slice),
            will: will(connect.will_topic(), connect.will_payload(), connect.will_qos())?,
        })
    } else {
        Err(TurnedAway::ClientId)
    }
}

/// Validates a client id: at most 256 bytes and no control characters, since client ids are logged.
fn sound_client_id(client_id: &str) -> Result<String, TurnedAway> {
    if client_id.len() > 256 || client_id.chars().any(char::is_control) {
        return Err(TurnedAway::ClientId);
    }
    Ok(client_id.to_owned())
}

/// Builds the last will. It is never marked as retained, even if the client requests it, since it is news when it
/// fires.
fn will(topic: Option<&str>, payload: Option<&[u8]>, qos: Qos) -> Result<Option<Message>, TurnedAway> {
    let Some(topic) = topic else { return Ok(None) };
    if !topics::is_name(topic) {
        return Err(TurnedAway::WillTopic);
    }
    let payload = payload.map_or_else(Bytes::new, Bytes::copy_from_slice);
    let topic = topic.to_owned();
    Ok(Some(Message { topic, payload, will: true, retain: false, dup: false, qos: qos as u8, packet_id: None }))
}
