//! One socket, from `hello` to `bye`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, Utf8Bytes, WebSocket};
use crewbell_shared::protocol::live::{FromClient, FromServer};
use crewbell_shared::{Code, Refusal};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};

use super::frame::{self, Next, Stream};
use super::notices::Notices;
use super::presence::Here;
use crate::auth::{self, SignedIn};
use crate::house::{self, House};
use crate::log::ReadError;

/// How long a socket may take to say who it is.
const HELLO_WITHIN: Duration = Duration::from_secs(10);

/// How long one frame may take to leave. A reader that is slower is dropped and catches up from the log.
const SEND_WITHIN: Duration = Duration::from_secs(10);

/// How long a frame may still take when the server goes down.
const FAREWELL_WITHIN: Duration = Duration::from_secs(1);

/// A socket that says nothing for so long is half open: clients send a heartbeat every 10 s.
const SILENT_FOR: Duration = Duration::from_mins(1);

/// Frames that a client may send in a row before it is too much; it refills by one every 100 ms.
const BURST: u32 = 100;

/// Characters of a device's reason that are logged, at most.
const WHY: usize = 200;

type Sink = SplitSink<WebSocket, Message>;

/// Why a connection ends.
enum End {
    /// The client went, or its socket failed: nothing more can be said.
    Gone,
    /// The rules' "no".
    Refused(Refusal),
    /// The server goes down.
    Restart,
    /// The reader is too slow.
    TooSlow,
}

/// Serves a socket until it ends.
pub async fn serve(house: House, socket: WebSocket) {
    let _told = house.sockets.token();
    let (mut sink, mut frames) = socket.split();
    metrics::gauge!("live_sockets").increment(1.0);
    let first = tokio::select! {
        first = hello(&house, &mut frames) => first,
        () = house.stop.cancelled() => Err(End::Restart),
    };
    let end = match first {
        Ok((who, stream)) => {
            let here = who.site.presence.arrive(who.person.id, who.session_id);
            run(&house, &who, &here, stream, &mut sink, &mut frames).await
        }
        Err(end) => end,
    };
    metrics::gauge!("live_sockets").decrement(1.0);
    let last = match end {
        End::Gone => return,
        End::Refused(refusal) => FromServer::Refused { refusal },
        End::Restart => FromServer::Bye { why: "restart".to_owned() },
        End::TooSlow => {
            metrics::counter!("live_dropped_total", "why" => "too_slow").increment(1);
            return;
        }
    };
    if send(&house, &mut sink, &last).await.is_ok() {
        tokio::select! {
            _ = sink.close() => {}
            () = patience(&house) => {}
        }
    }
}

async fn hello(house: &House, frames: &mut SplitStream<WebSocket>) -> Result<(SignedIn, Stream), End> {
    let first = tokio::time::timeout(HELLO_WITHIN, receive(frames)).await;
    let first = first.map_err(|_| refused(Code::NotSignedIn, "Nothing was said for 10 s."))??;
    let FromClient::Hello { token, cursor, event_id, categories, endpoint: _ } = first else {
        return Err(refused(Code::NotSignedIn, "The first frame is `hello`."));
    };
    let who = auth::of_token(house, &token).await.map_err(|error| End::Refused(house::refusal_of(error)))?;
    let who = who.ok_or_else(|| refused(Code::NotSignedIn, "The token is not valid, or no longer."))?;
    let event_id = event_id.filter(|_| cursor.is_some());
    let stream = Stream::new(&who, cursor.unwrap_or(who.as_of), event_id, categories);
    Ok((who, stream))
}

async fn run(
    house: &House,
    who: &SignedIn,
    here: &Here<'_>,
    mut stream: Stream,
    sink: &mut Sink,
    frames: &mut SplitStream<WebSocket>,
) -> End {
    let welcome = FromServer::Welcome { head: who.as_of, server_time: house.clock.now(), person_id: who.person.id };
    if let Err(end) = send(house, sink, &welcome).await {
        return end;
    }
    let mut notices = Notices::new(Arc::clone(&who.site), house.clock.clone());
    if let Err(end) = push_all(house, sink, notices.next().await).await {
        return end;
    }
    let mut allowance = Allowance::new();
    loop {
        let outcome = tokio::select! {
            frames = notices.next() => push_all(house, sink, frames).await,
            next = stream.next() => match next {
                Ok(Next::Entries(prev, entries)) => push(house, sink, frame::entries_frame(prev, &entries)).await,
                Ok(Next::Nothing) => Ok(()),
                Ok(Next::SignedOut) => Err(refused(Code::NotSignedIn, "You were signed out.")),
                Err(error @ ReadError::SnapshotNeeded { .. }) => Err(End::Refused(frame::refusal_of(&error))),
                // The stream stays where it was: the database comes back, or the client tires first.
                Err(ReadError::Db(_)) => { tokio::time::sleep(Duration::from_millis(500)).await; Ok(()) }
            },
            said = tokio::time::timeout(SILENT_FOR, receive(frames)) => match said {
                Err(_) => Err(End::Gone),
                Ok(Err(end)) => Err(end),
                Ok(Ok(_)) if !allowance.take() => Err(refused(Code::SlowDown, "Too many frames.")),
                Ok(Ok(said)) => answer(house, who, here, stream.sent(), sink, said).await,
            },
            () = house.stop.cancelled() => Err(End::Restart),
        };
        if let Err(end) = outcome {
            return end;
        }
    }
}

