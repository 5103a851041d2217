//! Lamp messages to the clients that have subscribed to them, at `QoS` 0.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::{intake::Outgoing, topics};

/// The publisher of lamp messages: each message is sent to every connected client that has subscribed to its topic.
///
/// Messages aren't stored. A client that isn't connected gets the current state of its lamp when it subscribes again.
#[derive(Clone, Debug, Default)]
pub struct Lamps {
    /// The scope (site) of the recipients. Two sites may use the same topics, but never share clients.
    scope: u128,
    subscriptions: Arc<Mutex<Subscriptions>>,
}

#[derive(Debug, Default)]
struct Subscriptions {
    exact: HashMap<String, Vec<Subscriber>>,
    wild: Vec<(String, Subscriber)>,
}

#[derive(Clone, Debug)]
struct Subscriber {
    scope: u128,
    connection: u64,
    inbox: mpsc::Sender<Arc<Outgoing>>,
}

impl Lamps {
    /// Returns a publisher to only those clients whose principal has this scope
    /// ([`Intake::scope`](super::Intake::scope)).
    #[must_use]
    pub fn within(&self, scope: u128) -> Self {
        Self { scope, subscriptions: Arc::clone(&self.subscriptions) }
    }

    /// Sends a message to all subscribers of `topic`, once each, without blocking.
    ///
    /// The message is dropped for a client whose queue is full (counted in `mqtt_lamp_dropped_total`).
    pub fn publish(&self, topic: &str, payload: &[u8]) {
        let subscriptions = self.lock();
        let exact = subscriptions.exact.get(topic).map_or(&[][..], Vec::as_slice);
        let mut reached: Vec<u64> = Vec::new();
        let mut message = None;
        let wild = subscriptions
            .wild
            .iter()
            .filter(|(filter, _)| topics::covers(filter, topic))
            .map(|(_, subscriber)| subscriber);
        for subscriber in exact.iter().chain(wild) {
            if subscriber.scope != self.scope || reached.contains(&subscriber.connection) {
                continue;
            }
            reached.push(subscriber.connection);
            let message = message.get_or_insert_with(|| {
                Arc::new(Outgoing { topic: topic.to_owned(), payload: Bytes::copy_from_slice(payload) })
            });
            if let Err(mpsc::error::TrySendError::Full(_)) = subscriber.inbox.try_send(Arc::clone(message)) {
                metrics::counter!("mqtt_lamp_dropped_total").increment(1);
            }
        }
    }

    /// Creates the inbox of a client, which queues at most `room` messages for its socket.
    pub(super) fn inbox(&self, connection: u64, room: usize) -> Inbox {
        let (sender, receiver) = mpsc::channel(room);
        let subscriber = Subscriber { scope: self.scope, connection, inbox: sender };
        Inbox { lamps: self.clone(), subscriber, receiver, filters: Vec::new(), granted: Vec::new() }
    }

    /// Locks the subscriptions. A panic can't leave the two collections half changed, so a poisoned lock is valid.
    fn lock(&self) -> MutexGuard<'_, Subscriptions> {
        self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One client's subscriptions, and the messages queued on them. Unsubscribes when dropped.
#[derive(Debug)]
pub(super) struct Inbox {
    lamps: Lamps,
    subscriber: Subscriber,
    receiver: mpsc::Receiver<Arc<Outgoing>>,
    /// Active filters, granted or undecided.
    filters: Vec<String>,
    granted: Vec<String>,
}

impl Inbox {
    /// Activates a filter if there are fewer than `most`; returns whether it is active, as it may have been before.
    ///
    /// Nothing is delivered on it until it is granted.
    pub(super) fn add(&mut self, filter: &str, most: usize) -> bool {
        if self.filters.iter().any(|known| known == filter) {
            return true;
        }
        if self.filters.len() >= most {
            return false;
        }
        self.filters.push(filter.to_owned());
        let mut all = self.lamps.lock();
        if topics::has_wildcard(filter) {
            all.wild.push((filter.to_owned(), self.subscriber.clone()));
        } else {
            all.exact.entry(filter.to_owned()).or_default().push(self.subscriber.clone());
        }
        true
    }

