//! Two devices in a call that speak all the time; channels stand in for the live socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crewbell_shared::ids::{CallId, EndpointId};
use crewbell_voice::session::negotiation::Role;
use crewbell_voice::session::{Options, Output, Peer, PeerOptions};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::{Heard, packet};

const CALL: CallId = CallId(Uuid::from_u128(1));

/// One device in the call.
pub struct Device {
    pub peer: Arc<Peer>,
    pub heard: Heard,
    frames: Arc<AtomicUsize>,
    tasks: Vec<JoinHandle<()>>,
}

impl Device {
    /// Returns the number of packets sent over the live socket.
    pub fn frames_sent(&self) -> usize {
        self.frames.load(Ordering::Relaxed)
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// A message over the live socket.
pub enum Message {
    Said(Output),
    Frame(bytes::Bytes),
}

/// Opens both sides of a call, which then speak.
pub async fn call(caller: Options, called: Options) -> (Device, Device) {
    let (to_called, at_called) = unbounded_channel();
    let (to_caller, at_caller) = unbounded_channel();
    tokio::join!(device(Role::Caller, caller, to_called, at_caller), device(Role::Called, called, to_caller, at_called),)
}

/// Opens one side of a call, with channels to and from the other.
pub async fn device(
    role: Role,
    session: Options,
    to_other: UnboundedSender<Message>,
    mut from_other: UnboundedReceiver<Message>,
) -> Device {
    let other = EndpointId(Uuid::from_u128(if role == Role::Caller { 3 } else { 2 }));
    let heard = Heard::default();
    let frames = Arc::new(AtomicUsize::new(0));
    let (counted, socket) = (Arc::clone(&frames), to_other.clone());
    let frame_sink = Arc::new(move |frame| {
        counted.fetch_add(1, Ordering::Relaxed);
        let _ = socket.send(Message::Frame(frame));
    });
    let (outputs, mut output) = unbounded_channel();
    let options = PeerOptions { role, call_id: CALL, peer: other, session };
    let peer = Arc::new(Peer::open(options, heard.sink(), frame_sink, outputs).await);
    let saying = tokio::spawn(async move {
        while let Some(said) = output.recv().await {
            let _ = to_other.send(Message::Said(said));
        }
    });
    let ear = Arc::clone(&peer);
    let hearing = tokio::spawn(async move {
        while let Some(message) = from_other.recv().await {
            match message {
                Message::Said(Output::Say(signal)) => ear.hear(CALL, other, signal),
                Message::Said(_) => {}
                Message::Frame(frame) => ear.hear_frame(&frame),
            }
        }
    });
    let mouth = Arc::clone(&peer);
    let speaking = tokio::spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        for number in 0_u32.. {
            tick.tick().await;
            mouth.send(packet(number));
        }
    });
    Device { peer, heard, frames, tasks: vec![saying, hearing, speaking] }
}
