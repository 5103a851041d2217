//! Session store for rumqttc. Empty: the server publishes at `QoS` 0 only, so there is nothing to restore.

use futures_util::future::BoxFuture;
use rumqttc::{PersistedAckMode, PersistedSession, SessionStore, SessionStoreError, SessionStoreKey};

use super::settings::SESSION_EXPIRY;

type Answer<'a, T> = BoxFuture<'a, Result<T, SessionStoreError>>;

/// An empty MQTT session store. The client's part of a persistent session (MQTT 5, 4.1) is its unacknowledged
/// publications at `QoS` 1 and 2.
///
/// The server publishes at 0 only, so an empty session is complete, also after a crash. rumqttc needs it explicitly:
/// otherwise it refuses to resume the broker's session, or to subscribe in it.
#[derive(Debug)]
pub(super) struct NothingInFlight;

impl SessionStore for NothingInFlight {
    fn load<'a>(&'a self, key: &'a SessionStoreKey) -> Answer<'a, Option<PersistedSession>> {
        let session = PersistedSession {
            format_version: 1,
            client_id: key.client_id().to_owned(),
            clean_start: false,
            session_expiry_interval: Some(SESSION_EXPIRY),
            outgoing_inflight_upper_limit: None,
            ack_mode: PersistedAckMode::Manual,
            last_pkid: 0,
            last_puback: 0,
            replay: Vec::new(),
            incoming_qos2: Vec::new(),
        };
        Box::pin(async move { Ok(Some(session)) })
    }

    fn save<'a>(&'a self, _: &'a SessionStoreKey, _: &'a PersistedSession) -> Answer<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn clear<'a>(&'a self, _: &'a SessionStoreKey) -> Answer<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}