async fn answer(
    house: &House,
    who: &SignedIn,
    here: &Here<'_>,
    sent: u64,
    sink: &mut Sink,
    said: FromClient,
) -> Result<(), End> {
    match said {
        FromClient::Hello { .. } => return Err(refused(Code::Invalid, "`hello` was said already.")),
        FromClient::Heartbeat => {
            let (head, server_time) = (who.site.tail.head(), house.clock.now());
            let pulse = FromServer::Pulse { head, sent: Some(sent), server_time };
            return send(house, sink, &pulse).await;
        }
        FromClient::Sounded { request_id, at: _ } => {
            // By the server's clock: a device's own may be wrong by hours.
            let late = who.site.receipts.sounded(request_id, who.session_id, house.clock.now());
            metrics::counter!("alerts_sounded_total").increment(1);
            if let Some(late) = late {
                metrics::histogram!("alert_sounded_after_seconds").record(late.as_secs_f64());
            }
            let late_ms = late.map(|late| late.as_millis());
            tracing::debug!(person = %who.person.id, session = %who.session_id, %request_id, ?late_ms, "A device sounded an alert.");
        }
        FromClient::Sound { able, why } => {
            here.sounds(able);
            if !able {
                let why: String = why.unwrap_or_default().chars().filter(|c| !c.is_control()).take(WHY).collect();
                tracing::warn!(person = %who.person.id, session = %who.session_id, why, "A device can't sound alerts.");
            }
        }
        FromClient::Signal { .. } | FromClient::Unknown => metrics::counter!("live_unknown_frames_total").increment(1),
    }
    Ok(())
}

/// The next frame with something in it. Pings are answered by the socket itself.
async fn receive(frames: &mut SplitStream<WebSocket>) -> Result<FromClient, End> {
    loop {
        match frames.next().await {
            None | Some(Err(_) | Ok(Message::Close(_))) => return Err(End::Gone),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Binary(_))) => {
                metrics::counter!("live_refused_frames_total", "why" => "binary").increment(1);
                return Err(refused(Code::Invalid, "Frames are JSON text."));
            }
            Some(Ok(Message::Text(text))) => {
                return serde_json::from_str(&text).map_err(|error| {
                    metrics::counter!("live_refused_frames_total", "why" => "malformed").increment(1);
                    refused(Code::Invalid, format!("The frame can't be read: {error}."))
                });
            }
        }
    }
}

async fn send(house: &House, sink: &mut Sink, frame: &FromServer) -> Result<(), End> {
    let text = serde_json::to_string(frame).map_err(|_| End::Gone)?;
    push(house, sink, text).await
}

async fn push_all(house: &House, sink: &mut Sink, frames: Vec<Utf8Bytes>) -> Result<(), End> {
    for frame in frames {
        push(house, sink, frame).await?;
    }
    Ok(())
}

async fn push(house: &House, sink: &mut Sink, text: impl Into<Utf8Bytes>) -> Result<(), End> {
    tokio::select! {
        sent = sink.send(Message::Text(text.into())) => sent.map_err(|_| End::Gone),
        () = patience(house) => Err(End::TooSlow),
    }
}

/// How long a frame may take to leave; less when the server goes down, which doesn't wait for a slow reader.
async fn patience(house: &House) {
    tokio::select! {
        () = tokio::time::sleep(SEND_WITHIN) => {}
        () = async { house.stop.cancelled().await; tokio::time::sleep(FAREWELL_WITHIN).await } => {}
    }
}

fn refused(code: Code, message: impl Into<String>) -> End {
    End::Refused(Refusal::new(code, message))
}

/// How many frames a client may still send.
struct Allowance {
    left: u32,
    since: tokio::time::Instant,
}

impl Allowance {
    fn new() -> Self {
        Self { left: BURST, since: tokio::time::Instant::now() }
    }

    fn take(&mut self) -> bool {
        let refill = u32::try_from(self.since.elapsed().as_millis() / 100).unwrap_or(BURST);
        if refill > 0 {
            self.left = (self.left + refill).min(BURST);
            self.since = tokio::time::Instant::now();
        }
        let may = self.left > 0;
        self.left = self.left.saturating_sub(1);
        may
    }
}
