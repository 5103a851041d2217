//! One connection to the broker, from its CONNECT to its end.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, FuturesOrdered, Stream, StreamExt};
use rumqttc::{
    AsyncClient, ConnectionError, DisconnectReasonCode, Event, MqttOptions, Outgoing, Packet, Publish, QoS, StateError,
    SubAck, SubscribeFilterInput, SubscribeReasonCode,
};
use tokio_util::sync::CancellationToken;

use super::acks::BrokerLamps;
use crate::devices::delivery::Message;
use crate::devices::listener::{Taken, Why};

/// Receive Maximum: messages at `QoS` 1 that the broker may have in flight to the server (MQTT 5, 3.1.2.11.3).
pub(super) const RECEIVE_MAXIMUM: u16 = 64;
/// Maximum number of messages processed concurrently, `QoS` 0 included. At the limit the socket isn't read, and TCP
/// slows down the broker.
const SIDE_BY_SIDE: usize = 128;
/// Capacity of the client's request queue, for acknowledgements and for lamps each.
pub(super) const ROOM: usize = 256;
/// Timeout for processing a message; the same as at the server's own listener.
const TAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// Timeout for finishing pending messages when the connection ends.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// The reason why a connection ended.
#[derive(Debug)]
pub(super) enum End {
    /// It was stopped.
    Stopped,
    /// A message couldn't be made durable.
    NotNow,
    /// Another client uses the server's client id.
    TakenOver,
    /// The broker is unavailable or rejects the client.
    Away(String),
}

/// Events of a connection.
#[derive(Debug)]
pub(super) enum News {
    /// It is established. `resumed`: the broker has kept the session.
    Connected { resumed: bool },
    /// A message has been recorded.
    Taken,
}

/// The subscriptions to make and to remove.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'w> {
    /// Topic filters to subscribe to.
    pub(super) filters: &'w [String],
    /// Topic filters of the previous connection to unsubscribe from.
    pub(super) unwanted: &'w [String],
}

/// Connects, subscribes, and processes messages until the connection ends.
///
/// Messages are started, and acknowledged, in the order of arrival [MQTT-4.6.0-2].
pub(super) async fn connect<F>(
    options: MqttOptions,
    wanted: Wanted<'_>,
    take: impl Fn(Message) -> F,
    lamps: &BrokerLamps,
    mut news: impl FnMut(News),
    stop: &CancellationToken,
) -> End
where
    F: Future<Output = Taken> + Send,
{
    let (client, events) = AsyncClient::builder(options).capacity(ROOM).build();
    // As a stream, so that a poll of the event loop is never dropped half-way: rumqttc doesn't document that as safe.
    let events = stream::unfold(events, async |mut events| {
        let event = events.poll().await;
        Some((event, events))
    });
    let mut events = pin!(events);
    let mut work = Work { client, take, running: FuturesOrdered::new(), unsent: 0 };
    let end = loop {
        tokio::select! {
            biased;
            Some((publish, taken)) = work.running.next() => {
                if work.settle(&publish, taken) {
                    news(News::Taken);
                } else {
                    break End::NotNow;
                }
            }
            () = stop.cancelled() => break End::Stopped,
            event = events.next(), if work.running.len() < SIDE_BY_SIDE => match event {
                Some(Ok(Event::Incoming(Packet::ConnAck(connack)))) => {
                    for filter in wanted.unwanted {
                        if let Err(error) = work.client.try_unsubscribe(filter.as_str()) {
                            tracing::debug!(filter, %error, "A topic that nobody wants is still subscribed to.");
                        }
                    }
                    let filters = wanted.filters.iter().map(|filter| {
                        SubscribeFilterInput::new(filter, QoS::AtLeastOnce).preserve_retain(true)
                    });
                    if let Err(error) = work.client.try_subscribe_many(filters) {
                        break End::Away(error.to_string());
                    }
                    lamps.connected(&work.client);
                    news(News::Connected { resumed: connack.session_present });
                }
                Some(Ok(Event::Incoming(Packet::SubAck(suback)))) => warn_of_refused(wanted.filters, &suback),
                Some(Ok(event)) => work.on(event),
                Some(Err(error)) => break end_of(&error),
                None => break End::Away("the client has ended".to_owned()),
            },
        }
    };
    lamps.gone();
    if matches!(end, End::Stopped | End::NotNow) {
        // Best effort: unacknowledged messages are redelivered.
        let _ = tokio::time::timeout(DRAIN_TIMEOUT, work.drain(events)).await;
    }
    end
}

