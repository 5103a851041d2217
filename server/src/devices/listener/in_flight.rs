//! The queue of a client's unanswered requests, in the order of arrival.

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
    intake::{ClientIssue, Intake, NotLetIn, Outgoing, Taken},
    wire::Grant,
};
use crate::devices::delivery::{Message, Peer};

/// Maximum requests in the backlog. With the bytes below, it bounds the memory that a flooding client uses.
const BACKLOG: usize = 1024;
/// Maximum payload bytes of all waiting and running requests. The last message may exceed it.
const UNSETTLED_BYTES: usize = 1024 * 1024;

/// A client's request.
pub(super) enum Request {
    Take(Message),
    Subscribe { packet_id: u16, filters: Vec<RequestedFilter> },
    Unsubscribe { packet_id: u16, filters: Vec<String> },
}

/// One filter of a SUBSCRIBE, and the reason for which the listener itself rejects it, if any.
pub(super) struct RequestedFilter {
    pub(super) filter: String,
    pub(super) handling: RetainHandling,
    pub(super) objection: Option<Grant>,
}

/// The result of a request.
pub(super) enum Settled {
    Message { packet_id: Option<u16>, qos: u8, taken: Taken },
    Subscribed { packet_id: u16, answers: Vec<(RequestedFilter, Result<Vec<Outgoing>, Grant>)> },
    Unsubscribed { packet_id: u16, filters: Vec<String> },
}

/// The requests of one connection. At most [`Limits::in_flight`] run concurrently, the rest wait in a bounded backlog.
/// Results come in order.
pub(super) struct InFlight<I: Intake> {
    intake: Arc<I>,
    peer: Arc<Peer<I::Principal>>,
    in_flight: usize,
    take_timeout: Duration,
    drain_timeout: Duration,
    running: FuturesOrdered<BoxFuture<'static, Settled>>,
    /// The deadline and the bytes of each running request, in the same order: the first is the oldest and due first.
    due: VecDeque<(Instant, usize)>,
    backlog: VecDeque<Request>,
    /// Payload bytes of all waiting and running requests.
    bytes: usize,
}

impl<I: Intake> InFlight<I> {
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

    /// Returns the payload bytes that aren't settled.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Reports a problem with this client to the intake.
    pub(super) fn troubled(&self, trouble: ClientIssue) {
        self.intake.troubled(&self.peer, trouble);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.running.is_empty() && self.backlog.is_empty()
    }

    /// Returns the deadline of the oldest running request.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due.front().map(|(due, _)| *due)
    }

    pub(super) fn push(&mut self, request: Request) {
        self.bytes += bytes_of(&request);
        self.backlog.push_back(request);
        self.start();
    }

    /// Polls for the next result in order; `None` when no request is left.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Settled>> {
        let settled = std::task::ready!(self.running.poll_next_unpin(context));
        self.bytes -= self.due.pop_front().map_or(0, |(_, bytes)| bytes);
        self.start();
        Poll::Ready(settled)
    }

    /// Drops the requests that haven't been started: the client will send them again.
    pub(super) fn forget_backlog(&mut self) {
        self.bytes -= self.backlog.drain(..).map(|request| bytes_of(&request)).sum::<usize>();
    }

    /// Completes the remaining requests without acknowledging them, within [`Limits::drain_timeout`].
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

    fn subscribe(&self, packet_id: u16, filters: Vec<RequestedFilter>) -> BoxFuture<'static, Settled> {
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
