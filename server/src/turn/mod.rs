//! How devices in different networks reach each other: STUN and TURN servers, the server's own among them.
//!
//! Within one network a call needs none of it. `calls.turn` starts a TURN server (RFC 8656) over UDP in this process;
//! `calls.ice_servers` names others. Credentials are made for each person and run out, by the "TURN REST API" draft
//! (draft-uberti-behave-turn-rest): [`credentials`]. What the relay does for whom is bounded in [`guard`]. The room
//! neither reads nor writes the database.

mod credentials;
mod guard;
mod relay;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;

use crewbell_shared::ids::PersonId;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, Ids};
use crate::config::Secret;

/// How long credentials are good: longer than any call, since a relay is renewed with them.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(12);

/// What the configuration says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IceSettings {
    /// Where devices reach the own TURN server; none without.
    pub turn: Option<SocketAddr>,
    /// URLs of other servers (RFC 7064, RFC 7065).
    pub others: Vec<String>,
    /// What other TURN servers and we share; made up for the own one alone.
    pub secret: Option<Secret>,
}

/// Which servers a person may use, as `RTCIceServer` of the WebRTC interface has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct IceServers {
    /// The servers; none where devices are to reach each other directly.
    pub ice_servers: Vec<IceServer>,
    /// When the credentials run out.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

/// A STUN or TURN server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct IceServer {
    /// Such as `turn:192.0.2.1:3478?transport=udp`.
    pub urls: Vec<String>,
    /// For TURN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// For TURN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

/// The servers that devices are told of.
#[derive(Clone, Debug)]
pub struct Ice {
    stun: Vec<String>,
    turn: Vec<String>,
    secret: Secret,
}

impl Ice {
    /// No servers: for a server whose devices are all in one network.
    pub fn none() -> Self {
        Self { stun: Vec::new(), turn: Vec::new(), secret: Secret::new("") }
    }

    /// Starts the own TURN server, if there is to be one, until `stop`.
    ///
    /// # Errors
    /// Its address can't be opened.
    pub async fn start(
        settings: IceSettings,
        clock: &Clock,
        ids: &Ids,
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        let made_up = || Secret::new(credentials::base64(&ids.bytes::<32>()));
        let secret = settings.secret.unwrap_or_else(made_up);
        let (mut turn, stun): (Vec<_>, Vec<_>) =
            settings.others.into_iter().partition(|url| url.starts_with("turn:") || url.starts_with("turns:"));
        if let Some(address) = settings.turn {
            let own = relay::start(address, secret.clone(), clock.clone(), stop).await?;
            turn.insert(0, format!("turn:{own}?transport=udp"));
            tracing::info!(%own, "Calls between networks are relayed here.");
        }
        Ok(Self { stun, turn, secret })
    }

    /// The servers and credentials for a person, at a time.
    pub fn servers_for(&self, person: PersonId, at: Timestamp) -> IceServers {
        let expires_at = at.saturating_add(GOOD_FOR).unwrap_or(Timestamp::MAX);
        let mut ice_servers = Vec::new();
        if !self.turn.is_empty() {
            let username = credentials::username(person, expires_at);
            let credential = credentials::credential(&self.secret, &username);
            ice_servers.push(IceServer {
                urls: self.turn.clone(),
                username: Some(username),
                credential: Some(credential),
            });
        }
        if !self.stun.is_empty() {
            ice_servers.push(IceServer { urls: self.stun.clone(), username: None, credential: None });
        }
        IceServers { ice_servers, expires_at }
    }
}