/// The received messages that aren't acknowledged yet.
struct Work<'t, T> {
    client: AsyncClient,
    take: T,
    running: FuturesOrdered<BoxFuture<'t, (Publish, Taken)>>,
    /// Number of acknowledgements not yet written to the socket.
    unsent: usize,
}

impl<'t, T, F> Work<'t, T>
where
    T: Fn(Message) -> F,
    F: Future<Output = Taken> + Send + 't,
{
    fn on(&mut self, event: Event) {
        match event {
            Event::Incoming(Packet::Publish(publish)) => self.begin(publish),
            Event::Outgoing(Outgoing::PubAck(_)) => self.unsent = self.unsent.saturating_sub(1),
            Event::Incoming(_) | Event::Outgoing(_) | Event::Auth(_) => {}
        }
    }

    fn begin(&mut self, publish: Publish) {
        let message = message_of(&publish);
        let taking = message.map(|message| tokio::time::timeout(TAKE_TIMEOUT, (self.take)(message)));
        self.running.push_back(Box::pin(async move {
            let taken = match taking {
                Some(taking) => taking.await.unwrap_or(Taken::NotNow),
                None => Taken::Refused(Why::TopicInvalid),
            };
            (publish, taken)
        }));
    }

    /// Acknowledges a processed message and returns true; returns false if it must not or can't be acknowledged.
    fn settle(&mut self, publish: &Publish, taken: Taken) -> bool {
        match taken {
            // A refusal would reach the broker, but the fault is the device's: acknowledged, and counted elsewhere.
            Taken::Done | Taken::Refused(_) => {
                let room = self.client.try_ack(publish).is_ok();
                self.unsent += usize::from(room && publish.qos != QoS::AtMostOnce);
                room
            }
            Taken::NotNow => {
                if publish.qos == QoS::AtMostOnce {
                    metrics::counter!("mqtt_lost_total").increment(1);
                }
                false
            }
        }
    }

    /// Finishes the pending messages, sends their acknowledgements and then DISCONNECT. Takes no new messages.
    async fn drain(mut self, mut events: impl Stream<Item = Result<Event, ConnectionError>> + Unpin) {
        while !self.running.is_empty() || self.unsent > 0 {
            tokio::select! {
                biased;
                Some((publish, taken)) = self.running.next() => {
                    self.settle(&publish, taken);
                }
                event = events.next() => match event {
                    Some(Ok(Event::Outgoing(sent))) => self.on(Event::Outgoing(sent)),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return,
                },
            }
        }
        // Without a property of its own, the DISCONNECT leaves the session its expiry (MQTT 5, 3.14.2.2.2).
        if self.client.try_disconnect_now().is_ok() {
            while let Some(Ok(_)) = events.next().await {}
        }
    }
}

/// Converts a PUBLISH. `None`: the topic isn't UTF-8, which a broker rejects [MQTT-1.5.4-1].
fn message_of(publish: &Publish) -> Option<Message> {
    let (qos, packet_id) = match publish.qos {
        QoS::AtMostOnce => (0, None),
        QoS::AtLeastOnce => (1, Some(publish.pkid)),
        QoS::ExactlyOnce => (2, Some(publish.pkid)),
    };
    Some(Message {
        topic: std::str::from_utf8(&publish.topic).ok()?.to_owned(),
        payload: publish.payload.clone(),
        will: false,
        retain: publish.retain,
        dup: publish.dup,
        qos,
        packet_id,
    })
}

fn warn_of_refused(subscriptions: &[String], suback: &SubAck) {
    for (filter, code) in subscriptions.iter().zip(&suback.return_codes) {
        if !matches!(code, SubscribeReasonCode::Success(_)) {
            tracing::warn!(filter, ?code, "The broker refuses a subscription; its buttons aren't heard.");
        }
    }
}

fn end_of(error: &ConnectionError) -> End {
    if let ConnectionError::MqttState(StateError::ServerDisconnect { reason_code, .. }) = error
        && *reason_code == DisconnectReasonCode::SessionTakenOver
    {
        return End::TakenOver;
    }
    End::Away(error.to_string())
}
