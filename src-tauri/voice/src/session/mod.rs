//! The network side of a call: how packets reach the other device, whatever lies between.
//!
//! A [`Peer`] is one call's way to the other device. It holds a [`MediaSession`], which carries packets over UDP
//! (ICE, DTLS, SRTP); where that doesn't get through, packets go as frames over the live socket ([`relay`]). Who offers,
//! when ICE is restarted and which way packets go is decided in [`negotiation`], which is pure. The room knows nothing of
//! microphones: it is given packets, and gives packets. Nothing of the WebRTC library is seen outside
//! `webrtc_session/`.
//!
//! ```text
//!  audio ── Packet ──► Peer ──► MediaSession ── UDP ──► the other device
//!                       │ └──► relay frame ─── live socket, server ──►
//!  live socket ◄ Signal ┘
//! ```

pub mod addresses;
mod candidates;
mod error;
pub mod negotiation;
mod options;
mod peer;
pub mod relay;
mod stats;
pub mod weather;
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

/// Where received packets go: called on a network task for each, so it must neither block nor take long.
pub type PacketSink = Arc<dyn Fn(Packet) + Send + Sync>;

/// What a session says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An own address to try, for the other side.
    Candidate(Candidate),
    /// Packets get through now.
    Connected,
    /// Nothing has been heard of the other side for two seconds; it may come back by itself.
    Disconnected,
    /// ICE has given up; only a restart can help.
    Failed,
}

/// A way for packets to the other device, set up by an exchange of descriptions (RFC 9429) and candidates (RFC 8838).
///
/// The caller's session makes all offers. Whatever the other side sends may be malformed: it is refused with a
/// [`SessionError`], and the session stays as it was.
#[async_trait]
pub trait MediaSession: Send + Sync {
    /// Describes this side, and begins to gather candidates.
    async fn offer(&self) -> Result<String, SessionError>;

    /// Takes the other side's offer and describes this side in answer. An offer that restarts ICE is taken the same way.
    async fn accept_offer(&self, sdp: &str) -> Result<String, SessionError>;

    /// Takes the answer to the last offer.
    async fn accept_answer(&self, sdp: &str) -> Result<(), SessionError>;

    /// Takes one of the other side's candidates; kept until the description that it belongs to is there.
    async fn add_candidate(&self, candidate: Candidate) -> Result<(), SessionError>;

    /// An offer that restarts ICE (RFC 8445, 9) on the addresses that there are now.
    async fn restart(&self) -> Result<String, SessionError>;

    /// Sends a packet, if connected. Never blocks; what the network can't take is dropped, as late audio is of no use.
    fn send(&self, packet: Packet);

    /// How the connection does.
    async fn stats(&self) -> Stats;

    /// Ends it. Packets sent after it are dropped. May be called twice.
    async fn close(&self);
}
