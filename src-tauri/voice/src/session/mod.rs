//! The network side of a call: the transport of packets to the other device.
//!
//! A [`Peer`] is one call's connection to the other device. It holds a [`MediaSession`], which carries packets over UDP
//! (ICE, DTLS, SRTP); if UDP is blocked, packets go as frames over the live socket ([`relay`]). The [`negotiation`],
//! which is pure, decides who offers, when ICE restarts and which path packets take. The module only passes packets,
//! and has no audio code. The WebRTC library is used only within `webrtc_session/`.
//!
//! ```text
//!  audio ── Packet ──► Peer ──► MediaSession ── UDP ──► the other device
//!                       │ └──► relay frame ─── live socket, server ──►
//!  live socket ◄ Signal ┘
//! ```

pub mod addresses;
mod candidates;
mod error;
pub mod impairment;
pub mod negotiation;
mod options;
mod peer;
pub mod relay;
mod stats;
mod webrtc_session;

pub use addresses::Addresses;
pub use candidates::Candidate;
pub use error::SessionError;
pub use options::{IceServer, Options};
pub use peer::{FrameSink, Output, Peer, PeerOptions};
pub use stats::{Kind, Reported, Stats};
pub use webrtc_session::WebRtcSession;

use std::sync::Arc;

use async_trait::async_trait;

use crate::packet::Packet;

/// The callback for received packets. It is called on a network task, so it must neither block nor take long.
pub type PacketSink = Arc<dyn Fn(Packet) + Send + Sync>;

/// An event of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An own candidate, for the other side.
    Candidate(Candidate),
    /// The session is connected.
    Connected,
    /// Nothing was received from the other side for two seconds; it may recover by itself.
    Disconnected,
    /// ICE has failed; only a restart can help.
    Failed,
}

/// A media transport to the other device, set up by an exchange of descriptions (RFC 9429) and candidates (RFC 8838).
///
/// The caller's session makes all offers. Input from the other side may be malformed: it is refused with a
/// [`SessionError`], and the session's state stays unchanged.
#[async_trait]
pub trait MediaSession: Send + Sync {
    /// Makes an offer, and begins to gather candidates.
    async fn offer(&self) -> Result<String, SessionError>;

    /// Accepts the other side's offer and makes the answer. An offer that restarts ICE is accepted the same way.
    async fn accept_offer(&self, sdp: &str) -> Result<String, SessionError>;

    /// Accepts the answer to the last offer.
    async fn accept_answer(&self, sdp: &str) -> Result<(), SessionError>;

    /// Adds a candidate of the other side; queued until its description arrives.
    async fn add_candidate(&self, candidate: Candidate) -> Result<(), SessionError>;

    /// Makes an offer that restarts ICE (RFC 8445, 9) on the present addresses.
    async fn restart(&self) -> Result<String, SessionError>;

    /// Sends a packet, if connected. Never blocks; packets in excess are dropped, since late audio is useless.
    fn send(&self, packet: Packet);

    /// The connection's statistics.
    async fn stats(&self) -> Stats;

    /// Closes the session. Packets sent after that are dropped. Idempotent.
    async fn close(&self);
}
