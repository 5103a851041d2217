//! The connection of a call to the other device: combines session, negotiation and live socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use bytes::Bytes;
use crewbell_shared::ids::{CallId, EndpointId};
use crewbell_shared::protocol::live::Signal;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::addresses::{Change, Watch};
use super::negotiation::{Input, MediaPath, Negotiation, Role, Step};
use super::{Addresses, Event, MediaSession, Options, PacketSink, Stats, WebRtcSession, relay};
use crate::packet::Packet;

/// The callback for frames to the socket. It is called for each packet, so it must neither block nor take long.
pub type FrameSink = Arc<dyn Fn(Bytes) + Send + Sync>;

/// The options of a peer connection.
#[derive(Clone, Debug)]
pub struct PeerOptions {
    /// The role, which decides whether this side makes the offers.
    pub role: Role,
    /// The call's id.
    pub call_id: CallId,
    /// The other device's endpoint.
    pub peer: EndpointId,
    /// The session's options.
    pub session: Options,
}

/// An output for the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send this signal to the other device, over the live socket.
    Say(Signal),
    /// The path of packets changed.
    Way(MediaPath),
    /// The other side hung up.
    HungUp,
}

/// The connection of a call to the other device. It is closed on drop.
pub struct Peer {
    call_id: CallId,
    inputs: mpsc::UnboundedSender<Input>,
    session: Option<Arc<dyn MediaSession>>,
    way: Arc<AtomicU8>,
    packets: PacketSink,
    frames: FrameSink,
}

impl std::fmt::Debug for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Peer").field("call_id", &self.call_id).field("way", &self.way()).finish_non_exhaustive()
    }
}

impl Peer {
    /// Opens a session and begins to connect. Needs a Tokio runtime.
    ///
    /// Without a UDP socket, the call uses the live socket alone.
    pub async fn open(
        options: PeerOptions,
        packets: PacketSink,
        frames: FrameSink,
        outputs: mpsc::UnboundedSender<Output>,
    ) -> Self {
        let (told, events) = mpsc::unbounded_channel();
        let addresses = options.session.addresses.clone();
        let session = match Box::pin(WebRtcSession::open(options.session, Arc::clone(&packets), told)).await {
            Ok(session) => Some(Arc::new(session) as Arc<dyn MediaSession>),
            Err(error) => {
                tracing::warn!(%error, "This call can't go by UDP.");
                None
            }
        };
        let (inputs, heard) = mpsc::unbounded_channel();
        let way = Arc::new(AtomicU8::new(MediaPath::Nowhere as u8));
        let negotiation = Negotiation::new(options.role, options.call_id, options.peer);
        let running =
            Running { negotiation, session: session.clone(), way: Arc::clone(&way), outputs, start: Instant::now() };
        tokio::spawn(running.run(heard, events, addresses));
        Self { call_id: options.call_id, inputs, session, way, packets, frames }
    }

    /// Handles a signal. Signals of another call or another device are ignored.
    pub fn hear(&self, call_id: CallId, from: EndpointId, signal: Signal) {
        self.tell(Input::Signal { call_id, from, signal });
    }

    /// Handles a binary message from the socket. Anything but a frame of this call is ignored.
    pub fn hear_frame(&self, message: &Bytes) {
        if let Some((call_id, packet)) = relay::decode(message)
            && call_id == self.call_id
        {
            (self.packets)(packet);
        }
    }

    /// Sends a packet by the present path; dropped if there is none. Never blocks.
    pub fn send(&self, packet: Packet) {
        match self.way() {
            MediaPath::Nowhere => {}
            MediaPath::Udp => {
                if let Some(session) = &self.session {
                    session.send(packet);
                }
            }
            MediaPath::Socket => {
                if let Some(frame) = relay::encode(self.call_id, &packet) {
                    (self.frames)(frame);
                }
            }
        }
    }

    /// The present path of packets.
    pub fn way(&self) -> MediaPath {
        match self.way.load(Ordering::Relaxed) {
            way if way == MediaPath::Udp as u8 => MediaPath::Udp,
            way if way == MediaPath::Socket as u8 => MediaPath::Socket,
            _ => MediaPath::Nowhere,
        }
    }

