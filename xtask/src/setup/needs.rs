//! The list of what is needed, for what, and how to see that it is there.

use crate::{postgres, run::find};

/// What the machine is to be used for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To run the server with the demo site.
    Demo,
    /// To run the tests and benchmarks; includes the demo.
    Test,
}

/// One thing that must be installed, and its package in each package manager.
pub(crate) struct Need {
    pub(crate) name: &'static str,
    pub(crate) why: &'static str,
    pub(crate) apt: &'static [&'static str],
    pub(crate) dnf: &'static [&'static str],
    pub(crate) brew: &'static [&'static str],
    is_there: fn() -> bool,
    only_for_tests: bool,
}

const NEEDS: &[Need] = &[
    Need {
        name: "a C compiler",
        why: "Rust links with it, and the TLS library has some C",
        apt: &["gcc", "libc6-dev"],
        dnf: &["gcc"],
        brew: &["gcc"],
        is_there: || find("cc").is_some(),
        only_for_tests: false,
    },
    Need {
        name: "PostgreSQL",
        why: "the server keeps everything in a private cluster that it starts by itself",
        apt: &["postgresql"],
        dnf: &["postgresql-server", "postgresql", "postgresql-contrib"],
        brew: &["postgresql@17"],
        is_there: || postgres::find_programs().is_some(),
        only_for_tests: false,
    },
    Need {
        name: "Mosquitto and its clients",
        why: "the tests press buttons with an MQTT client that is not ours, and run against a broker that is not ours",
        apt: &["mosquitto", "mosquitto-clients"],
        dnf: &["mosquitto"],
        brew: &["mosquitto"],
        is_there: || ["mosquitto", "mosquitto_pub", "mosquitto_sub"].iter().all(|name| find(name).is_some()),
        only_for_tests: true,
    },
];

/// What `purpose` needs and this machine does not have.
pub(crate) fn missing(purpose: Purpose) -> Vec<&'static Need> {
    NEEDS
        .iter()
        .filter(|need| purpose == Purpose::Test || !need.only_for_tests)
        .filter(|need| !(need.is_there)())
        .collect()
}
