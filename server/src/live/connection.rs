//! One live WebSocket connection, from `hello` to `bye`.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use crewbell_shared::ids::{CallId, EndpointId, RequestId};
use crewbell_shared::protocol::live::{FromClient, FromServer};
use crewbell_shared::{Code, Refusal};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use governor::{Quota, RateLimiter};
use tokio::time::{Instant, timeout_at};

use super::call_signalling::{self, CallSignalling};
use super::frame::{self, Next, Stream};
use super::live_updates::LiveUpdates;
use super::presence::PresenceGuard;
use super::switchboard::LARGEST_SIGNAL;
use crate::auth::{self, SignedIn};
use crate::limits::Caller;
use crate::log::ReadError;
use crate::site_registry::{self, SiteRegistry};

/// Time limit for `hello`.
const HELLO_WITHIN: Duration = Duration::from_secs(10);

/// Time limit for sending a frame. A slower reader is dropped and catches up from the log.
const SEND_WITHIN: Duration = Duration::from_secs(10);

/// Time limit for sending a frame during shutdown.
const FAREWELL_WITHIN: Duration = Duration::from_secs(1);

/// Time without a message after which a connection counts as half open: clients send a heartbeat every 10 s.
pub const SILENCE: Duration = Duration::from_secs(30);

/// Rate limit of frames: 10 a second. Signals and voice of calls have limits of their own.
const FRAME_RATE: Quota = Quota::per_second(NonZeroU32::new(10).unwrap()).allow_burst(NonZeroU32::new(100).unwrap());

/// Maximum number of characters of a device's reason that are logged.
const WHY: usize = 200;

type Sink = SplitSink<WebSocket, Message>;

/// Reason for the end of a connection.
enum End {
    /// The client disconnected or the connection failed; nothing more can be sent.
    Gone,
    /// The client sent a close frame.
    Closed,
    /// The client sent a malformed or oversized WebSocket frame.
    Malformed,
    /// The server refuses the client.
    Refused(Refusal),
    /// The server shuts down.
    Restart,
    /// The client reads too slowly.
    TooSlow,
    /// The client sent nothing for too long.
    Silent,
}

/// A message from the client.
enum Said {
    /// A frame.
    Frame(FromClient),
    /// A signal of a call that can't be forwarded.
    Unfit(CallId, Refusal),
    /// A binary message: a voice packet, if well formed.
    Binary(Bytes),
}

/// Serves a connection until it ends. It counts as half open when the client sends nothing for `silence`.
pub async fn serve(registry: SiteRegistry, silence: Duration, socket: WebSocket, caller: Caller) {
    let _told = registry.sockets.token();
    let (mut sink, mut frames) = socket.split();
    metrics::gauge!("live_sockets").increment(1.0);
    let first = tokio::select! {
        first = hello(&registry, &mut frames) => first.and_then(|first| {
            caller.signed_in().map_err(|full| refused(Code::Unavailable, full.to_string()))?;
            Ok(first)
        }),
        () = registry.stop.cancelled() => Err(End::Restart),
    };
    let end = match first {
        Ok((who, stream, endpoint)) => {
            let here = who.site.presence.arrive(who.person.id, who.session_id);
            run(&registry, &who, (&here, endpoint), stream, &mut sink, (&mut frames, silence)).await
        }
        Err(end) => end,
    };
    metrics::gauge!("live_sockets").decrement(1.0);
    let (last, code) = match end {
        End::Gone => return,
        // The library has queued the close frame; closing sends it (RFC 6455, 5.5.1).
        End::Closed => return close(&registry, &mut sink).await,
        // This includes broken connections, where the close frame reaches nobody.
        End::Malformed => return farewell(&registry, &mut sink, close_code::PROTOCOL).await,
        End::Refused(refusal) => {
            let code = close_code(refusal.code);
            (FromServer::Refused { refusal }, code)
        }
        End::Restart => (FromServer::Bye { why: "restart".to_owned() }, close_code::RESTART),
        End::TooSlow => return dropped("too_slow"),
        End::Silent => return dropped("silent"),
    };
    if send(&registry, &mut sink, &last).await.is_ok() {
        farewell(&registry, &mut sink, code).await;
    }
}