    /// Handles that the live socket of this side or the other is open again.
    pub fn socket_back(&self) {
        self.tell(Input::SocketBack);
    }

    /// The session's statistics; traffic over the socket isn't measured.
    pub async fn stats(&self) -> Stats {
        match &self.session {
            Some(session) => session.stats().await,
            None => Stats::default(),
        }
    }

    /// Closes the connection now; a drop does so a moment later.
    pub async fn close(&self) {
        self.way.store(MediaPath::Nowhere as u8, Ordering::Relaxed);
        if let Some(session) = &self.session {
            session.close().await;
        }
    }

    fn tell(&self, input: Input) {
        let _ = self.inputs.send(input);
    }
}

/// The background task of a [`Peer`].
struct Running {
    negotiation: Negotiation,
    session: Option<Arc<dyn MediaSession>>,
    way: Arc<AtomicU8>,
    outputs: mpsc::UnboundedSender<Output>,
    start: Instant,
}

impl Running {
    /// Runs until the peer is dropped.
    async fn run(
        mut self,
        mut heard: mpsc::UnboundedReceiver<Input>,
        mut events: mpsc::UnboundedReceiver<Event>,
        addresses: Addresses,
    ) {
        let mut own = Watch::new(addresses);
        self.take(Input::Opened).await;
        loop {
            let deadline = self.negotiation.deadline().map(|at| self.start + at);
            let input = tokio::select! {
                input = heard.recv() => match input {
                    Some(input) => input,
                    None => break,
                },
                Some(event) = events.recv() => Input::Event(event),
                () = until(deadline) => Input::Tick,
                change = own.changed() => {
                    if !is_other_network(&change, self.negotiation.way()) {
                        continue;
                    }
                    Input::NetworkChanged
                }
            };
            self.take(input).await;
        }
        if let Some(session) = &self.session {
            session.close().await;
        }
    }

    /// Handles an input, and the inputs that result from it.
    async fn take(&mut self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            for step in self.negotiation.handle(input, self.start.elapsed()) {
                inputs.extend(self.perform(step).await);
            }
        }
    }

    /// Performs a step, and returns its result if the negotiation needs it.
    async fn perform(&self, step: Step) -> Option<Input> {
        let session = self.session.as_ref();
        let done = match step {
            Step::Say(signal) => return self.put_out(Output::Say(signal)),
            Step::HungUp => return self.put_out(Output::HungUp),
            Step::Send(way) => {
                self.way.store(way as u8, Ordering::Relaxed);
                return self.put_out(Output::Way(way));
            }
            Step::Offer { restart } => match session {
                Some(session) if restart => session.restart().await.map(Input::Offered),
                Some(session) => session.offer().await.map(Input::Offered),
                None => return Some(Input::Refused),
            },
            Step::AcceptOffer(sdp) => match session {
                Some(session) => session.accept_offer(&sdp).await.map(Input::Answered),
                None => return Some(Input::Refused),
            },
            Step::AcceptAnswer(sdp) => match session?.accept_answer(&sdp).await {
                Ok(()) => return None,
                Err(error) => Err(error),
            },
            Step::AddCandidate(candidate) => match session?.add_candidate(candidate).await {
                Ok(()) => return None,
                Err(error) => Err(error),
            },
        };
        Some(done.unwrap_or_else(|error| {
            tracing::debug!(%error, "What the other side said was refused.");
            Input::Refused
        }))
    }

    fn put_out(&self, output: Output) -> Option<Input> {
        let _ = self.outputs.send(output);
        None
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Whether a change of addresses may have broken the path, or opened a better one.
fn is_other_network(change: &Change, way: MediaPath) -> bool {
    !change.lost.is_empty() || way != MediaPath::Udp
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_network_does_not_disturb_a_call_that_is_fine() {
        let address = vec!["192.168.1.7".parse().unwrap()];
        let (gained, lost) =
            (Change { lost: Vec::new(), gained: address.clone() }, Change { lost: address, gained: Vec::new() });
        assert!(!is_other_network(&gained, MediaPath::Udp));
        assert!(is_other_network(&gained, MediaPath::Socket));
        assert!(is_other_network(&lost, MediaPath::Udp));
    }
}
