//! The log stream as server-sent events (HTML standard, 9.2), for browsers and scripts.
//!
//! Each event's `id` is the entry's number; a client that reconnects sends it as `Last-Event-ID` and continues after
//! it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream as Events, StreamExt, stream};

use super::frame::{Next, Stream, refusal_from_read_error};
use crate::log::{LogEntry, ReadError};
use crate::site_registry::SiteRegistry;

/// Returns a person's stream as events.
pub fn events(registry: SiteRegistry, stream: Stream) -> Sse<impl Events<Item = Result<Event, Infallible>>> {
    // The shared entries; each is written when its turn comes.
    let waiting: VecDeque<Arc<LogEntry>> = VecDeque::new();
    let events = stream::unfold((registry, Some(stream), waiting), |(registry, mut stream, mut waiting)| async move {
        loop {
            if let Some(entry) = waiting.pop_front() {
                let event = Event::default().id(entry.seq.to_string()).data(&*entry.envelope);
                return Some((Ok(event), (registry, stream, waiting)));
            }
            let reading = stream.as_mut()?;
            let next = tokio::select! {
                next = reading.next() => next,
                () = registry.stop.cancelled() => return None,
            };
            match next {
                Ok(Next::Entries(_, entries)) => waiting = entries.into(),
                Ok(Next::Nothing) => {}
                Ok(Next::SignedOut) => return None,
                Err(error @ ReadError::SnapshotNeeded { .. }) => {
                    let refusal = serde_json::to_string(&refusal_from_read_error(&error)).unwrap_or_default();
                    let event = Event::default().event("refused").data(refusal);
                    return Some((Ok(event), (registry, None, waiting)));
                }
                Err(ReadError::Db(_)) => tokio::time::sleep(Duration::from_millis(500)).await,
            }
        }
    });
    // The first bytes are sent at once, so that the client and any proxy see that the stream is open.
    let first = stream::iter([Ok(Event::default().comment("the log follows"))]);
    Sse::new(first.chain(events)).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}