/// Sends a close frame with a code and closes the connection.
async fn farewell(registry: &SiteRegistry, sink: &mut Sink, code: u16) {
    let frame = CloseFrame { code, reason: Utf8Bytes::from_static("") };
    if deliver(registry, sink, Message::Close(Some(frame))).await.is_ok() {
        close(registry, sink).await;
    }
}

/// Returns the close code for a refusal (RFC 6455, 7.4; 3000 and 1013 from IANA's registry).
fn close_code(refused: Code) -> u16 {
    let codes = [
        (Code::NotSignedIn, 3000),
        (Code::Invalid, close_code::INVALID),
        (Code::Unavailable, close_code::AGAIN),
        (Code::Internal, close_code::ERROR),
    ];
    codes.into_iter().find(|(code, _)| *code == refused).map_or(close_code::POLICY, |(_, number)| number)
}

async fn close(registry: &SiteRegistry, sink: &mut Sink) {
    tokio::select! {
        _ = sink.close() => {}
        () = patience(registry) => {}
    }
}

/// Counts a connection that is dropped without a close frame, because the client would not receive one.
fn dropped(why: &'static str) {
    metrics::counter!("live_dropped_total", "why" => why).increment(1);
}

async fn hello(
    registry: &SiteRegistry,
    frames: &mut SplitStream<WebSocket>,
) -> Result<(SignedIn, Stream, Option<EndpointId>), End> {
    let first = tokio::time::timeout(HELLO_WITHIN, receive(frames)).await;
    let first = first.map_err(|_| refused(Code::NotSignedIn, "Nothing was said for 10 s."))??;
    let (token, cursor, event_id, categories, endpoint) = match first {
        Said::Frame(FromClient::Hello { token, cursor, event_id, categories, endpoint }) => {
            (token, cursor, event_id, categories, endpoint)
        }
        Said::Binary(_) => return Err(refused(Code::Invalid, "Frames are JSON text.")),
        Said::Frame(_) | Said::Unfit(..) => return Err(refused(Code::NotSignedIn, "The first frame is `hello`.")),
    };
    let who = auth::of_token(registry, &token)
        .await
        .map_err(|error| End::Refused(site_registry::refusal_from_action_error(error)))?;
    let who = who.ok_or_else(|| refused(Code::NotSignedIn, "The token is not valid, or no longer."))?;
    let event_id = event_id.filter(|_| cursor.is_some());
    let stream = Stream::new(&who, cursor.unwrap_or(who.as_of), event_id, categories);
    Ok((who, stream, endpoint))
}

