//! The built-in TURN server (RFC 8656) over UDP, which relays calls between networks that can't reach each other.
//!
//! `calls.own_turn` starts it in this process. The credentials that [`Ice`] makes say who may use it and until when.
//! `guard` limits what the relay does, and `challenge` answers unauthenticated requests. The module doesn't use the
//! database.

mod challenge;
mod guard;
mod relay;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::config::Secret;
use crate::ice::Ice;
use crate::site_registry::SiteRegistry;

/// Starts the TURN server at an address, if there is one, until the server stops. It becomes the first of the TURN
/// servers that devices are given. If no shared secret is configured, a random one is used.
///
/// # Errors
/// Returns an error if the address can't be opened.
pub async fn start(own: Option<SocketAddr>, mut ice: Ice, registry: &SiteRegistry) -> anyhow::Result<Ice> {
    if let Some(address) = own {
        let made_up = || Secret::new(STANDARD.encode(registry.ids.bytes::<32>()));
        let secret = ice.secret.get_or_insert_with(made_up).clone();
        let own = relay::start(address, secret, registry.clock.clone(), registry.stop.clone()).await?;
        ice.turn.insert(0, format!("turn:{own}?transport=udp"));
        tracing::info!(%own, "Calls between networks are relayed here.");
    }
    Ok(ice)
}
