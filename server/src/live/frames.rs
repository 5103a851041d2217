//! The frames of the live socket as server-sent events, for an app whose network lets no socket through.
//!
//! The stream says all that a socket says but what is of calls. What the app says to a socket comes by requests of their
//! own ([`said`]); an app that says nothing for too long is gone, as on a socket. One event waits for a slow reader, and the
//! rest is in the log.

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
use super::notices::Notices;
use crate::auth::SignedIn;
use crate::house::House;
use crate::log::ReadError;

/// How often the stream says that it stands, once all that was missed is sent.
const PULSE: Duration = Duration::from_secs(5);

/// How soon the first is due.
const FIRST_PULSE: Duration = Duration::from_millis(200);

/// How long an event may take to leave. A reader that is slower is dropped and catches up from the log.
const SEND_WITHIN: Duration = Duration::from_secs(10);

/// The stream of somebody, as frames; one that says nothing for as long as `silence` has gone.
pub fn frames(
    house: House,
    silence: Duration,
    who: SignedIn,
    stream: Stream,
) -> Sse<impl Events<Item = Result<Event, Infallible>>> {
    let (out, events) = mpsc::channel(1);
    tokio::spawn(async move {
        let _told = house.sockets.token();
        metrics::gauge!("live_streams").increment(1.0);
        // How it ended, whoever listened has been told, or can't be.
        let _ = run(&house, silence, &who, stream, &Out(out)).await;
        metrics::gauge!("live_streams").decrement(1.0);
    });
    Sse::new(futures_util::stream::unfold(events, |mut events| async move {
        let event = events.recv().await?;
        Some((Ok(event), events))
    }))
}

/// What an app that listens to a stream says, by a request: that it is there, and what it sounds.
///
/// # Errors
/// `invalid` for what only a socket takes; `not_there` when no stream of that sign-in is open.
pub fn said(house: &House, who: &SignedIn, said: FromClient) -> Result<(), Refusal> {
    let sounds = match said {
        FromClient::Heartbeat => None,
        FromClient::Sounded { request_id, at: _ } => {
            sounded(house, who, request_id);
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

/// Whoever listens is gone, or too slow.
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

async fn run(house: &House, silence: Duration, who: &SignedIn, mut stream: Stream, out: &Out) -> Result<(), Gone> {
    let here = who.site.presence.arrive(who.person.id, who.session_id);
    out.say(&frame::welcome(house, who).await).await?;
    let mut notices = Notices::new(Arc::clone(&who.site), house.clock.clone());
    let mut pulse = interval_at(Instant::now() + FIRST_PULSE, PULSE.min(silence / 2));
    pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_due = false;
    loop {
        tokio::select! {
            () = house.stop.cancelled() => return out.say(&FromServer::Bye { why: "restart".to_owned() }).await,
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
                    return out.say(&FromServer::Refused { refusal: frame::refusal_of(&error) }).await;
                }
                // The stream stays where it was: the database comes back, or the client tires first.
                Err(ReadError::Db(_)) => tokio::time::sleep(Duration::from_millis(500)).await,
            },
        }
        // A pulse says that nothing is left of what was missed: not before it is so.
        if is_due && stream.is_at_end() {
            is_due = false;
            let (head, server_time) = (who.site.tail.head(), house.clock.now());
            out.say(&FromServer::Pulse { head, sent: Some(stream.sent()), server_time }).await?;
        }
    }
}
