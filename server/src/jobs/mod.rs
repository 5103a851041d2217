//! Timers and background jobs. They read, and execute actions; only the clean-up deletes rows directly, those that no
//! rule decides about, so that a press never waits for it.
//!
//! Jobs that decide by age take the time from `age.rs`.

mod age;
mod age_sessions;
mod archive;
mod calls;
mod clean_up;
mod clock_guard;
mod end_calls;
mod following;
mod last_seen;
mod receipts;
mod settle_buttons;

pub use age_sessions::{age_sessions, run as keep_ageing_sessions};
pub use archive::{archive, run as keep_archiving};
pub use calls::run as keep_calls;
pub use clean_up::{FIRST_AFTER as CLEAN_UP_AFTER, clean_up, run as keep_clean};
pub use clock_guard::ClockGuard;
pub use end_calls::run as end_calls;
pub use last_seen::run as keep_last_seen;
pub use receipts::run as keep_receipts;
pub use settle_buttons::{run as keep_settling_buttons, settle_buttons};
