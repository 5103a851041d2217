//! Live: sockets and event streams that hurry what the log already holds. No SQL, no rules.
//!
//! A connection is a cursor: it reads the log after it, filtered by audience, and sends what it finds. What a slow
//! reader hasn't taken yet is therefore not buffered for it; it is in the log. Who is there and which devices sounded an
//! alert, where the ends of calls are and what they say to each other is known here only, of the sockets of this process, and told as it is at the moment.

mod allowance;
mod connection;
mod frame;
mod frames;
mod notices;
mod phone;
mod presence;
mod receipts;
mod seen;
mod sse;
mod switchboard;

pub use connection::{SILENCE, serve};
pub use frame::{LARGEST_FRAME, Next, Stream, refusal_of};
pub use frames::{frames, said};
pub use presence::{Presence, Sighting};
pub use receipts::Receipts;
pub use sse::events;
pub use switchboard::{LARGEST_SIGNAL, Switchboard};
