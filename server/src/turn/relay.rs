//! Start of the TURN server, and its authentication.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;
use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;
use turn::auth::{AuthHandler, generate_auth_key};
use turn::server::Server;
use turn::server::config::{ConnConfig, ServerConfig};

use super::guard::{FrontDoor, Relays};
use crate::clock::Clock;
use crate::config::Secret;
use crate::ice;

/// Realm of the credentials (RFC 8489, 9.2); devices learn it from the server.
const REALM: &str = "crewbell";

/// Serves at an address until `stop`. Returns the address, with the actual port if port 0 was given.
///
/// If the address isn't one of this machine's, as behind a router that forwards ports, it listens on all addresses.
pub(super) async fn start(
    address: SocketAddr,
    secret: Secret,
    clock: Clock,
    stop: CancellationToken,
) -> anyhow::Result<SocketAddr> {
    let everywhere: IpAddr =
        if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let (socket, opened_at) = match UdpSocket::bind(address).await {
        Err(error) if error.kind() == ErrorKind::AddrNotAvailable => {
            (UdpSocket::bind((everywhere, address.port())).await, everywhere)
        }
        bound => (bound, address.ip()),
    };
    let socket = socket.with_context(|| format!("The address {address} of the TURN server could not be opened."))?;
    let own = SocketAddr::new(address.ip(), socket.local_addr()?.port());
    let server = Server::new(ServerConfig {
        conn_configs: vec![ConnConfig {
            conn: Arc::new(FrontDoor::new(socket, REALM)),
            relay_addr_generator: Box::new(Relays::new(address.ip(), opened_at)),
        }],
        realm: REALM.to_owned(),
        auth_handler: Arc::new(TimeLimited { secret, clock }),
        channel_bind_timeout: Duration::ZERO,
        alloc_close_notify: None,
    })
    .await?;
    tokio::spawn(async move {
        stop.cancelled().await;
        if let Err(error) = server.close().await {
            tracing::debug!(%error, "The TURN server did not close cleanly.");
        }
    });
    Ok(own)
}

/// Accepts time-limited credentials that were made with the secret and haven't expired.
struct TimeLimited {
    secret: Secret,
    clock: Clock,
}

impl AuthHandler for TimeLimited {
    fn auth_handle(&self, username: &str, realm: &str, _: SocketAddr) -> Result<Vec<u8>, turn::Error> {
        let password = ice::password(self.secret.expose(), username).filter(|_| is_good(username, self.clock.now()));
        let password = password.ok_or_else(|| turn::Error::Other("the credentials have run out".to_owned()))?;
        Ok(generate_auth_key(username, realm, &password))
    }
}

/// Returns whether a username, which begins with its expiry as a Unix time in seconds, is still valid.
fn is_good(username: &str, now: Timestamp) -> bool {
    let ends = username.split_once(':').and_then(|(seconds, _)| seconds.parse::<i64>().ok());
    ends.is_some_and(|ends| ends > now.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_username_is_good_until_it_runs_out() {
        let now = Timestamp::from_second(1_000).unwrap();
        assert!(is_good("1001:somebody", now));
        for bad in ["1000:somebody", "999:somebody", "somebody", "", "x:y", "1001"] {
            assert!(!is_good(bad, now), "{bad}");
        }
    }
}