async fn run(
    registry: &SiteRegistry,
    who: &SignedIn,
    (here, endpoint): (&PresenceGuard<'_>, Option<EndpointId>),
    mut stream: Stream,
    sink: &mut Sink,
    (frames, silence): (&mut SplitStream<WebSocket>, Duration),
) -> End {
    let welcome = frame::welcome(registry, who).await;
    if let Err(end) = send(registry, sink, &welcome).await {
        return end;
    }
    let mut notices = LiveUpdates::new(Arc::clone(&who.site), registry.clock.clone());
    if let Err(end) = push_all(registry, sink, notices.next().await).await {
        return end;
    }
    let mut phone = CallSignalling::new(who, endpoint);
    let limiter = RateLimiter::direct(FRAME_RATE);
    // Only received messages reset it, since sending doesn't show that the client is still connected.
    let mut silent_at = Instant::now() + silence;
    loop {
        let outcome = tokio::select! {
            frames = notices.next() => push_all(registry, sink, frames).await,
            next = stream.next() => match next {
                Ok(Next::Entries(prev, entries)) => match frame::entries_frame(prev, &entries) {
                    frame if frame.len() <= frame::LARGEST_FRAME => push(registry, sink, frame).await,
                    _ => Err(End::Refused(frame::too_large())),
                },
                Ok(Next::Nothing) => Ok(()),
                Ok(Next::SignedOut) => Err(refused(Code::NotSignedIn, "You were signed out.")),
                Err(error @ ReadError::SnapshotNeeded { .. }) => Err(End::Refused(frame::refusal_from_read_error(&error))),
                // The stream keeps its position until the database is back or the client disconnects.
                Err(ReadError::Db(_)) => { tokio::time::sleep(Duration::from_millis(500)).await; Ok(()) }
            },
            message = phone.next() => deliver(registry, sink, message).await,
            said = timeout_at(silent_at, receive(frames)) => {
                silent_at = Instant::now() + silence;
                match said {
                    Err(_) => Err(End::Silent),
                    Ok(Err(end)) => Err(end),
                    Ok(Ok(Said::Binary(message))) => { phone.voice(message); Ok(()) }
                    Ok(Ok(Said::Frame(FromClient::Signal { call_id, to, signal }))) => {
                        reply(registry, sink, phone.signal(call_id, Ok((to, signal))).await).await
                    }
                    Ok(Ok(Said::Unfit(call_id, refusal))) => {
                        reply(registry, sink, phone.signal(call_id, Err(refusal)).await).await
                    }
                    Ok(Ok(Said::Frame(_))) if limiter.check().is_err() => {
                        Err(refused(Code::SlowDown, "Too many frames."))
                    }
                    Ok(Ok(Said::Frame(said))) => answer(registry, who, here, stream.sent(), sink, said).await,
                }
            }
            () = registry.stop.cancelled() => Err(End::Restart),
        };
        if let Err(end) = outcome {
            return end;
        }
    }
}

async fn answer(
    registry: &SiteRegistry,
    who: &SignedIn,
    here: &PresenceGuard<'_>,
    sent: u64,
    sink: &mut Sink,
    said: FromClient,
) -> Result<(), End> {
    match said {
        FromClient::Hello { .. } => return Err(refused(Code::Invalid, "`hello` was said already.")),
        FromClient::Heartbeat => {
            let (head, server_time) = (who.site.recent.head(), registry.clock.now());
            let pulse = FromServer::Pulse { head, sent: Some(sent), server_time };
            return send(registry, sink, &pulse).await;
        }
        FromClient::Sounded { request_id, at: _ } => sounded(registry, who, request_id),
        FromClient::Sound { able, why } => {
            here.sounds(able);
            if !able {
                is_silent(who, why);
            }
        }
        // `run` handles signals.
        FromClient::Signal { .. } | FromClient::Unknown => metrics::counter!("live_unknown_frames_total").increment(1),
    }
    Ok(())
}

/// Records that a device sounded the alert of a request.
pub(super) fn sounded(registry: &SiteRegistry, who: &SignedIn, request_id: RequestId) {
    // Lateness is measured by the server's clock, because a device's clock may be wrong by hours.
    let late = who.site.receipts.sounded(request_id, who.session_id, registry.clock.now());
    metrics::counter!("alerts_sounded_total").increment(1);
    if let Some(late) = late {
        metrics::histogram!("alert_sounded_after_seconds").record(late.as_secs_f64());
    }
    let late_ms = late.map(|late| late.as_millis());
    tracing::debug!(person = %who.person.id, session = %who.session_id, %request_id, ?late_ms, "A device sounded an alert.");
}

/// Logs that a device can't sound alerts.
pub(super) fn is_silent(who: &SignedIn, why: Option<String>) {
    let why: String = why.unwrap_or_default().chars().filter(|c| !c.is_control()).take(WHY).collect();
    tracing::warn!(person = %who.person.id, session = %who.session_id, why, "A device can't sound alerts.");
}

/// Receives the next frame with content. The WebSocket library answers pings.
async fn receive(frames: &mut SplitStream<WebSocket>) -> Result<Said, End> {
    loop {
        match frames.next().await {
            None => return Err(End::Gone),
            Some(Err(_)) => return Err(End::Malformed),
            Some(Ok(Message::Close(_))) => return Err(End::Closed),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Binary(message))) => return Ok(Said::Binary(message)),
            Some(Ok(Message::Text(text))) => return read(&text),
        }
    }
}

/// Parses a frame. A malformed frame ends the connection; a malformed signal is refused by itself, because its call
/// goes on.
fn read(text: &str) -> Result<Said, End> {
    let frame = serde_json::from_str(text);
    let signal = match &frame {
        Ok(FromClient::Signal { call_id, .. }) if text.len() > LARGEST_SIGNAL => {
            Some((*call_id, call_signalling::too_large()))
        }
        Ok(_) => None,
        Err(error) => {
            let envelope = serde_json::from_str::<Envelope>(text).ok().filter(|envelope| envelope.t == "signal");
            let why = || Refusal::invalid("signal", format!("The signal can't be read: {error}."));
            envelope.map(|envelope| (envelope.call_id, why()))
        }
    };
    match (signal, frame) {
        (Some((call_id, refusal)), _) => Ok(Said::Unfit(call_id, refusal)),
        (None, Ok(frame)) => Ok(Said::Frame(frame)),
        (None, Err(error)) => {
            metrics::counter!("live_refused_frames_total", "why" => "malformed").increment(1);
            Err(refused(Code::Invalid, format!("The frame can't be read: {error}.")))
        }
    }
}

