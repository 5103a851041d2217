//! Conversion of the WebRTC library's callbacks to events.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Weak};

use async_trait::async_trait;
use tokio::sync::mpsc;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionEventHandler, RTCIceCandidate, RTCPeerConnectionIceEvent, RTCPeerConnectionState,
};
use webrtc::rtp_transceiver::RtpSender;

use crate::packet::Packet;
use crate::session::candidates::{Candidate, ice_ufrag};
use crate::session::{Event, PacketSink};

/// A callback's data. A task of this crate forwards it, because the library's own task waits for its callbacks.
pub(super) enum Said {
    Candidate(Box<RTCIceCandidate>),
    State(RTCPeerConnectionState),
}

/// The library's callbacks.
pub(super) struct Handler {
    said: mpsc::UnboundedSender<Said>,
    packets: PacketSink,
}

impl Handler {
    pub(super) fn new(said: mpsc::UnboundedSender<Said>, packets: PacketSink) -> Self {
        Self { said, packets }
    }
}

#[async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        let _ = self.said.send(Said::Candidate(Box::new(event.candidate)));
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        let _ = self.said.send(Said::State(state));
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let packets = Arc::clone(&self.packets);
        tokio::spawn(async move {
            while let Some(event) = track.poll().await {
                // Packets of padding alone carry no audio.
                if let TrackRemoteEvent::OnRtpPacket(packet) = event
                    && !packet.payload.is_empty()
                {
                    packets(Packet {
                        sequence: packet.header.sequence_number,
                        timestamp: packet.header.timestamp,
                        payload: packet.payload,
                    });
                }
            }
        });
    }
}

/// The task that forwards the callbacks' data.
pub(super) struct Telling {
    /// Weak, so that this task doesn't keep the connection alive.
    pub(super) connection: Weak<dyn PeerConnection>,
    pub(super) sender: Arc<dyn RtpSender>,
    pub(super) payload_type: Arc<AtomicU8>,
}

impl Telling {
    /// Runs until the connection is gone, or the receiver is dropped.
    pub(super) async fn run(self, mut said: mpsc::UnboundedReceiver<Said>, events: mpsc::UnboundedSender<Event>) {
        while let Some(said) = said.recv().await {
            let event = match said {
                Said::Candidate(candidate) => self.candidate(&candidate).await,
                Said::State(RTCPeerConnectionState::Connected) => {
                    self.learn_payload_type().await;
                    Some(Event::Connected)
                }
                Said::State(RTCPeerConnectionState::Disconnected) => Some(Event::Disconnected),
                Said::State(RTCPeerConnectionState::Failed) => Some(Event::Failed),
                Said::State(RTCPeerConnectionState::Closed) => break,
                Said::State(_) => None,
            };
            if let Some(event) = event
                && events.send(event).is_err()
            {
                break;
            }
        }
    }

    async fn candidate(&self, candidate: &RTCIceCandidate) -> Option<Event> {
        let line = candidate.to_json().ok()?.candidate;
        let ours = self.connection.upgrade()?.local_description().await;
        let username_fragment = ours.and_then(|ours| ice_ufrag(&ours.sdp));
        // An audio call has one media section.
        Some(Event::Candidate(Candidate {
            candidate: line,
            sdp_mid: Some("0".to_owned()),
            sdp_mline_index: Some(0),
            username_fragment,
        }))
    }

    /// Stores the negotiated payload type of Opus; an answer may differ from the offer.
    async fn learn_payload_type(&self) {
        let Ok(parameters) = self.sender.get_parameters().await else {
            tracing::debug!("A session ended while it connected.");
            return;
        };
        if let Some(codec) = parameters.rtp_parameters.codecs.first() {
            self.payload_type.store(codec.payload_type, Ordering::Relaxed);
        } else {
            tracing::warn!("The other side takes no Opus: it will not hear us.");
        }
    }
}
