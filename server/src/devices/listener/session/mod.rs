//! The session of a connected client, from CONNACK to the end of the connection.
//!
//! A session is one task with one loop and bounded queues: requests that wait or run (`work`), bytes to be written
//! (`wire.output`), lamp messages (`inbox`). The socket is read while takes are pending, so that PINGREQ is answered at
//! once. Reading stops, and TCP slows the sender down, only when the backlog or the output is full, or the client
//! exceeds its message rate or its share of waiting bytes. A full queue lasts at most as long as one take
//! ([`Limits::take_timeout`]), or as a client may leave its answers unread ([`poll::STALL`]). The keep-alive isn't
//! checked meanwhile, since the server itself doesn't read.

mod poll;

use std::{future::poll_fn, io, time::Duration};

use bytes::BytesMut;
use mqtt_protocol_core::mqtt::{packet::RetainHandling, result_code::DisconnectReasonCode};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::Instant,
};

use self::poll::Event;
pub(super) use self::poll::Watch;
use super::{
    Limits,
    acks::Inbox,
    in_flight::{InFlight, Request, RequestedFilter, Settled},
    intake::{ClientIssue, Gone, Intake, Outgoing, Taken},
    pace::Pace,
    topics,
    wire::{Fault, Grant, Incoming, Wire},
};
use crate::limits::Held;

/// Bytes of output at which reading and lamp messages are suspended, until the client has read some.
const OUTPUT: usize = 64 * 1024;
/// Time limit for a client to read the last output before the socket is closed.
const FAREWELL: Duration = Duration::from_secs(1);

/// Waiting bytes that a client may have even when the budget of all connections is spent.
const FAIR: usize = 64 * 1024;

/// The reason of [`Ending::Lost`] when the keep-alive has expired.
const SILENT: &str = "keep-alive";

/// The reason of [`Ending::CrowdedOut`].
const CROWDED: &str = "too many connections of the device";

