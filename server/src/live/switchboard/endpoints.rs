//! The endpoints of calls: their connections, and mailboxes for clients that poll.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::extract::ws::{Message, Utf8Bytes};
use crewbell_shared::protocol::live::FromServer;
use crewbell_shared::{Code, Refusal};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::mpsc;

use super::{EndpointKey, Switchboard};

/// Maximum number of signals queued for a connection, and in a mailbox: several offers with all their candidates.
const SIGNALS: usize = 128;

/// Maximum number of voice packets queued for a connection: one second. Older ones are useless.
const PACKETS: usize = 50;

/// Rate limit of signals: 20 a second.
pub(crate) const SIGNAL_RATE: Quota =
    Quota::per_second(NonZeroU32::new(20).unwrap()).allow_burst(NonZeroU32::new(100).unwrap());

/// Maximum number of mailboxes of a site: more than a crew has calls.
pub(super) const MAILBOXES: usize = 1024;

/// The endpoints of a site.
#[derive(Debug, Default)]
pub(super) struct Endpoints {
    lines: Mutex<BTreeMap<EndpointKey, Endpoint>>,
    /// Counter that numbers the connections. Numbers are unique, because otherwise an old connection whose loss is
    /// noticed late could be taken for the new one.
    sockets: AtomicU64,
}

#[derive(Debug, Default)]
struct Endpoint {
    socket: Option<Socket>,
    mailbox: Option<Mailbox>,
}

#[derive(Debug)]
struct Socket {
    number: u64,
    signals: mpsc::Sender<Message>,
    voice: mpsc::Sender<Message>,
}

#[derive(Debug)]
struct Mailbox {
    waiting: VecDeque<FromServer>,
    limiter: DefaultDirectRateLimiter,
}

/// Guard of an endpoint's connection, which is registered until this is dropped.
#[derive(Debug)]
pub struct EndpointGuard<'a> {
    switchboard: &'a Switchboard,
    end: EndpointKey,
    number: u64,
    signals: mpsc::Receiver<Message>,
    voice: mpsc::Receiver<Message>,
}

impl Endpoints {
    /// Registers a connection and replaces an older one, which is the same device's, back before the server noticed the
    /// loss.
    pub(super) fn plug_in<'a>(&self, switchboard: &'a Switchboard, end: EndpointKey) -> EndpointGuard<'a> {
        let (signals, signals_out) = mpsc::channel(SIGNALS);
        let (voice, voice_out) = mpsc::channel(PACKETS);
        let mut lines = self.lock();
        let line = lines.entry(end).or_default();
        let number = self.sockets.fetch_add(1, Ordering::Relaxed);
        line.socket = Some(Socket { number, signals, voice });
        EndpointGuard { switchboard, end, number, signals: signals_out, voice: voice_out }
    }

    /// Removes a connection. Returns whether it was the registered one.
    fn unplug(&self, end: EndpointKey, number: u64) -> bool {
        let mut lines = self.lock();
        let Some(line) = lines.get_mut(&end) else { return false };
        let is_mine = line.socket.as_ref().is_some_and(|socket| socket.number == number);
        if is_mine {
            line.socket = None;
            if line.mailbox.is_none() {
                lines.remove(&end);
            }
        }
        is_mine
    }

    pub(super) fn is_plugged_in(&self, end: EndpointKey) -> bool {
        self.lock().get(&end).is_some_and(|line| line.socket.is_some())
    }

    pub(super) fn has_mailbox(&self, end: EndpointKey) -> bool {
        self.lock().get(&end).is_some_and(|line| line.mailbox.is_some())
    }

    /// Returns whether an endpoint has a connection or a mailbox.
    pub(super) fn is_open(&self, end: EndpointKey) -> bool {
        self.lock().contains_key(&end)
    }

    /// Sends a frame to an endpoint. Returns whether it was queued.
    pub(super) fn send(&self, end: EndpointKey, frame: FromServer) -> bool {
        let mut lines = self.lock();
        let Some(line) = lines.get_mut(&end) else { return false };
        if let Some(socket) = &line.socket {
            let text = serde_json::to_string(&frame).map(Utf8Bytes::from);
            return text.is_ok_and(|text| socket.signals.try_send(Message::Text(text)).is_ok());
        }
        let Some(mailbox) = &mut line.mailbox else { return false };
        if mailbox.waiting.len() >= SIGNALS {
            return false;
        }
        mailbox.waiting.push_back(frame);
        true
    }

    pub(super) fn send_voice(&self, end: EndpointKey, message: Bytes) -> Result<(), &'static str> {
        let lines = self.lock();
        let socket = lines.get(&end).and_then(|line| line.socket.as_ref()).ok_or("not_there")?;
        socket.voice.try_send(Message::Binary(message)).map_err(|_| "too_slow")
    }

    /// Opens a mailbox if there is none. Returns whether the endpoint was unreachable before.
    ///
    /// # Errors
    /// Returns `too_many` if the site has as many mailboxes as it may have, and this endpoint has none.
    pub(super) fn open_mailbox(&self, end: EndpointKey) -> Result<bool, Refusal> {
        let mut lines = self.lock();
        if lines.get(&end).is_some_and(|line| line.mailbox.is_some()) {
            return Ok(false);
        }
        if lines.values().filter(|line| line.mailbox.is_some()).count() >= MAILBOXES {
            let words = format!("{MAILBOXES} clients without a live socket take part in calls already.");
            return Err(Refusal::new(Code::TooMany, words).with("limit", &MAILBOXES));
        }
        let is_new = !lines.contains_key(&end);
        let mailbox = Mailbox { waiting: VecDeque::new(), limiter: RateLimiter::direct(SIGNAL_RATE) };
        lines.entry(end).or_default().mailbox = Some(mailbox);
        Ok(is_new)
    }

    pub(super) fn collect(&self, end: EndpointKey) -> Vec<FromServer> {
        let mut lines = self.lock();
        let mailbox = lines.get_mut(&end).and_then(|line| line.mailbox.as_mut());
        mailbox.map(|mailbox| mailbox.waiting.drain(..).collect()).unwrap_or_default()
    }

    pub(super) fn may_post(&self, end: EndpointKey) -> bool {
        let lines = self.lock();
        let mailbox = lines.get(&end).and_then(|line| line.mailbox.as_ref());
        mailbox.is_some_and(|mailbox| mailbox.limiter.check().is_ok())
    }

    /// Closes the mailboxes of endpoints without a live call.
    pub(super) fn close_mailboxes(&self, is_live: impl Fn(EndpointKey) -> bool) {
        self.lock().retain(|end, line| {
            line.mailbox = line.mailbox.take().filter(|_| is_live(*end));
            line.mailbox.is_some() || line.socket.is_some()
        });
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<EndpointKey, Endpoint>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EndpointGuard<'_> {
    /// Returns the endpoint's key.
    pub(crate) fn end(&self) -> EndpointKey {
        self.end
    }

    /// Waits for the next message to send; signals go before voice. Waits for ever once another connection has replaced
    /// this one. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Message {
        tokio::select! {
            biased;
            Some(signal) = self.signals.recv() => signal,
            Some(packet) = self.voice.recv() => packet,
            else => std::future::pending().await,
        }
    }
}

impl Drop for EndpointGuard<'_> {
    fn drop(&mut self) {
        if self.switchboard.lines.unplug(self.end, self.number) {
            self.switchboard.unplugged(self.end);
        }
    }
}
