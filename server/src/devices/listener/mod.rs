//! The server's own MQTT listener (3.1.1 and 5, optionally with TLS), which sends PUBACK only after the commit. It
//! implements the protocol, and delegates every decision to [`Intake`].
//!
//! May use: sockets, time, the protocol crate. May not use: the database, rules, the meaning of topics and payloads.
//!
//! - **Order.** Messages are taken in the order of arrival, up to [`Limits::in_flight`] concurrently, and
//!   acknowledged in that order [MQTT-4.6.0-2]. A message that can't be taken ends the connection without PUBACK,
//!   and no later message is acknowledged either.
//! - **No session state.** Session Present is always 0, and MQTT 5 clients are sent Session Expiry Interval 0. Session
//!   state would hold three things. A client renews its subscriptions when Session Present is 0. Lamps are sent in
//!   their current state when it subscribes. An unacknowledged press is stored by the *client*: libmosquitto resends it
//!   after a reconnect (tested), as clients of 3.1.1 do. An MQTT 5 client that follows [MQTT-3.2.2-5] strictly
//!   (rumqttc) discards it together with its session, and has to publish it again, since it received no PUBACK.
//! - **`QoS`.** 0 and 1; also 2 in 3.1.1 (PUBREC after the commit; a resend within the connection isn't taken again),
//!   while MQTT 5 clients are sent Maximum `QoS` 1. Lamp messages are sent at 0.
//! - **Limits.** Packet size, requests in flight, backlog, output and subscriptions are bounded, connections by
//!   [`Connections`](crate::limits::Connections), waiting bytes also over all connections. A client that exceeds its
//!   message rate is slowed down by TCP flow control, and reported. Limiting password attempts is up to the intake.
//! - **Retained messages** are passed on with their flag and never stored.
//! - **Half-open sockets** are closed after 1.5 times the keep-alive [MQTT-3.1.2-22]. An MQTT 5 client that requests
//!   none is sent [`Limits::idle`]; for one of 3.1.1 there is only TCP's keepalive, which all connections have.
//!
//! A message's path: `accept` (sockets) → `connect` (CONNECT to CONNACK) → `session` (the loop) → `wire` (packets)
//! → `work` (`Intake::take`) → `wire` (PUBACK).

mod accept;
mod acks;
mod connect;
mod connection_table;
mod frames;
mod in_flight;
mod intake;
mod pace;
mod session;
pub mod tls;
mod topics;
mod wire;

#[cfg(test)]
pub(crate) mod tests;

pub use self::{
    accept::{Limits, Listener, ListenerConfig},
    acks::Lamps,
    intake::{ClientIssue, Gone, Intake, Login, NotLetIn, Outgoing, Taken, Why},
};
