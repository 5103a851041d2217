//! Timers and background work. They read, and call actions.

mod archive;
mod receipts;

pub use archive::{archive, run as keep_archiving};
pub use receipts::run as keep_receipts;
