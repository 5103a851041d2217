//! The [`MediaSession`] implementation with the `webrtc` crate, whose use is confined to this module.
//!
//! It has one audio track in each direction, with Opus alone. Received packets go directly from the library's task to
//! the [`PacketSink`]; sent ones go through a short queue, because their producer must not block.

mod build;
mod handler;
mod report;
mod reports;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use async_trait::async_trait;
use rtc::peer_connection::configuration::RTCOfferOptions;
use rtc::rtp;
use tokio::sync::{Mutex, mpsc};
use webrtc::error::Error;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::peer_connection::{PeerConnection, RTCIceCandidateInit, RTCSessionDescription};
use webrtc::rtp_transceiver::RtpSender;

use super::candidates::{Candidate, Kept};
use super::{Event, MediaSession, Options, PacketSink, SessionError, Stats};
use crate::packet::Packet;

/// The maximum length of a description or candidate, in bytes: the live socket's limit for a signal.
const LONGEST: usize = 16 * 1024;

/// The queue's capacity in packets: half a second. It is empty unless the machine is overloaded.
const QUEUE: usize = 25;

/// The payload type before negotiation; 0 would be PCMU, which is never offered.
const NO_PAYLOAD_TYPE: u8 = 0;

/// A session over UDP.
pub struct WebRtcSession {
    connection: Arc<dyn PeerConnection>,
    sender: Arc<dyn RtpSender>,
    queue: mpsc::Sender<Packet>,
    reports: reports::Reports,
    /// The candidate queue, locked during each step of negotiation, so that steps don't overlap.
    negotiation: Mutex<Kept>,
}

impl std::fmt::Debug for WebRtcSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebRtcSession").finish_non_exhaustive()
    }
}

impl WebRtcSession {
    /// Opens the sockets; nothing is sent before an offer and an answer.
    ///
    /// Needs a Tokio runtime. Events are sent until the session is closed.
    ///
    /// # Errors
    /// Returns [`SessionError::Open`] if no socket can be opened or a server's URL is invalid.
    pub async fn open(
        options: Options,
        packets: PacketSink,
        events: mpsc::UnboundedSender<Event>,
    ) -> Result<Self, SessionError> {
        let open = |error: Error| SessionError::Open(error.to_string());
        let ssrc: u32 = rand::random();
        let (said, heard) = mpsc::unbounded_channel();
        let reports = reports::Reports::default();
        let handler = handler::Handler::new(said, packets);
        let connection = Box::pin(build::connection(options, handler, &reports)).await.map_err(open)?;
        let track = Arc::new(TrackLocalStaticRTP::new(build::track(ssrc)));
        let sender = connection.add_track(Arc::clone(&track) as Arc<dyn TrackLocal>).await.map_err(open)?;

        let payload_type = Arc::new(AtomicU8::new(NO_PAYLOAD_TYPE));
        let (queue, queued) = mpsc::channel(QUEUE);
        tokio::spawn(write(track, queued, ssrc, Arc::clone(&payload_type)));
        let told =
            handler::Telling { connection: Arc::downgrade(&connection), sender: Arc::clone(&sender), payload_type };
        tokio::spawn(told.run(heard, events));
        Ok(Self { connection, sender, queue, reports, negotiation: Mutex::new(Kept::default()) })
    }

    async fn offer_with(&self, options: Option<RTCOfferOptions>) -> Result<String, SessionError> {
        let _turn = self.negotiation.lock().await;
        let offer = self.connection.create_offer(options).await.map_err(out_of_turn)?;
        let sdp = offer.sdp.clone();
        self.connection.set_local_description(offer).await.map_err(out_of_turn)?;
        Ok(sdp)
    }

    /// Sets the other side's description, then adds the candidates that were queued for it.
    async fn describe(&self, kept: &mut Kept, theirs: RTCSessionDescription) -> Result<(), SessionError> {
        let sdp = theirs.sdp.clone();
        self.connection.set_remote_description(theirs).await.map_err(description)?;
        for candidate in kept.described(&sdp) {
            if let Err(error) = self.add(candidate).await {
                tracing::debug!(%error, "A candidate that came before its description is left out.");
            }
        }
        Ok(())
    }

    async fn add(&self, candidate: Candidate) -> Result<(), SessionError> {
        let candidate = RTCIceCandidateInit {
            candidate: candidate.candidate,
            sdp_mid: candidate.sdp_mid,
            sdp_mline_index: candidate.sdp_mline_index,
            username_fragment: candidate.username_fragment,
            url: None,
        };
        self.connection.add_ice_candidate(candidate).await.map_err(|error| {
            if error == Error::ErrConnectionClosed {
                SessionError::Closed
            } else {
                SessionError::Candidate(error.to_string())
            }
        })
    }
}

