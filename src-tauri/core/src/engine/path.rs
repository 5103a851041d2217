//! Over what the site is heard: a live socket, or, where the network lets no socket through, an event stream.
//!
//! A proxy that knows no WebSocket lets everything else pass. The device then listens to `GET /api/events`, which says the
//! same, and says by requests of their own what it would say on a socket. Calls need the socket: they are refused here, and
//! the person is told. From time to time, and whenever the network changes, a socket is tried beside the stream.

use super::live::{Live, Socket};
use super::{Engine, Now, Output, Step};
use crate::screen::{Notice, Trouble};

/// Milliseconds between two tries whether a socket gets through, at least; at most twice as many.
const UPGRADE_MS: u64 = 60_000;

/// Sockets in a row that may fail, though the server was reached over HTTP, before an event stream is tried.
const MOST_SOCKET_FAILURES: u32 = 2;

/// Over what the site is heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Path {
    /// A live socket.
    #[default]
    Socket,
    /// Server-sent events.
    Events,
}

impl Live {
    /// Whether there is a connection by which calls can be made and answered.
    pub(super) fn can_call(&self) -> bool {
        matches!(self.socket, Socket::Up { .. }) && self.path == Path::Socket
    }

    /// The connection that was being opened failed.
    pub(super) fn fail_to_open(&mut self, why: Trouble, now: Now) {
        // A server that isn't reached at all says nothing of what gets through to it.
        let reached = self.from.is_some();
        let is_refused = why == Trouble::NoSocket;
        self.fail(why, now);
        match self.path {
            Path::Events => self.path = Path::Socket,
            Path::Socket if is_refused => {
                self.path = Path::Events;
                self.retry_at = now.tick;
            }
            Path::Socket if reached => {
                self.socket_failures += 1;
                if self.socket_failures >= MOST_SOCKET_FAILURES {
                    self.path = Path::Events;
                    self.socket_failures = 0;
                }
            }
            Path::Socket => {}
        }
    }

    /// The connection stands.
    pub(super) fn opened_path(&mut self, now: Now) {
        self.socket_failures = 0;
        self.put_away("no_calls");
        if self.path == Path::Events {
            self.note(Notice::NoCalls);
            self.plan_upgrade(now);
        }
    }

    /// The network may be another: what got through before says nothing of it.
    pub(super) fn forget_path(&mut self, now: Now) {
        self.socket_failures = 0;
        if self.socket == Socket::Closed {
            self.path = Path::Socket;
        } else {
            self.upgrade_at = now.tick;
        }
    }

    fn plan_upgrade(&mut self, now: Now) {
        self.upgrade_at = now.tick + UPGRADE_MS + u64::from(now.luck) % UPGRADE_MS;
    }
}

impl Engine {
    /// Tries a socket beside the stream, when it is time.
    pub(super) fn keep_trying_sockets(&mut self, now: Now, outputs: &mut Vec<Output>) {
        let live = &mut self.live;
        let is_up = matches!(live.socket, Socket::Up { .. });
        if is_up && live.path == Path::Events && !live.upgrading && now.tick >= live.upgrade_at {
            live.upgrading = true;
            outputs.push(Output::TrySocket);
        }
    }

    /// Whether a socket would get through.
    pub(super) fn socket_tried(&self, step: &mut Step, works: bool, now: Now) {
        if !std::mem::take(&mut step.live.upgrading) || step.live.path == Path::Socket {
            return;
        }
        if !works {
            step.live.plan_upgrade(now);
            return;
        }
        step.live.path = Path::Socket;
        if step.live.socket != Socket::Closed {
            self.hear_last(step, now);
            step.live.socket = Socket::Closed;
            step.live.retry_at = now.tick;
            step.outputs.push(Output::Disconnect);
        }
    }

    /// When a socket is to be tried.
    pub(super) fn upgrade_tick(&self) -> Option<u64> {
        let waits = matches!(self.live.socket, Socket::Up { .. }) && self.live.path == Path::Events;
        (waits && !self.live.upgrading).then_some(self.live.upgrade_at)
    }
}
