//! Sessions of calls: two ends in one process, in one network and in several, over a relay, and with malformed input
//! from the other side.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "the props are tests too")]

mod support;

mod malformed;
#[cfg(target_os = "linux")]
mod networks;
mod peer;
mod turn;
mod two_ends;