    /// Grants a filter, so that its messages are delivered; returns whether it is newly granted.
    pub(super) fn grant(&mut self, filter: &str) -> bool {
        // An UNSUBSCRIBE of the same filter may have been settled since it was activated.
        self.add(filter, usize::MAX);
        let is_new = !self.granted.iter().any(|known| known == filter);
        if is_new {
            self.granted.push(filter.to_owned());
        }
        is_new
    }

    /// Removes a subscription; returns whether it existed.
    pub(super) fn remove(&mut self, filter: &str) -> bool {
        self.granted.retain(|known| known != filter);
        let before = self.filters.len();
        self.filters.retain(|known| known != filter);
        let existed = self.filters.len() < before;
        if existed {
            self.leave(filter);
        }
        existed
    }

    /// Polls for the next message on a granted filter.
    ///
    /// While a filter is undecided, all messages wait in order: a message on it must neither be delivered before the
    /// state that it changes, nor be lost, nor reach a client whose subscription is refused.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Arc<Outgoing>>> {
        if self.granted.len() < self.filters.len() {
            return Poll::Pending;
        }
        loop {
            let next = ready!(self.receiver.poll_recv(context));
            let wanted = next
                .as_ref()
                .is_none_or(|message| self.granted.iter().any(|filter| topics::covers(filter, &message.topic)));
            if wanted {
                return Poll::Ready(next);
            }
        }
    }

    fn leave(&self, filter: &str) {
        let mut all = self.lamps.lock();
        let connection = self.subscriber.connection;
        if topics::has_wildcard(filter) {
            all.wild.retain(|(known, subscriber)| known != filter || subscriber.connection != connection);
        } else if let Some(subscribers) = all.exact.get_mut(filter) {
            subscribers.retain(|subscriber| subscriber.connection != connection);
            if subscribers.is_empty() {
                all.exact.remove(filter);
            }
        }
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        for filter in &self.filters {
            self.leave(filter);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the payloads of all messages that are ready to be sent.
    fn sent(inbox: &mut Inbox) -> Vec<Bytes> {
        let mut context = Context::from_waker(std::task::Waker::noop());
        let mut sent = Vec::new();
        while let Poll::Ready(Some(message)) = inbox.poll(&mut context) {
            sent.push(message.payload.clone());
        }
        sent
    }

    #[test]
    fn a_change_during_the_decision_is_delivered_after_it() {
        let lamps = Lamps::default();
        let mut inbox = lamps.inbox(1, 8);
        assert!(inbox.add("a", 9) && inbox.grant("a"));
        assert!(inbox.add("b", 9));
        lamps.publish("b", b"1");
        lamps.publish("a", b"2");
        assert!(sent(&mut inbox).is_empty(), "not before the decision");
        assert!(inbox.grant("b"));
        assert_eq!(sent(&mut inbox), ["1", "2"]);
    }

    #[test]
    fn nothing_is_delivered_on_a_refused_subscription() {
        let lamps = Lamps::default();
        let mut inbox = lamps.inbox(1, 8);
        assert!(inbox.add("mine", 9) && inbox.grant("mine"));
        assert!(inbox.add("#", 9));
        lamps.publish("secret", b"1");
        lamps.publish("mine", b"2");
        assert!(inbox.remove("#"));
        lamps.publish("secret", b"3");
        assert_eq!(sent(&mut inbox), ["2"]);
    }

    #[test]
    fn the_same_topic_of_another_site_is_another_lamp() {
        let lamps = Lamps::default();
        let mut inbox = lamps.within(7).inbox(1, 8);
        assert!(inbox.add("a", 9) && inbox.grant("a"));
        lamps.within(8).publish("a", b"theirs");
        lamps.within(7).publish("a", b"ours");
        assert_eq!(sent(&mut inbox), ["ours"]);
    }

    #[test]
    fn a_client_that_is_gone_leaves_nothing_behind() {
        let lamps = Lamps::default();
        let mut inbox = lamps.inbox(1, 8);
        assert!(inbox.add("a", 9) && inbox.add("a/#", 9) && !inbox.add("b", 2));
        drop(inbox);
        let all = lamps.lock();
        assert!(all.exact.is_empty() && all.wild.is_empty());
    }
}
