//! The server's own TURN server (RFC 8656) over UDP: relays calls between networks that can't reach each other.
//!
//! `calls.own_turn` starts it in this process. Who may use it, and until when, is said by the credentials that
//! [`Ice`] makes; what the relay does for them is bounded in `guard`, and strangers are
//! answered in `challenge`. The room neither reads nor writes the database.

mod challenge;
mod guard;
mod relay;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::config::Secret;
use crate::house::House;
use crate::ice::Ice;

/// Starts it at an address, if there is one, until the house stops; it is then the first of the TURN servers that devices
/// are told of. Without a secret that is shared with others one is made up.
///
/// # Errors
/// The address can't be opened.
pub async fn start(own: Option<SocketAddr>, mut ice: Ice, house: &House) -> anyhow::Result<Ice> {
    if let Some(address) = own {
        let made_up = || Secret::new(STANDARD.encode(house.ids.bytes::<32>()));
        let secret = ice.secret.get_or_insert_with(made_up).clone();
        let own = relay::start(address, secret, house.clock.clone(), house.stop.clone()).await?;
        ice.turn.insert(0, format!("turn:{own}?transport=udp"));
        tracing::info!(%own, "Calls between networks are relayed here.");
    }
    Ok(ice)
}
