//! The events that a session waits for, polled in order of priority.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, BytesMut};
use futures_util::FutureExt;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, Sleep},
};
use tokio_util::{
    io::poll_read_buf,
    sync::{CancellationToken, WaitForCancellationFutureOwned},
};

use super::{
    super::{
        in_flight::Settled,
        intake::{Intake, Outgoing},
    },
    CROWDED, Ending, OUTPUT, SILENT, Session,
};

/// Bytes of the first read buffer. It is small because most buttons send little; it grows for those that send more.
const SMALL_READ: usize = 2 * 1024;
const LARGE_READ: usize = 32 * 1024;
/// Write timeout: a client that reads nothing for so long is lost.
pub(super) const STALL: Duration = Duration::from_secs(20);
/// An event of a session.
pub(super) enum Event {
    Settled(Settled),
    Lamp(Arc<Outgoing>),
    /// Bytes were read or written: all sources are checked again.
    Moved,
    Ended(Ending),
}

/// The timers and signals that a session polls in addition to its socket.
pub(in super::super) struct Watch {
    taken_over: Pin<Box<WaitForCancellationFutureOwned>>,
    crowded_out: Pin<Box<WaitForCancellationFutureOwned>>,
    shutdown: Pin<Box<WaitForCancellationFutureOwned>>,
    timer: Pin<Box<Sleep>>,
    /// When the client last sent a complete packet, or when reading was last suspended or resumed.
    pub(super) heard: Instant,
    pub(super) held_back: bool,
    /// Whether reading is paused by the rate limit, so that the end of the pause is an event.
    paced: bool,
    /// Since when the client has read none of the output.
    stalled: Option<Instant>,
}

impl Watch {
    pub(in super::super) fn new(
        taken_over: CancellationToken,
        crowded_out: CancellationToken,
        shutdown: CancellationToken,
    ) -> Self {
        let now = Instant::now();
        Self {
            taken_over: Box::pin(taken_over.cancelled_owned()),
            crowded_out: Box::pin(crowded_out.cancelled_owned()),
            shutdown: Box::pin(shutdown.cancelled_owned()),
            timer: Box::pin(tokio::time::sleep_until(now)),
            heard: now,
            held_back: false,
            paced: false,
            stalled: None,
        }
    }
}

impl<I: Intake, S: AsyncRead + AsyncWrite + Unpin> Session<I, S> {
    /// Polls for the next event. All results that are ready are settled before anything is written, so that the
    /// acknowledgements of one commit are sent in one write.
    pub(super) fn poll(&mut self, context: &mut Context<'_>, open: bool) -> Poll<Event> {
        if let Poll::Ready(Some(settled)) = self.work.poll(context) {
            return Poll::Ready(Event::Settled(settled));
        }
        let has_room = self.wire.output.len() < OUTPUT;
        if open
            && has_room
            && let Poll::Ready(Some(message)) = self.inbox.poll(context)
        {
            return Poll::Ready(Event::Lamp(message));
        }
        match self.poll_write(context) {
            Poll::Ready(Err(_)) => return Poll::Ready(Event::Ended(Ending::Lost("broken socket"))),
            // The output was written: check again what waited for room, or whether the session is complete.
            Poll::Ready(Ok(true)) if !has_room || !open => return Poll::Ready(Event::Moved),
            Poll::Ready(Ok(_)) | Poll::Pending => {}
        }
        if open
            && !self.is_full()
            && let Poll::Ready(read) = self.poll_read(context)
        {
            return Poll::Ready(match read {
                Ok(0) => Event::Ended(Ending::Lost("closed socket")),
                Ok(_) => Event::Moved,
                Err(_) => Event::Ended(Ending::Lost("broken socket")),
            });
        }
        if open {
            if self.watch.shutdown.poll_unpin(context).is_ready() {
                return Poll::Ready(Event::Ended(Ending::Shutdown));
            }
            if self.watch.taken_over.poll_unpin(context).is_ready() {
                return Poll::Ready(Event::Ended(Ending::TakenOver));
            }
            if self.watch.crowded_out.poll_unpin(context).is_ready() {
                return Poll::Ready(Event::Ended(Ending::CrowdedOut(CROWDED)));
            }
        }
        self.poll_timer(context, open)
    }

    /// Writes the whole output; returns whether there was any.
    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let (stream, output) = (&mut self.stream, &mut self.wire.output);
        let mut moved = false;
        while !output.is_empty() {
            match Pin::new(&mut *stream).poll_write(context, output) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => {
                    output.advance(written);
                    self.watch.stalled = None;
                    moved = true;
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.watch.stalled.get_or_insert_with(Instant::now);
                    return Poll::Pending;
                }
            }
        }
        if moved || self.watch.stalled.is_some() {
            if Pin::new(stream).poll_flush(context)?.is_pending() {
                self.watch.stalled.get_or_insert_with(Instant::now);
                return Poll::Pending;
            }
            self.watch.stalled = None;
            if output.capacity() > OUTPUT {
                *output = BytesMut::new();
            }
            return Poll::Ready(Ok(true));
        }
        Poll::Ready(Ok(false))
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let input = &mut self.wire.input;
        if input.is_empty() && input.capacity() > LARGE_READ {
            *input = BytesMut::new();
        }
        if input.capacity() - input.len() < SMALL_READ / 2 {
            let more = if input.is_empty() { SMALL_READ } else { LARGE_READ };
            input.reserve(more);
        }
        let read = ready!(poll_read_buf(Pin::new(&mut self.stream), context, input))?;
        Poll::Ready(Ok(read))
    }

    fn poll_timer(&mut self, context: &mut Context<'_>, open: bool) -> Poll<Event> {
        loop {
            let paced = self.pace.held_until(Instant::now()).filter(|_| open);
            if std::mem::replace(&mut self.watch.paced, paced.is_some()) && paced.is_none() {
                return Poll::Ready(Event::Moved);
            }
            let silent = self.idle.filter(|_| open && !self.watch.held_back).map(|idle| self.watch.heard + idle);
            let stalled = self.watch.stalled.map(|since| since + STALL);
            let taking = self.work.due();
            let Some(next) = [silent, stalled, taking, paced].into_iter().flatten().min() else {
                return Poll::Pending;
            };
            if next <= Instant::now() {
                return Poll::Ready(Event::Ended(if taking == Some(next) {
                    Ending::NotTaken("take timeout")
                } else if silent == Some(next) {
                    Ending::Lost(SILENT)
                } else if stalled == Some(next) {
                    Ending::Lost("client reads nothing")
                } else {
                    continue;
                }));
            }
            // A timer that fires early costs one iteration; resetting it for every packet costs more.
            if next < self.watch.timer.deadline() || self.watch.timer.is_elapsed() {
                self.watch.timer.as_mut().reset(next);
            }
            ready!(self.watch.timer.poll_unpin(context));
        }
    }
}
