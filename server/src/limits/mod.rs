//! What strangers and floods may cost, so that a known button always gets through: connections by state and by address,
//! file descriptors, bytes that wait, wrong passwords, and lines in the log.
//!
//! Knows addresses and times, and nothing of MQTT, HTTP or sites. Time comes in from whoever asks.

mod bytes;
mod connections;
mod descriptors;
mod guesses;
mod seldom;

pub use bytes::{Budget, Held};
pub use connections::{Caller, Connections, Full, MostConnections, Origin, Slot, Standing};
pub use descriptors::{Doors, raise_descriptors};
pub use guesses::Guesses;
pub use seldom::Seldom;
