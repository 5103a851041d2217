//! The transport for the site's log: a live socket, or an event stream where the network blocks the socket.
//!
//! A proxy without WebSocket support lets all other requests pass. The device then reads `GET /api/events`, which
//! carries the same frames, and sends its own frames as separate requests. Calls need the socket: they are refused
//! locally, and a notice says so. A socket is tried beside the stream periodically, and whenever the network changes.

use super::volatile_state::{Socket, VolatileState};
use super::{Engine, Now, Output, Step};
use crate::screen::{ConnectionError, Notice};

/// Minimum milliseconds between two tries of a socket; the maximum is twice as many.
const UPGRADE_MS: u64 = 60_000;

/// Consecutive sockets that may fail, while the server is reachable over HTTP, before an event stream is tried.
const MOST_SOCKET_FAILURES: u32 = 2;

/// A transport.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Path {
    /// The live socket.
    #[default]
    Socket,
    /// Server-sent events.
    Events,
}

impl VolatileState {
    /// Returns whether the connection allows making and answering calls.
    pub(super) fn can_call(&self) -> bool {
        matches!(self.socket, Socket::Up { .. }) && self.path == Path::Socket
    }

    /// Handles a connection that failed while opening, and chooses the next transport.
    pub(super) fn fail_to_open(&mut self, why: ConnectionError, now: Now) {
        // An unreachable server says nothing about the transport.
        let reached = self.from.is_some();
        let is_refused = why == ConnectionError::NoSocket;
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

    /// Handles an open connection: resets the failures, and plans a socket try if it is an event stream.
    pub(super) fn opened_path(&mut self, now: Now) {
        self.socket_failures = 0;
        self.put_away("no_calls");
        if self.path == Path::Events {
            self.note(Notice::NoCalls);
            self.plan_upgrade(now);
        }
    }

    /// Forgets the restrictions of the previous network: the next connection uses a socket, and beside an open
    /// stream a socket is tried at once.
    pub(super) fn forget_path(&mut self, now: Now) {
        self.socket_failures = 0;
        if self.socket == Socket::Closed {
            self.path = Path::Socket;
        } else {
            self.upgrade_at = now.tick;
        }
    }

    fn plan_upgrade(&mut self, now: Now) {
        self.upgrade_at = now.tick + UPGRADE_MS + u64::from(now.jitter) % UPGRADE_MS;
    }
}

impl Engine {
    /// Tries a socket beside the event stream when it is due.
    pub(super) fn keep_trying_sockets(&mut self, now: Now, outputs: &mut Vec<Output>) {
        let live = &mut self.live;
        let is_up = matches!(live.socket, Socket::Up { .. });
        if is_up && live.path == Path::Events && !live.upgrading && now.tick >= live.upgrade_at {
            live.upgrading = true;
            outputs.push(Output::TrySocket);
        }
    }

    /// Handles the result of a socket try; if it works, the socket replaces the stream.
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

    /// Returns the tick of the next socket try.
    pub(super) fn upgrade_tick(&self) -> Option<u64> {
        let waits = matches!(self.live.socket, Socket::Up { .. }) && self.live.path == Path::Events;
        (waits && !self.live.upgrading).then_some(self.live.upgrade_at)
    }
}
