//! Error messages for failures between a button and the server, each with what to do about it.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "another crate's long lists of codes; those without a sentence here are shown as they are"
)]

use rumqttc::mqttbytes::v5::{ConnectReturnCode, PubAckReason, SubscribeReasonCode};
use rumqttc::{ConnectionError, StateError};

use super::PressArgs;

/// Returns why the connection failed.
pub(super) fn connecting(error: &ConnectionError, args: &PressArgs) -> String {
    let server = &args.server;
    match error {
        ConnectionError::ConnectionRefused(code)
        | ConnectionError::MqttState(StateError::ConnFail { reason: code }) => turned_away(*code, args),
        ConnectionError::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            format!("Nothing listens at {server}. Is the server running, and is that its MQTT port?")
        }
        ConnectionError::Io(error) | ConnectionError::MqttState(StateError::Io(error)) => {
            format!("{server} can't be reached: {error}.")
        }
        ConnectionError::MqttState(StateError::ConnectionAborted) => {
            format!("{server} closed the connection without a word. Is that its MQTT port, and one without TLS?")
        }
        ConnectionError::Timeout(_) => format!("{server} didn't answer in time."),
        other => format!("{server} doesn't speak MQTT 5 as it should: {other}."),
    }
}

fn turned_away(code: ConnectReturnCode, args: &PressArgs) -> String {
    use ConnectReturnCode as Code;
    match code {
        Code::BadUserNamePassword => format!(
            "The server doesn't know user {} with that password. The user is the site's slug with its join code, or \
             SLUG/BUTTON with the button's own password; `admin site join-code` and `admin button credentials` make \
             new ones.",
            args.user.as_deref().unwrap_or("(none)")
        ),
        Code::NotAuthorized if args.user.is_none() => {
            "The server lets nobody in without a user; give --user and --password.".to_owned()
        }
        Code::NotAuthorized | Code::Banned => "The server doesn't let this user in.".to_owned(),
        Code::ServiceUnavailable | Code::ServerUnavailable | Code::ServerBusy => {
            "The server can't let anybody in at the moment (its database may be away). Try again.".to_owned()
        }
        Code::ConnectionRateExceeded => {
            "There were too many wrong passwords from this address; this one wasn't looked at. Try again in a minute."
                .to_owned()
        }
        Code::QuotaExceeded => {
            "As many buttons as may be are connected already; the server's /readyz says so too.".to_owned()
        }
        Code::RefusedProtocolVersion | Code::UnsupportedProtocolVersion => {
            "The server doesn't speak MQTT 5.".to_owned()
        }
        other => format!("The server turned the connection away: {other:?}."),
    }
}

/// Returns why a press was refused; `None` when it was accepted.
pub(super) fn press(reason: PubAckReason, args: &PressArgs) -> Option<String> {
    let button = &args.button;
    match reason {
        PubAckReason::Success => None,
        PubAckReason::NoMatchingSubscribers => {
            Some("The broker took the press, but nobody listens there: no Crewbell heard it.".to_owned())
        }
        PubAckReason::NotAuthorized => Some(format!(
            "This user may not press {button}: a button that has a password of its own presses with that only \
             (--user SLUG/{button})."
        )),
        PubAckReason::TopicNameInvalid => {
            Some(format!("The server doesn't know such a topic. Are its topics \"{}/…\"? See --prefix.", args.prefix))
        }
        PubAckReason::PayloadFormatInvalid => Some("The server refused the press; its log says why.".to_owned()),
        PubAckReason::QuotaExceeded => Some("The server has too much to do, and refused the press.".to_owned()),
        PubAckReason::UnspecifiedError
        | PubAckReason::ImplementationSpecificError
        | PubAckReason::PacketIdentifierInUse => Some(format!("The server refused the press: {reason:?}.")),
    }
}

/// Returns why the lamp's messages can't be subscribed to; `None` when they can.
pub(super) fn lamp(codes: &[SubscribeReasonCode], button: &str) -> Option<String> {
    let refused = codes.iter().find(|code| !matches!(code, SubscribeReasonCode::Success(_)))?;
    Some(match refused {
        SubscribeReasonCode::NotAuthorized => {
            format!("this user may not watch the lamp of {button}")
        }
        other => format!("the lamp of {button} can't be watched: {other:?}"),
    })
}

/// Returns the message for a connection that broke during a press.
pub(super) fn broken(error: &ConnectionError, unacknowledged: usize) -> String {
    let why = match error {
        ConnectionError::MqttState(StateError::ServerDisconnect { reason_code, .. }) => {
            format!("The server ended the connection ({reason_code:?})")
        }
        ConnectionError::MqttState(StateError::ConnectionAborted) => "The server closed the connection".to_owned(),
        other => format!("The connection broke ({other})"),
    };
    match unacknowledged {
        0 => format!("{why}; every press was acknowledged before."),
        1 => format!("{why} without acknowledging the press; a real button would send it again."),
        many => format!("{why} without acknowledging {many} presses; a real button would send them again."),
    }
}
