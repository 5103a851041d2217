//! Timers and background work. They read, and call actions.

mod archive;

pub use archive::{archive, run as keep_archiving};
