//! The server's own MQTT endpoint (3.1.1 and 5, TLS by option), which exists for one reason: PUBACK follows our
//! commit. It moves bytes and keeps the protocol; whatever there is to decide, it asks of [`Intake`].
//!
//! May touch: sockets, time, the protocol crate. May not: the database, rules, what a topic or payload means.
//!
//! - **Order.** Messages are taken in the order of arrival, up to [`Limits::in_flight`] side by side, and
//!   acknowledged in that order [MQTT-4.6.0-2]. A message that can't be taken ends the connection without PUBACK,
//!   and nothing behind it is acknowledged either.
//! - **No sessions.** Session Present is always 0 and MQTT 5 is answered Session Expiry Interval 0. Of the three
//!   things that a session holds, subscriptions are made again by a client that is told so, lamps are shown from
//!   their current state when it subscribes, and an unacknowledged press is the *client's* to keep: libmosquitto
//!   resends it after a reconnect (tested), as clients of 3.1.1 do. A client that follows [MQTT-3.2.2-5] of MQTT 5 to
//!   the letter (rumqttc) forgets it together with its session: it has to publish again by itself, knowing from the
//!   missing PUBACK that nobody heard.
//! - **`QoS`.** 0 and 1; 2 in 3.1.1 (PUBREC after the commit; a resend within the connection isn't taken again), while
//!   MQTT 5 is told Maximum `QoS` 1. Lamps go out at 0.
//! - **Limits.** Packet size, requests in flight, backlog, output, subscriptions are bounded, connections by
//!   [`Connections`](crate::limits::Connections), bytes that wait also over all connections. Who says more than a device
//!   can have to say is held back by TCP, and told of. Passwords are the intake's business.
//! - **Retained messages** are handed over with their flag and never kept.
//! - **Half-open sockets** end by the keep-alive (1.5 times, [MQTT-3.1.2-22]); a client of MQTT 5 that wants none is
//!   told [`Limits::idle`], one of 3.1.1 is watched by TCP's own keep-alive, as are all.
//!
//! To follow a message: `accept` (sockets) → `connect` (CONNECT to CONNACK) → `session` (the loop) → `wire` (packets)
//! → `work` (`Intake::take`) → `wire` (PUBACK).

mod accept;
mod connect;
mod frames;
mod intake;
mod lamps;
mod pace;
mod roster;
mod session;
pub mod tls;
mod topics;
mod wire;
mod work;

#[cfg(test)]
mod tests;

pub use self::{
    accept::{Limits, Listener, ListenerSettings},
    intake::{Gone, Intake, Login, NotLetIn, Outgoing, Taken, Trouble, Why},
    lamps::Lamps,
};
