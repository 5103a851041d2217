//! Stories of a device: the real controller against the real server, over a network link that can be cut.
//!
//! The cast is the server's: Sam and Siri are stewardesses, Dana dispatches, Alex administers, Gus presses the button.
//! Each device has a store, a vault and a shell of its own, and its own link to the ship.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "the props are tests too, and the cast live at the edge"
)]

#[expect(dead_code, reason = "the server's cast can do more than these stories need")]
#[path = "../../../server/tests/stories/cast.rs"]
mod cast;
#[path = "../../../server/tests/stories/database.rs"]
mod database;
#[cfg(target_os = "linux")]
#[path = "../../voice/session/support/machines.rs"]
mod machines;
#[path = "../../../server/tests/props/mod.rs"]
mod props;
#[expect(dead_code, reason = "the server's ship can do more than these stories need")]
#[path = "../../../server/tests/stories/ship.rs"]
mod ship;

mod device;
mod disk;
mod phone;
mod proxy;
mod recorder;
mod wire;

mod away;
mod calls;
mod cut_anywhere;
mod encrypted;
mod full_disk;
mod garbled;
mod long_page;
#[cfg(target_os = "linux")]
mod networks;
mod proxies;
mod ring;
mod settings;
mod signed_out;
mod strangers;
mod unreadable;
