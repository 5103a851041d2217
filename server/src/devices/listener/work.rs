//! What a client has asked for and hasn't been answered yet, in the order of arrival.

use std::{
    collections::VecDeque,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesOrdered};
use mqtt_protocol_core::mqtt::packet::RetainHandling;
use tokio::time::Instant;

use super::{
    Limits,
    intake::{Intake, NotLetIn, Outgoing, Taken, Trouble},
    wire::Grant,
};
use crate::devices::delivery::{Message, Peer};

/// Requests that may wait for their turn; with the bytes below, what a flooding client can cost.
const BACKLOG: usize = 1024;
/// Bytes of payload that may wait or be taken at a time. One message may exceed it.
const UNSETTLED_BYTES: usize = 1024 * 1024;

/// One thing to be done for the client.
pub(super) enum Request {
    Take(Message),
    Subscribe { packet_id: u16, filters: Vec<Asked> },
    Unsubscribe { packet_id: u16, filters: Vec<String> },
}

/// One filter of a SUBSCRIBE, and the listener's own objection to it.
pub(super) struct Asked {
    pub(super) filter: String,
    pub(super) handling: RetainHandling,
    pub(super) objection: Option<Grant>,
}

/// What came of a request.
pub(super) enum Settled {
    Message { packet_id: Option<u16>, qos: u8, taken: Taken },
    Subscribed { packet_id: u16, answers: Vec<(Asked, Result<Vec<Outgoing>, Grant>)> },
    Unsubscribed { packet_id: u16, filters: Vec<String> },
}

/// At most [`Limits::in_flight`] requests run side by side; the rest wait in a bounded backlog. Results come in order.
pub(super) struct Work<I: Intake> {
    intake: Arc<I>,
    peer: Arc<Peer<I::Principal>>,
    in_flight: usize,
    take_timeout: Duration,
    drain_timeout: Duration,
    running: FuturesOrdered<BoxFuture<'static, Settled>>,
    /// When each running request must be settled, and its bytes, in the same order: the first is the oldest and due first.
    due: VecDeque<(Instant, usize)>,
    backlog: VecDeque<Request>,
    /// Of all that waits and runs.
    bytes: usize,
}

impl<I: Intake> Work<I> {
    pub(super) fn new(intake: Arc<I>, peer: Arc<Peer<I::Principal>>, limits: &Limits) -> Self {
        Self {
            intake,
            peer,
            in_flight: usize::from(limits.in_flight.max(1)),
            take_timeout: limits.take_timeout,
            drain_timeout: limits.drain_timeout,
            running: FuturesOrdered::new(),
            due: VecDeque::new(),
            backlog: VecDeque::new(),
            bytes: 0,
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.backlog.len() >= BACKLOG || self.bytes >= UNSETTLED_BYTES
    }

    /// Bytes of payload that aren't settled.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Has somebody told that something is wrong with this client.
    pub(super) fn troubled(&self, trouble: Trouble) {
        self.intake.troubled(&self.peer, trouble);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.running.is_empty() && self.backlog.is_empty()
    }

    /// When the oldest running request must be settled.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due.front().map(|(due, _)| *due)
    }

    pub(super) fn push(&mut self, request: Request) {
        self.bytes += bytes_of(&request);
        self.backlog.push_back(request);
        self.start();
    }

    /// The next result in order; `None` when there is nothing to do.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Settled>> {
        let settled = std::task::ready!(self.running.poll_next_unpin(context));
        self.bytes -= self.due.pop_front().map_or(0, |(_, bytes)| bytes);
        self.start();
        Poll::Ready(settled)
    }

    /// Forgets what hasn't been started: its sender will send it again.
    pub(super) fn forget_backlog(&mut self) {
        self.bytes -= self.backlog.drain(..).map(|request| bytes_of(&request)).sum::<usize>();
    }

    /// Lets all that is left be done for nobody's acknowledgement, for a limited time.
    pub(super) async fn drain(&mut self) {
        let limit = self.drain_timeout;
        let rest = async { while std::future::poll_fn(|context| self.poll(context)).await.is_some() {} };
        if tokio::time::timeout(limit, rest).await.is_err() {
            metrics::counter!("mqtt_refused_total", "why" => "drain timeout").increment(1);
        }
    }

    fn start(&mut self) {
        while self.running.len() < self.in_flight {
            let Some(request) = self.backlog.pop_front() else {
                return;
            };
            let bytes = bytes_of(&request);
            let work = match request {
                Request::Take(message) => self.take(message),
                Request::Subscribe { packet_id, filters } => self.subscribe(packet_id, filters),
                Request::Unsubscribe { packet_id, filters } => {
                    std::future::ready(Settled::Unsubscribed { packet_id, filters }).boxed()
                }
            };
            self.running.push_back(work);
            self.due.push_back((Instant::now() + self.take_timeout, bytes));
        }
    }

    fn take(&self, message: Message) -> BoxFuture<'static, Settled> {
        let (packet_id, qos) = (message.packet_id, message.qos);
        let taking = self.intake.take(&self.peer, message);
        taking.map(move |taken| Settled::Message { packet_id, qos, taken }).boxed()
    }

    fn subscribe(&self, packet_id: u16, filters: Vec<Asked>) -> BoxFuture<'static, Settled> {
        let (intake, peer) = (Arc::clone(&self.intake), Arc::clone(&self.peer));
        async move {
            let mut answers = Vec::with_capacity(filters.len());
            for asked in filters {
                let answer = match asked.objection {
                    Some(objection) => Err(objection),
                    None => intake.subscribed(&peer, &asked.filter).await.map_err(|why| match why {
                        NotLetIn::BadCredentials | NotLetIn::NotAuthorized => Grant::NotAuthorized,
                        NotLetIn::NotNow | NotLetIn::TooOften => Grant::NotNow,
                    }),
                };
                answers.push((asked, answer));
            }
            Settled::Subscribed { packet_id, answers }
        }
        .boxed()
    }
}

fn bytes_of(request: &Request) -> usize {
    match request {
        Request::Take(message) => message.payload.len(),
        Request::Subscribe { .. } | Request::Unsubscribe { .. } => 0,
    }
}
