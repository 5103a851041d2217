//! File descriptors: their limit, and how many each listener may use.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::{Connections, MostConnections};

/// Upper bound of the raised limit: beyond it, the other costs of a connection are the bottleneck.
const ENOUGH: u64 = 65_536;

/// Descriptors reserved for other uses than client connections: the database, files, the runtime.
const OTHERS: usize = 256;

/// Raises the soft limit of file descriptors as far as the system allows, and returns it.
pub fn raise_descriptors() -> usize {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap_or((1024, 1024));
    let wanted = hard.min(ENOUGH);
    let may = if soft < wanted && setrlimit(Resource::RLIMIT_NOFILE, wanted, hard).is_ok() { wanted } else { soft };
    usize::try_from(may).unwrap_or(usize::MAX)
}

/// The connection limits of both listeners.
#[derive(Clone, Debug)]
pub struct ConnectionTables {
    /// The MQTT listener's, for buttons.
    pub mqtt: Connections,
    /// The HTTP listener's, for people and programs.
    pub http: Connections,
}

impl ConnectionTables {
    /// Derives the limits from the number of file descriptors, up to what a site can need.
    pub fn new(descriptors: usize) -> Self {
        let (mqtt, http) = shares(descriptors);
        Self { mqtt: Connections::new("mqtt", mqtt), http: Connections::new("http", http) }
    }

    /// Logs the connection limits; as a warning if the system allows fewer than a site could need.
    pub fn tell(&self, descriptors: usize) {
        let (buttons, screens) = (self.mqtt.most().signed_in, self.http.most().signed_in);
        if descriptors < 8192 {
            tracing::warn!(
                descriptors,
                buttons,
                screens,
                "The system allows {descriptors} open files: {buttons} buttons and {screens} screens can be connected. \
                 For more raise the limit, as with LimitNOFILE=65536 in a systemd unit, or ulimit -n."
            );
        } else {
            tracing::info!(
                descriptors,
                buttons,
                screens,
                "Open files are enough for {buttons} buttons and {screens} screens."
            );
        }
    }
}

/// Splits the descriptors among the listeners and states.
fn shares(descriptors: usize) -> (MostConnections, MostConnections) {
    let free = descriptors.saturating_sub(OTHERS).max(64);
    // Of eight parts, MQTT gets four signed in and one unauthenticated, HTTP two and one.
    let part = free / 8;
    let signed_in = (part * 4).min(4096);
    let unauthenticated = part.min(512);
    let mqtt = MostConnections {
        unauthenticated,
        unauthenticated_per_address: unauthenticated / 2,
        signed_in,
        shared: signed_in / 4 * 3,
        shared_per_address: signed_in / 4,
    };
    // Behind a reverse proxy all clients have one address, so one address may use the whole unauthenticated limit.
    let http = MostConnections {
        unauthenticated,
        unauthenticated_per_address: unauthenticated,
        signed_in: (part * 2).min(2048),
        shared: 0,
        shared_per_address: 0,
    };
    (mqtt, http)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_connected_fits_into_the_descriptors() {
        for descriptors in [1024, 4096, 8192, 65_536, 1_048_576] {
            let (mqtt, http) = shares(descriptors);
            let all = mqtt.signed_in + mqtt.unauthenticated + http.signed_in + http.unauthenticated + OTHERS;
            assert!(all <= descriptors, "{descriptors}: {all}");
            assert!(mqtt.shared < mqtt.signed_in && mqtt.unauthenticated_per_address > 0);
        }
        assert_eq!(shares(8192).0.signed_in, 3968);
        assert_eq!((shares(65_536).0.signed_in, shares(65_536).1.signed_in), (4096, 2048));
    }

    #[test]
    fn the_limit_is_raised_as_far_as_it_goes() {
        let may = raise_descriptors();
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        assert!(soft >= hard.min(ENOUGH));
        assert_eq!(u64::try_from(may).unwrap(), soft);
    }
}