/// The fields of a malformed signal that are needed to refuse it.
#[derive(serde::Deserialize)]
struct Envelope {
    t: String,
    call_id: CallId,
}

async fn reply(registry: &SiteRegistry, sink: &mut Sink, frame: Option<FromServer>) -> Result<(), End> {
    match frame {
        Some(frame) => send(registry, sink, &frame).await,
        None => Ok(()),
    }
}

async fn send(registry: &SiteRegistry, sink: &mut Sink, frame: &FromServer) -> Result<(), End> {
    let text = serde_json::to_string(frame).map_err(|_| End::Gone)?;
    push(registry, sink, text).await
}

async fn push_all(registry: &SiteRegistry, sink: &mut Sink, frames: Vec<Utf8Bytes>) -> Result<(), End> {
    for frame in frames {
        push(registry, sink, frame).await?;
    }
    Ok(())
}

async fn push(registry: &SiteRegistry, sink: &mut Sink, text: impl Into<Utf8Bytes>) -> Result<(), End> {
    deliver(registry, sink, Message::Text(text.into())).await
}

async fn deliver(registry: &SiteRegistry, sink: &mut Sink, message: Message) -> Result<(), End> {
    tokio::select! {
        sent = sink.send(message) => sent.map_err(|_| End::Gone),
        () = patience(registry) => Err(End::TooSlow),
    }
}

/// Waits for the time limit of a frame, which is shorter during shutdown so that a slow reader doesn't delay it.
async fn patience(registry: &SiteRegistry) {
    tokio::select! {
        () = tokio::time::sleep(SEND_WITHIN) => {}
        () = async { registry.stop.cancelled().await; tokio::time::sleep(FAREWELL_WITHIN).await } => {}
    }
}

fn refused(code: Code, message: impl Into<String>) -> End {
    End::Refused(Refusal::new(code, message))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::live::switchboard::Switchboard;

    /// Fragments of frames for the fuzzer, whole and partial.
    const PIECES: [&str; 12] = [
        "{\"t\":\"heartbeat\"}",
        "{\"t\":\"hello\",\"token\":\"x\"",
        "\"cursor\":18446744073709551615",
        "{\"t\":\"sound\",\"able\":true",
        "{\"t\":\"signal\",",
        "\"call_id\":\"01900000-0000-7000-8000-000000000001\"",
        "\"to\":\"01900000-0000-7000-8000-000000000002\"",
        "\"signal\":{\"kind\":\"offer\",\"sdp\":\"v=0\"}",
        "\"t\":\"sounded\"",
        "\"at\":\"2026-01-01T00:00:00Z\"",
        "\"t\":",
        "-1e999",
    ];

    proptest! {
        #![proptest_config(crate::fuzz::config(2_000))]

        #[test]
        fn whatever_text_a_client_sends_is_a_frame_or_refused_as_invalid(text in crate::fuzz::noise_with(&PIECES)) {
            let text = String::from_utf8_lossy(&text);
            match read(&text) {
                Ok(Said::Frame(frame)) => {
                    let written = serde_json::to_string(&frame).unwrap();
                    let again: FromClient = serde_json::from_str(&written).unwrap();
                    prop_assert_eq!(again, frame, "{}", written);
                }
                Ok(Said::Unfit(call_id, refusal)) => {
                    prop_assert!(text.contains(&call_id.to_string()) && refusal.code == Code::Invalid, "{}", text);
                }
                Ok(Said::Binary(_)) => prop_assert!(false, "text is no voice"),
                Err(End::Refused(refusal)) => prop_assert_eq!(refusal.code, Code::Invalid),
                Err(_) => prop_assert!(false, "{} ends the socket without a word", text),
            }
        }

        #[test]
        fn whatever_bytes_a_client_sends_as_voice_go_to_nobody(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let from = (crewbell_shared::testing::sam().id, crewbell_shared::testing::id(90));
            let why = Switchboard::default().voice(from, Bytes::from(bytes));
            prop_assert!(matches!(why, Err("malformed" | "call_over")), "{:?}", why);
        }
    }
}