#[async_trait]
impl MediaSession for WebRtcSession {
    async fn offer(&self) -> Result<String, SessionError> {
        self.offer_with(None).await
    }

    async fn accept_offer(&self, sdp: &str) -> Result<String, SessionError> {
        let offer = RTCSessionDescription::offer(readable(sdp)?).map_err(description)?;
        let mut kept = self.negotiation.lock().await;
        self.describe(&mut kept, offer).await?;
        let answer = self.connection.create_answer(None).await.map_err(description)?;
        let sdp = answer.sdp.clone();
        if super::candidates::ice_ufrag(&sdp).is_none() {
            return Err(SessionError::Description("it offers no audio that could be taken".to_owned()));
        }
        self.connection.set_local_description(answer).await.map_err(description)?;
        Ok(sdp)
    }

    async fn accept_answer(&self, sdp: &str) -> Result<(), SessionError> {
        let answer = RTCSessionDescription::answer(readable(sdp)?).map_err(description)?;
        let mut kept = self.negotiation.lock().await;
        self.describe(&mut kept, answer).await
    }

    async fn add_candidate(&self, candidate: Candidate) -> Result<(), SessionError> {
        if candidate.candidate.len() > LONGEST {
            return Err(SessionError::Candidate("it is too long".to_owned()));
        }
        let mut kept = self.negotiation.lock().await;
        match kept.add(candidate) {
            Some(candidate) => self.add(candidate).await,
            None => Ok(()),
        }
    }

    async fn restart(&self) -> Result<String, SessionError> {
        self.offer_with(Some(RTCOfferOptions { ice_restart: true })).await
    }

    fn send(&self, packet: Packet) {
        // The queue is full or closed; late audio is useless.
        let _ = self.queue.try_send(packet);
    }

    async fn stats(&self) -> Stats {
        report::stats(self.connection.as_ref(), &self.sender, self.reports.last()).await
    }

    async fn close(&self) {
        if let Err(error) = self.connection.close().await {
            tracing::debug!(%error, "A session did not close cleanly.");
        }
    }
}

/// Closes the session.
impl Drop for WebRtcSession {
    fn drop(&mut self) {
        let connection = Arc::clone(&self.connection);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { connection.close().await });
        }
    }
}

/// Sends queued packets, once the payload type is known.
async fn write(
    track: Arc<TrackLocalStaticRTP>,
    mut queued: mpsc::Receiver<Packet>,
    ssrc: u32,
    payload_type: Arc<AtomicU8>,
) {
    while let Some(packet) = queued.recv().await {
        let payload_type = payload_type.load(Ordering::Relaxed);
        if payload_type == NO_PAYLOAD_TYPE {
            continue;
        }
        let header = rtp::header::Header {
            version: 2,
            payload_type,
            sequence_number: packet.sequence,
            timestamp: packet.timestamp,
            ssrc,
            ..rtp::header::Header::default()
        };
        if track.write_rtp(rtp::Packet { header, payload: packet.payload }).await.is_err() {
            // The library's task is gone, and so is the session.
            break;
        }
    }
}

fn readable(sdp: &str) -> Result<String, SessionError> {
    if sdp.len() > LONGEST {
        return Err(SessionError::Description("it is too long".to_owned()));
    }
    if super::candidates::ice_ufrag(sdp).is_none() {
        return Err(SessionError::Description("it has no ICE credentials".to_owned()));
    }
    if !sdp.lines().any(|line| line.starts_with("m=audio ")) {
        return Err(SessionError::Description("it has no audio".to_owned()));
    }
    Ok(sdp.to_owned())
}

fn description(error: Error) -> SessionError {
    let not_now =
        matches!(error, Error::ErrIncorrectSignalingState | Error::ErrSignalingStateProposedTransitionInvalid(_));
    if not_now || error == Error::ErrConnectionClosed {
        return out_of_turn(error);
    }
    SessionError::Description(error.to_string())
}

#[expect(clippy::needless_pass_by_value, reason = "it is for `map_err`")]
fn out_of_turn(error: Error) -> SessionError {
    if error == Error::ErrConnectionClosed {
        return SessionError::Closed;
    }
    SessionError::OutOfTurn(error.to_string())
}
