//! End-to-end tests of the app: real windows on virtual displays, controlled over `WebDriver`, with recorded sound,
//! against a real server with a real PostgreSQL and presses by a foreign MQTT client.
//!
//! The UI must have been built (`cargo xtask ui`), which `cargo xtask test` does. Screenshots go to `target/shots/`,
//! for a person to review.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "the props are tests too")]

mod call_pictures;
mod calls;
mod crew;
mod frame;
mod hearing;
mod joining;
mod keyboard;
mod notices;
mod outbox;
mod pages;
mod people;
mod settings;
mod ship;
mod site;
mod story;
mod talking;
mod teaching;
mod tray;
mod watch;
