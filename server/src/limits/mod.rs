//! Resource limits for strangers and floods, so that a known button always gets through: connections by state and
//! origin, file descriptors, buffered bytes, password attempts, and log lines.
//!
//! The module knows addresses and times, and nothing of MQTT, HTTP or sites. Callers pass the time in.

mod bytes;
mod connections;
mod descriptors;
mod guesses;
mod seldom;

pub use bytes::{Budget, Held};
pub use connections::{Caller, Connections, Full, MostConnections, Origin, Slot, Standing};
pub use descriptors::{ConnectionTables, raise_descriptors};
pub use guesses::Guesses;
pub use seldom::Seldom;