/// The reason for a session's end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The client sent DISCONNECT; the flag requests the last will.
    Left {
        with_will: bool,
    },
    /// The socket failed, or the client timed out.
    Lost(&'static str),
    /// The client broke the protocol.
    Broke(&'static str),
    /// A message couldn't be taken.
    NotTaken(&'static str),
    TakenOver,
    /// The device has too many connections, and this is the oldest.
    CrowdedOut(&'static str),
    Shutdown,
}

impl Ending {
    pub(super) fn gone(&self) -> Gone {
        match self {
            Self::Left { with_will: false } => Gone::Clean,
            Self::Left { with_will: true } | Self::Lost(_) | Self::Broke(_) | Self::CrowdedOut(_) => Gone::Lost,
            Self::NotTaken(_) | Self::Shutdown => Gone::Closed,
            Self::TakenOver => Gone::TakenOver,
        }
    }
}

pub(super) struct Session<I: Intake, S> {
    pub(super) stream: S,
    pub(super) wire: Wire,
    pub(super) work: InFlight<I>,
    pub(super) inbox: Inbox,
    pub(super) limits: Limits,
    pub(super) pace: Pace,
    /// This connection's share of the waiting bytes of all connections.
    pub(super) held: Held,
    /// The keep-alive timeout; `None` if there is only TCP's keepalive.
    pub(super) idle: Option<Duration>,
    pub(super) watch: Watch,
}

impl<I: Intake, S: AsyncRead + AsyncWrite + Unpin> Session<I, S> {
    /// Serves the client until the session ends. Then sends the acknowledgements that are still allowed, closes the
    /// socket, and drains the pending requests.
    pub(super) async fn run(mut self) -> Ending {
        let ending = self.serve().await;
        match ending {
            // No DISCONNECT in MQTT 5 if the client is to reconnect: libmosquitto treats one as final, so a button
            // would stay offline after a planned restart.
            Ending::Left { .. } | Ending::Shutdown => self.finish().await,
            Ending::NotTaken(_) => self.work.forget_backlog(),
            Ending::TakenOver => self.wire.disconnect(DisconnectReasonCode::SessionTakenOver),
            Ending::CrowdedOut(_) => self.wire.disconnect(DisconnectReasonCode::QuotaExceeded),
            Ending::Lost(_) | Ending::Broke(_) => {}
        }
        let Self { stream, wire, mut work, inbox, .. } = self;
        drop(inbox);
        tokio::join!(farewell(stream, wire.output), work.drain());
        ending
    }

    async fn serve(&mut self) -> Ending {
        loop {
            if let Err(ending) = self.understand() {
                return ending;
            }
            match poll_fn(|context| self.poll(context, true)).await {
                Event::Settled(settled) => {
                    if let Err(ending) = self.settle(settled) {
                        return ending;
                    }
                }
                Event::Lamp(message) => self.wire.publish(&message, false),
                Event::Moved => {}
                Event::Ended(ending) => return ending,
            }
        }
    }

    /// Settles and acknowledges the pending requests without reading further ones.
    async fn finish(&mut self) {
        let limit = self.limits.drain_timeout;
        let rest = async {
            while !(self.work.is_empty() && self.wire.output.is_empty()) {
                let ended = match poll_fn(|context| self.poll(context, false)).await {
                    Event::Settled(settled) => self.settle(settled).is_err(),
                    Event::Lamp(_) | Event::Moved => false,
                    Event::Ended(_) => true,
                };
                if ended {
                    return;
                }
            }
        };
        if tokio::time::timeout(limit, rest).await.is_err() {
            metrics::counter!("mqtt_refused_total", "why" => "drain timeout").increment(1);
        }
    }

    /// Parses the input into requests, until the queues are full.
    fn understand(&mut self) -> Result<(), Ending> {
        let mut heard = false;
        self.held.set(self.wire.input.len() + self.work.bytes());
        while !self.is_full() {
            let request = match self.wire.next(&mut heard) {
                // An incomplete packet, no budget for the rest, and no running request that would free some.
                Ok(None) if self.held.is_too_much(FAIR) && self.work.is_empty() => {
                    return Err(Ending::NotTaken("too many bytes wait"));
                }
                Ok(None) => break,
                Ok(Some(Incoming::Disconnect { with_will })) => {
                    return Err(Ending::Left { with_will });
                }
                Ok(Some(Incoming::Publish(message))) => {
                    self.pace.count(Instant::now());
                    Request::Take(message)
                }
                Ok(Some(Incoming::Unsubscribe { packet_id, filters })) => Request::Unsubscribe { packet_id, filters },
                Ok(Some(Incoming::Subscribe { packet_id, filters })) => {
                    let filters = filters.into_iter().map(|(filter, handling)| self.asked(filter, handling));
                    Request::Subscribe { packet_id, filters: filters.collect() }
                }
                Err(Fault(words)) => return Err(Ending::Broke(words)),
            };
            self.work.push(request);
            self.held.set(self.wire.input.len() + self.work.bytes());
        }
        let now = Instant::now();
        if self.pace.held_until(now).is_some() && self.pace.tell(now) {
            self.work.troubled(ClientIssue::Flood);
        }
        let held_back = self.is_full();
        if heard || self.watch.held_back != held_back {
            self.watch.heard = Instant::now();
            self.watch.held_back = held_back;
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.work.is_full()
            || self.wire.output.len() >= OUTPUT
            || self.pace.held_until(Instant::now()).is_some()
            || (self.held.is_too_much(FAIR) && !self.work.is_empty())
    }

    /// Activates a filter before the intake looks up the current state, so that no change in between is missed.
    fn asked(&mut self, filter: String, handling: RetainHandling) -> RequestedFilter {
        let objection = if !topics::is_filter(&filter) {
            Some(Grant::InvalidFilter)
        } else if topics::is_shared(&filter) {
            Some(Grant::Shared)
        } else if !self.inbox.add(&filter, self.limits.subscriptions) {
            Some(Grant::TooMany)
        } else {
            None
        };
        RequestedFilter { filter, handling, objection }
    }

    fn settle(&mut self, settled: Settled) -> Result<(), Ending> {
        match settled {
            Settled::Message { packet_id, qos, taken } => {
                let refused = match taken {
                    Taken::Done => None,
                    Taken::Refused(why) => Some(why),
                    Taken::NotNow => return Err(Ending::NotTaken("not now")),
                };
                if let Some(packet_id) = packet_id {
                    self.wire.acknowledge(packet_id, qos, refused);
                }
            }
            Settled::Subscribed { packet_id, answers } => {
                let grants: Vec<Grant> = answers
                    .iter()
                    .map(|(_, answer)| answer.as_ref().map_or_else(|grant| *grant, |_| Grant::AtMostOnce))
                    .collect();
                self.wire.suback(packet_id, &grants);
                for (asked, answer) in answers {
                    match answer {
                        Ok(current) => self.show(&asked, &current),
                        Err(_) if asked.objection.is_some() => {}
                        Err(_) => {
                            self.inbox.remove(&asked.filter);
                        }
                    }
                }
            }
            Settled::Unsubscribed { packet_id, filters } => {
                let existed: Vec<bool> = filters.iter().map(|filter| self.inbox.remove(filter)).collect();
                self.wire.unsuback(packet_id, &existed);
            }
        }
        Ok(())
    }

    /// Grants a subscription and sends the current state as a retained message [MQTT-3.3.1-9 to 11].
    fn show(&mut self, asked: &RequestedFilter, current: &[Outgoing]) {
        let is_new = self.inbox.grant(&asked.filter);
        let wanted = match asked.handling {
            RetainHandling::SendRetained => true,
            RetainHandling::SendRetainedIfNotExists => is_new,
            RetainHandling::DoNotSendRetained => false,
        };
        if wanted {
            for message in current {
                self.wire.publish(message, true);
            }
        }
    }
}

/// Writes the last output and closes the socket gracefully.
///
/// Closing a socket with unread input resets it, and a reset may overtake the output. The input is therefore read until
/// the client closes, for at most [`FAREWELL`].
pub(super) async fn farewell(mut stream: impl AsyncRead + AsyncWrite + Unpin, output: BytesMut) {
    let closing = async {
        stream.write_all(&output).await?;
        stream.shutdown().await?;
        let mut nobody = [0; 4096];
        while stream.read(&mut nobody).await? > 0 {}
        io::Result::Ok(())
    };
    // The result makes no difference: the session is over.
    drop(tokio::time::timeout(FAREWELL, closing).await);
}
