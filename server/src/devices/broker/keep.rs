//! Connecting to the broker again and again, with pauses.

use std::convert::Infallible;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::connection::{End, News, Wanted, connect};
use super::lamps::BrokerLamps;
use super::settings::BrokerSettings;
use crate::clock::Ids;
use crate::devices::delivery::Message;
use crate::devices::listener::Taken;

/// The first pause; each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest pause: what a press waits at worst after the broker, or the database, is back.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A connection that lasted as long was good, so that the pauses begin anew.
const GOOD: Duration = Duration::from_secs(30);

/// Everything that a connection needs, for as many connections as it takes.
pub(super) struct Ingest<T> {
    settings: BrokerSettings,
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
    /// Takes messages by `take`, which is told the number of the connection, and never acknowledges before it resolves.
    /// Connects anew when the subscriptions change.
    pub(super) fn new(
        settings: BrokerSettings,
        subscriptions: watch::Receiver<Vec<String>>,
        take: T,
        lamps: BrokerLamps,
        ids: Ids,
    ) -> Self {
        Self { settings, subscriptions, take, lamps, ids, connections: AtomicU64::new(1) }
    }

    /// Stays connected until `stop`.
    pub(super) async fn keep(&self, stop: CancellationToken) {
        let mut state = State::Starting;
        let mut doublings = 0_u32;
        let mut subscriptions = self.subscriptions.clone();
        let mut asked = Vec::new();
        loop {
            let filters = subscriptions.borrow_and_update().clone();
            // The broker keeps what was asked for, also what nobody wants any more.
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
                End::NotNow => state.become_(State::NotNow, || {
                    tracing::warn!("The broker's messages can't be recorded at present; it keeps them.");
                }),
                End::TakenOver => {
                    doublings = u32::MAX;
                    let client_id = self.settings.client_id();
                    state.become_(State::TakenOver, || {
                        tracing::error!(client_id, "Another client uses this server's client id at the broker.");
                    });
                }
                End::Away(why) => {
                    tracing::debug!(why, "Not connected to the broker.");
                    state.become_(State::Away, || tracing::warn!(why, "The broker is away; trying again."));
                }
            }
            let pause = pause(doublings, self.ids.bytes());
            if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                return;
            }
        }
    }

    fn hear(&self, state: &mut State, news: &News) {
        match news {
            News::Connected { resumed } => {
                metrics::gauge!("mqtt_broker_connected").set(1);
                // After a failure to record, only a message that is recorded shows that it is over.
                if *state != State::NotNow {
                    let url = &self.settings.url;
                    state.become_(State::Connected, || tracing::info!(url, resumed, "Connected to the broker."));
                }
            }
            News::Taken => state.become_(State::Connected, || {
                tracing::info!("The broker's messages are recorded again.");
            }),
        }
    }
}

/// Ends a turn when other subscriptions are wanted; never resolves itself.
async fn end_when_changed(subscriptions: &mut watch::Receiver<Vec<String>>, turn: &CancellationToken) -> Infallible {
    if subscriptions.changed().await.is_ok() {
        turn.cancel();
    }
    std::future::pending().await
}

/// How it stands; each change is logged once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Starting,
    Connected,
    NotNow,
    TakenOver,
    Away,
}

impl State {
    fn become_(&mut self, next: Self, log: impl FnOnce()) {
        if *self != next {
            *self = next;
            log();
        }
    }
}

/// Between half of the pause and all of it, so that many servers don't come back to a broker as one.
fn pause(doublings: u32, [jitter]: [u8; 1]) -> Duration {
    let doublings = doublings.saturating_sub(1).min(8);
    let whole = FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE);
    whole / 2 + whole / 2 * u32::from(jitter) / 255
}
