//! Reconnect loop for the broker, with back-off.

use std::convert::Infallible;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::acks::BrokerLamps;
use super::connection::{End, News, Wanted, connect};
use super::settings::BrokerConfig;
use crate::clock::Ids;
use crate::devices::delivery::Message;
use crate::devices::listener::Taken;

/// Initial back-off; it doubles with each failure.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// Maximum back-off: the longest delay of a press after the broker or the database has recovered.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Duration after which a connection counts as successful, so that the back-off is reset.
const GOOD: Duration = Duration::from_secs(30);

/// The ingester: all that its successive connections need.
pub(super) struct Ingest<T> {
    settings: BrokerConfig,
    subscriptions: watch::Receiver<Vec<String>>,
    take: T,
    lamps: BrokerLamps,
    ids: Ids,
    connections: AtomicU64,
}

impl<T, F> Ingest<T>
where
    T: Fn(u64, Message) -> F,
    F: Future<Output = Taken> + Send,
{
    /// Creates the ingester. It passes each message and the connection's number to `take`, and acknowledges only after
    /// that resolves. It reconnects when the subscriptions change.
    pub(super) fn new(
        settings: BrokerConfig,
        subscriptions: watch::Receiver<Vec<String>>,
        take: T,
        lamps: BrokerLamps,
        ids: Ids,
    ) -> Self {
        Self { settings, subscriptions, take, lamps, ids, connections: AtomicU64::new(1) }
    }

    /// Stays connected until `stop`.
    pub(super) async fn keep(&self, stop: CancellationToken) {
        let mut state = LinkState::Starting;
        let mut doublings = 0_u32;
        let mut subscriptions = self.subscriptions.clone();
        let mut asked = Vec::new();
        loop {
            let filters = subscriptions.borrow_and_update().clone();
            // The broker keeps subscriptions in the session, including obsolete ones.
            let unwanted: Vec<String> = asked.into_iter().filter(|filter| !filters.contains(filter)).collect();
            let turn = stop.child_token();
            let begun = Instant::now();
            let end = match self.settings.options() {
                Ok(options) => {
                    let connection = self.connections.fetch_add(1, Ordering::Relaxed);
                    let take = |message| (self.take)(connection, message);
                    let news = |news| self.hear(&mut state, &news);
                    let wanted = Wanted { filters: &filters, unwanted: &unwanted };
                    tokio::select! {
                        end = connect(options, wanted, take, &self.lamps, news, &turn) => end,
                        never = end_when_changed(&mut subscriptions, &turn) => match never {},
                    }
                }
                Err(error) => End::Away(error.to_string()),
            };
            metrics::gauge!("mqtt_broker_connected").set(0);
            asked = filters;
            if matches!(end, End::Stopped) && !stop.is_cancelled() {
                doublings = 0;
                continue;
            }
            doublings = if begun.elapsed() > GOOD { 0 } else { doublings.saturating_add(1) };
            match &end {
                End::Stopped => return,
                End::NotNow => state.become_(LinkState::NotNow, || {
                    tracing::warn!("The broker's messages can't be recorded at present; it keeps them.");
                }),
                End::TakenOver => {
                    doublings = u32::MAX;
                    let client_id = self.settings.client_id();
                    state.become_(LinkState::TakenOver, || {
                        tracing::error!(client_id, "Another client uses this server's client id at the broker.");
                    });
                }
                End::Away(why) => {
                    tracing::debug!(why, "Not connected to the broker.");
                    state.become_(LinkState::Away, || tracing::warn!(why, "The broker is away; trying again."));
                }
            }
            let pause = pause(doublings, self.ids.bytes());
            if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                return;
            }
        }
    }

    fn hear(&self, state: &mut LinkState, news: &News) {
        match news {
            News::Connected { resumed } => {
                metrics::gauge!("mqtt_broker_connected").set(1);
                // After a failure to record, only a recorded message proves recovery.
                if *state != LinkState::NotNow {
                    let url = &self.settings.url;
                    state.become_(LinkState::Connected, || tracing::info!(url, resumed, "Connected to the broker."));
                }
            }
            News::Taken => state.become_(LinkState::Connected, || {
                tracing::info!("The broker's messages are recorded again.");
            }),
        }
    }
}

/// Ends the current connection when the subscriptions change; never resolves itself.
async fn end_when_changed(subscriptions: &mut watch::Receiver<Vec<String>>, turn: &CancellationToken) -> Infallible {
    if subscriptions.changed().await.is_ok() {
        turn.cancel();
    }
    std::future::pending().await
}

/// The connection state; each change is logged once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LinkState {
    Starting,
    Connected,
    NotNow,
    TakenOver,
    Away,
}

impl LinkState {
    fn become_(&mut self, next: Self, log: impl FnOnce()) {
        if *self != next {
            *self = next;
            log();
        }
    }
}

/// The back-off with jitter: between half and all of it, so that many servers don't reconnect at the same time.
fn pause(doublings: u32, [jitter]: [u8; 1]) -> Duration {
    let doublings = doublings.saturating_sub(1).min(8);
    let whole = FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE);
    whole / 2 + whole / 2 * u32::from(jitter) / 255
}
