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

use super::lamps::BrokerLamps;
use crate::devices::delivery::Message;
use crate::devices::listener::{Taken, Why};

/// Messages at `QoS` 1 that the broker may have in flight to us (MQTT 5, 3.1.2.11.3).
pub(super) const RECEIVE_MAXIMUM: u16 = 64;
/// Messages taken side by side, those at `QoS` 0 included; beyond, TCP holds the broker back.
const SIDE_BY_SIDE: usize = 128;
/// Requests to the client that may wait: acknowledgements and lamps, each by itself.
pub(super) const ROOM: usize = 256;
/// How long a take may last; as at the server's own listener.
const TAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long what is pending may last when the connection ends.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// Why a connection ended.
#[derive(Debug)]
pub(super) enum End {
    /// It was asked to.
    Stopped,
    /// A message couldn't be made durable.
    NotNow,
    /// Another client uses our client id.
    TakenOver,
    /// The broker is away, or doesn't want us.
    Away(String),
}

/// What a connection tells while it lasts.
#[derive(Debug)]
pub(super) enum News {
    /// It stands; whether the broker has kept our session.
    Connected { resumed: bool },
    /// A message has been taken.
    Taken,
}

/// What to ask a broker for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'w> {
    /// Topic filters to subscribe to.
    pub(super) filters: &'w [String],
    /// Those that were subscribed to before, and aren't wanted now.
    pub(super) unwanted: &'w [String],
}

/// Connects, subscribes, and takes messages until the end.
///
/// Takes begin, and are acknowledged, in the order of arrival [MQTT-4.6.0-2].
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
    // As a stream the poll of the event loop is never dropped half-way, which it doesn't say that it would survive.
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
        // Best effort: what isn't acknowledged now is delivered again.
        let _ = tokio::time::timeout(DRAIN_TIMEOUT, work.drain(events)).await;
    }
    end
}

/// What has been received and isn't acknowledged yet.
struct Work<'t, T> {
    client: AsyncClient,
    take: T,
    running: FuturesOrdered<BoxFuture<'t, (Publish, Taken)>>,
    /// Acknowledgements that are on their way to the socket.
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

    /// Acknowledges; or not, and then says no.
    fn settle(&mut self, publish: &Publish, taken: Taken) -> bool {
        match taken {
            // Who would hear a refusal is the broker, which has done nothing wrong: it's the device's, and is counted.
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

    /// Lets what runs finish and its acknowledgements leave; then says goodbye. Nothing new is taken.
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
        // Without a property of its own the DISCONNECT leaves the session its expiry (MQTT 5, 3.14.2.2.2).
        if self.client.try_disconnect_now().is_ok() {
            while let Some(Ok(_)) = events.next().await {}
        }
    }
}

/// `None`: a topic that isn't UTF-8, which a broker doesn't let through [MQTT-1.5.4-1].
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
