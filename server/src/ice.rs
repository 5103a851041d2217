//! STUN and TURN servers (RFC 8489, RFC 8656) for calls across networks, with time-limited credentials.
//!
//! The credentials follow "A REST API For Access To TURN Services" (draft-uberti-behave-turn-rest), which coturn and
//! others call `use-auth-secret`. The user name is the expiry time as seconds since 1970, and the person's id; the
//! password is an HMAC-SHA1 of that name with a secret shared with the TURN server.
//!
//! The built-in TURN server is one more address in `turn`, with the same secret.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crewbell_shared::ids::PersonId;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde::Serialize;
use sha1::Sha1;
use utoipa::ToSchema;

use crate::config::Secret;

/// Configuration of the STUN and TURN servers.
#[derive(Clone, Debug, Default)]
pub struct Ice {
    /// `stun:` addresses (RFC 7064), given to everybody.
    pub stun: Vec<String>,
    /// `turn:` and `turns:` addresses (RFC 7065), given with credentials.
    pub turn: Vec<String>,
    /// Secret shared with the TURN servers. Without a secret no TURN server is given out.
    pub secret: Option<Secret>,
    /// Lifetime of the credentials.
    pub ttl: Duration,
}

/// The ICE servers for a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct IceServers {
    /// The servers in WebRTC's form (W3C, `RTCIceServer`).
    pub ice_servers: Vec<IceServer>,
    /// When the credentials expire; empty without credentials. An established call keeps its connection.
    pub expires_at: Option<Timestamp>,
}

/// A STUN or TURN server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct IceServer {
    /// The server's addresses.
    pub urls: Vec<String>,
    /// User name, for TURN only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Password, for TURN only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

impl Ice {
    /// Returns the servers for a person, with credentials issued at `now`.
    pub fn servers_for(&self, person: PersonId, now: Timestamp) -> IceServers {
        let plain = IceServer { urls: self.stun.clone(), username: None, credential: None };
        let mut servers = IceServers { ice_servers: vec![plain], expires_at: None };
        servers.ice_servers.retain(|server| !server.urls.is_empty());
        if let Some(secret) = self.secret.as_ref().filter(|_| !self.turn.is_empty()) {
            // The user name holds whole seconds.
            let ends = now.as_second().saturating_add(i64::try_from(self.ttl.as_secs()).unwrap_or(i64::MAX));
            let username = format!("{ends}:{person}");
            let credential = password(secret.expose(), &username);
            let turn = IceServer { urls: self.turn.clone(), username: Some(username), credential };
            servers.ice_servers.push(turn);
            servers.expires_at = Timestamp::from_second(ends).ok();
        }
        servers
    }
}

/// Computes the password of a user name. `None` can't occur: HMAC takes a key of any length (RFC 2104, 2).
pub fn password(secret: &str, username: &str) -> Option<String> {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(username.as_bytes());
    Some(STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn the_password_is_hmac_sha1_as_in_rfc_2202() {
        let said = "what do ya want for nothing?";
        let digest = [
            0xef, 0xfc, 0xdf, 0x6a, 0xe5, 0xeb, 0x2f, 0xa2, 0xd2, 0x74, 0x16, 0xd5, 0xf1, 0x84, 0xdf, 0x9c, 0x25, 0x9a,
            0x7c, 0x79,
        ];
        assert_eq!(password("Jefe", said), Some(STANDARD.encode(digest)));
    }

    #[test]
    fn credentials_name_who_they_are_for_and_when_they_end() {
        let ice = Ice {
            stun: vec!["stun:10.0.0.1:3478".into()],
            turn: vec!["turn:10.0.0.1:3478?transport=udp".into()],
            secret: Some(Secret::new("north")),
            ttl: Duration::from_hours(1),
        };
        let person = PersonId(Uuid::from_u128(7));
        let servers = ice.servers_for(person, Timestamp::from_second(1_000).unwrap());
        assert_eq!(servers.expires_at, Timestamp::from_second(4_600).ok());
        let [stun, turn] = servers.ice_servers.as_slice() else { panic!("two servers") };
        assert_eq!((stun.urls.as_slice(), &stun.username), (ice.stun.as_slice(), &None));
        let name = format!("4600:{person}");
        assert_eq!(turn.credential, password("north", &name));
        assert_eq!(turn.username, Some(name));
    }

    #[test]
    fn without_servers_or_a_secret_nothing_is_given_away() {
        let nothing = IceServers { ice_servers: Vec::new(), expires_at: None };
        let ice = Ice { turn: vec!["turn:10.0.0.1".into()], ..Ice::default() };
        for ice in [Ice::default(), ice] {
            assert_eq!(ice.servers_for(PersonId(Uuid::nil()), Timestamp::UNIX_EPOCH), nothing);
        }
    }
}
