//! Timers and background work. They read, and call actions.

mod age_sessions;
mod archive;
mod calls;
mod end_calls;
mod following;
mod last_seen;
mod receipts;

pub use age_sessions::{age_sessions, run as keep_ageing_sessions};
pub use archive::{archive, run as keep_archiving};
pub use calls::run as keep_calls;
pub use end_calls::run as end_calls;
pub use last_seen::run as keep_last_seen;
pub use receipts::run as keep_receipts;
