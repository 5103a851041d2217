//! The offline core of the crew's app: sync engine, local store, networking and controller. Independent of Tauri and of
//! any UI.
//!
//! | module | purpose |
//! |---|---|
//! | [`engine`] | the pure state machine: interprets commands, frames, responses and timers; builds for WebAssembly |
//! | [`store`] | the local data model and its persistence: SQLite, or in memory |
//! | [`alerts`] | decides which alerts ring, from the state that is shown |
//! | [`screen`] | the messages between the core and the UI |
//! | `net` | WebSocket and HTTP client: executes the engine's network outputs and reports the results |
//! | `controller` | the event loop: handles one input at a time, writes to the store first, then performs the outputs |
//! | `shell` | traits for the device that the controller runs on: windows, sounds, notifications, keyring |
//!
//! Dependencies: `ui` → `screen`; the shell → `controller` → `engine` → the rules in `crewbell_shared`, which the
//! server applies too. `engine` performs no I/O and reads no clock.
#![warn(missing_docs)]

pub mod alerts;
#[cfg(feature = "native")]
pub mod controller;
pub mod engine;
#[cfg(feature = "native")]
pub mod net;
pub mod screen;
#[cfg(feature = "native")]
pub mod shell;
pub mod store;
