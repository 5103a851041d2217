//! Live updates: web sockets and event streams that push what the log holds. No SQL, no rules.
//!
//! A connection is a cursor: it reads the log after it, filters it by audience and sends the result. Nothing is
//! buffered for a slow reader, because the log has it. Presence, alert receipts and call signalling are kept in memory
//! only, for the connections of this process, and are sent as their current state.

mod call_signalling;
mod connection;
mod frame;
mod frames;
mod live_updates;
mod presence;
mod receipts;
mod seen;
mod sse;
mod switchboard;

pub use connection::{SILENCE, serve};
pub use frame::{LARGEST_FRAME, Next, Stream, refusal_from_read_error};
pub use frames::{frames, said};
pub use presence::{Presence, Sighting};
pub use receipts::Receipts;
pub use sse::events;
pub use switchboard::{LARGEST_SIGNAL, Switchboard};
