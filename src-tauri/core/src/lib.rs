//! The offline core of the crew's app. No window in it, and no Tauri.
//!
//! | room | what it holds |
//! |---|---|
//! | [`engine`] | the state machine: what a command, a frame, an answer, a timer mean. Pure; builds for WebAssembly |
//! | [`store`] | what a device keeps, and keeping it: SQLite, or memory |
//! | [`alerts`] | what rings, decided from what is shown |
//! | [`screen`] | what the core and a screen say to each other |
//! | `net` | sockets and HTTP: does what the engine asks, and tells it what came |
//! | `controller` | the loop: one input at a time, store first, then the rest |
//! | `shell` | what the controller may do to a device: screens, sounds, notifications, the keyring |
//!
//! Arrows: `ui` → `screen`; the shell → `controller` → `engine` → `crewbell_shared`'s rules, which the server decides by
//! too. Nothing in `engine` knows of I/O or clocks.
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
