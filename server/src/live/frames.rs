//! The frames of the live socket as server-sent events, for an app whose network blocks web sockets.
//!
//! The stream has all frames but those of calls. The app sends its own frames by separate requests ([`said`]); an app
//! that sends nothing for too long is dropped, as on a socket. For a slow reader one event is buffered; the rest is in
//! the log.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::{Event, Sse};
use crewbell_shared::protocol::live::{FromClient, FromServer};
use crewbell_shared::{Code, Refusal};
use futures_util::Stream as Events;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::connection::{is_silent, sounded};
use super::frame::{self, Next, Stream};
use super::live_updates::LiveUpdates;
use crate::auth::SignedIn;
use crate::log::ReadError;
use crate::site_registry::SiteRegistry;

/// Interval of `pulse` frames, once all missed entries are sent.
const PULSE: Duration = Duration::from_secs(5);

/// Delay of the first `pulse`.
const FIRST_PULSE: Duration = Duration::from_millis(200);

/// Time limit for sending an event. A slower reader is dropped and catches up from the log.
const SEND_WITHIN: Duration = Duration::from_secs(10);

/// Returns a person's stream as frames. It ends when the app sends nothing for longer than `silence`.
pub fn frames(
    registry: SiteRegistry,
    silence: Duration,
    who: SignedIn,
    stream: Stream,
) -> Sse<impl Events<Item = Result<Event, Infallible>>> {
    let (out, events) = mpsc::channel(1);
    tokio::spawn(async move {
        let _told = registry.sockets.token();
        metrics::gauge!("live_streams").increment(1.0);
        // The client has been sent the reason, or can't be reached.
        let _ = run(&registry, silence, &who, stream, &Out(out)).await;
        metrics::gauge!("live_streams").decrement(1.0);
    });
    Sse::new(futures_util::stream::unfold(events, |mut events| async move {
        let event = events.recv().await?;
        Some((Ok(event), events))
    }))
}

/// Handles a frame that an app on an event stream sends by request: a heartbeat, or which alerts it sounds.
///
/// # Errors
/// Returns `invalid` for frames that only a socket accepts, and `not_there` if no stream of that session is open.
pub fn said(registry: &SiteRegistry, who: &SignedIn, said: FromClient) -> Result<(), Refusal> {
    let sounds = match said {
        FromClient::Heartbeat => None,
        FromClient::Sounded { request_id, at: _ } => {
            sounded(registry, who, request_id);
            None
        }
        FromClient::Sound { able, why } => {
            if !able {
                is_silent(who, why);
            }
            Some(able)
        }
        FromClient::Hello { .. } | FromClient::Signal { .. } | FromClient::Unknown => {
            return Err(Refusal::invalid("t", "Only `heartbeat`, `sound` and `sounded` are said by a request."));
        }
    };
    if who.site.presence.said(who.person.id, who.session_id, sounds) {
        Ok(())
    } else {
        Err(Refusal::new(Code::NotThere, "No event stream of this sign-in is open."))
    }
}

/// The client is disconnected or too slow.
struct Gone;

struct Out(mpsc::Sender<Event>);

impl Out {
    async fn push(&self, event: Event) -> Result<(), Gone> {
        self.0.send_timeout(event, SEND_WITHIN).await.map_err(|_| Gone)
    }

    async fn say(&self, frame: &FromServer) -> Result<(), Gone> {
        self.push(Event::default().data(serde_json::to_string(frame).map_err(|_| Gone)?)).await
    }
}

async fn run(
    registry: &SiteRegistry,
    silence: Duration,
    who: &SignedIn,
    mut stream: Stream,
    out: &Out,
) -> Result<(), Gone> {
    let here = who.site.presence.arrive(who.person.id, who.session_id);
    out.say(&frame::welcome(registry, who).await).await?;
    let mut notices = LiveUpdates::new(Arc::clone(&who.site), registry.clock.clone());
    let mut pulse = interval_at(Instant::now() + FIRST_PULSE, PULSE.min(silence / 2));
    pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_due = false;
    loop {
        tokio::select! {
            () = registry.stop.cancelled() => return out.say(&FromServer::Bye { why: "restart".to_owned() }).await,
            () = out.0.closed() => return Ok(()),
            _ = pulse.tick() => {
                if here.silent_for() > silence {
                    metrics::counter!("live_dropped_total", "why" => "silent").increment(1);
                    return Ok(());
                }
                is_due = true;
            }
            frames = notices.next() => {
                for text in frames {
                    out.push(Event::default().data(text.as_str())).await?;
                }
            }
            next = stream.next() => match next {
                Ok(Next::Entries(prev, entries)) => {
                    let text = frame::entries_frame(prev, &entries);
                    if text.len() > frame::LARGEST_FRAME {
                        return out.say(&FromServer::Refused { refusal: frame::too_large() }).await;
                    }
                    out.push(Event::default().id(stream.sent().to_string()).data(text)).await?;
                }
                Ok(Next::Nothing) => {}
                Ok(Next::SignedOut) => {
                    let refusal = Refusal::new(Code::NotSignedIn, "You were signed out.");
                    return out.say(&FromServer::Refused { refusal }).await;
                }
                Err(error @ ReadError::SnapshotNeeded { .. }) => {
                    return out.say(&FromServer::Refused { refusal: frame::refusal_from_read_error(&error) }).await;
                }
                // The stream keeps its position until the database is back or the client disconnects.
                Err(ReadError::Db(_)) => tokio::time::sleep(Duration::from_millis(500)).await,
            },
        }
        // A `pulse` means that no missed entry remains, so it waits for the end of the log.
        if is_due && stream.is_at_end() {
            is_due = false;
            let (head, server_time) = (who.site.recent.head(), registry.clock.now());
            out.say(&FromServer::Pulse { head, sent: Some(stream.sent()), server_time }).await?;
        }
    }
}
