//! Connection to the server: connecting, heartbeats, back-off.
//!
//! All timers use the monotonic clock, so that setting a device's time causes neither hangs nor tight retry loops.
//!
//! A socket isn't notified when the device leaves a network; it only falls silent. The device's own addresses reveal
//! it: a socket from an address that is gone is closed at once, and the next one is opened without delay.

use std::net::IpAddr;

use crewbell_shared::ids::InstanceId;
use crewbell_shared::protocol::live::{FromClient, FromServer};
use crewbell_shared::{Code, Refusal};

use super::path::Path;
use super::token::is_dead_token;
use super::volatile_state::{Socket, VolatileState};
use super::{Engine, Fault, Now, Output, Step};
use crate::screen::{ConnectionError, CoreEvent, Link, Notice};
use crate::store::{Cursor, Session, Write};

/// Milliseconds between heartbeats. The server drops a socket after 30 s of silence.
const BEAT_MS: u64 = 5_000;
/// Milliseconds from `welcome` to the first heartbeat; most missed entries have arrived by then.
const FIRST_BEAT_MS: u64 = 500;
/// Milliseconds of silence after which a socket counts as dead: two heartbeats unanswered.
const DEAD_MS: u64 = 12_000;
/// Timeout of connecting and of fetching, in milliseconds.
const OPEN_MS: u64 = 10_000;
/// Upper bound of the first back-off delay, in milliseconds; doubled with each failure, up to [`LONGEST_WAIT_MS`].
const FIRST_WAIT_MS: u64 = 500;
/// Lower bound of any back-off delay, in milliseconds.
const SHORTEST_WAIT_MS: u64 = 100;
/// Milliseconds over which devices that must all take a snapshot at once spread their requests; doubled with each
/// repetition, up to [`LONGEST_SPREAD_MS`].
const SPREAD_MS: u64 = 4_000;
/// Upper bound of the snapshot spread, in milliseconds.
const LONGEST_SPREAD_MS: u64 = 120_000;
/// Milliseconds that a connection must last before the failure count is reset, so that connections that keep ending
/// just after `welcome` still back off.
const HOLDS_MS: u64 = 10_000;
/// Upper bound of the back-off delay, in milliseconds; short, for a crew member who walks back into the Wi-Fi.
const LONGEST_WAIT_MS: u64 = 15_000;
/// Tolerated offset of a device's clock, in seconds; the person is notified of a greater one.
const CLOCK_TOLERANCE_S: i64 = 120;
/// Milliseconds after waking within which a socket must receive data, or it counts as dead.
const WAKE_PATIENCE_MS: u64 = 3_000;

/// Returns the back-off delay after a number of failures in a row: exponential with full jitter, so that a hundred
/// tablets don't reconnect to a server at the same instant.
pub(super) fn backoff(failures: u32, luck: u32) -> u64 {
    SHORTEST_WAIT_MS + jitter(FIRST_WAIT_MS, LONGEST_WAIT_MS, failures, luck)
}

/// Returns a random number from zero to a bound that doubles each time.
fn jitter(first: u64, longest: u64, times: u32, luck: u32) -> u64 {
    let bound = first.saturating_mul(1 << times.saturating_sub(1).min(10)).min(longest);
    u64::from(luck) % (bound + 1)
}

impl VolatileState {
    /// Records a failed connection and schedules the next attempt.
    pub(super) fn fail(&mut self, why: impl Into<ConnectionError>, now: Now) {
        self.socket = Socket::Closed;
        self.fetching = false;
        self.failures = self.failures.saturating_add(1);
        self.retry_at = now.tick + backoff(self.failures, now.jitter);
        self.trouble = Some(why.into());
    }

    /// Handles a change of network availability.
    pub(super) fn network(&mut self, there: bool, now: Now) {
        if there {
            self.retry_now(now);
            self.woke(now);
        }
    }

    /// Resets the back-off so that the next attempt starts at once; earlier failures had another cause.
    fn retry_now(&mut self, now: Now) {
        self.forget_path(now);
        self.failures = 0;
        self.send_failures = 0;
        self.retry_at = now.tick;
        self.send_at = now.tick;
    }

    /// Returns whether the current socket uses a local address that is gone. A socket that isn't connected yet may use
    /// any.
    fn is_from(&self, lost: &[IpAddr]) -> bool {
        match (&self.socket, self.from) {
            (Socket::Closed, _) => false,
            (Socket::Opening { .. }, None) => !lost.is_empty(),
            // Loopback connections need no network.
            (Socket::Opening { .. } | Socket::Up { .. }, from) => {
                from.is_some_and(|from| !from.is_loopback() && lost.contains(&from))
            }
        }
    }

    /// Handles waking from sleep: a socket must answer quickly, or it counts as dead.
    pub(super) fn woke(&mut self, now: Now) {
        self.retry_at = self.retry_at.min(now.tick);
        if let Socket::Up { heard_at, beat_at, .. } = &mut self.socket {
            *heard_at = now.tick.saturating_sub(DEAD_MS - WAKE_PATIENCE_MS).min(*heard_at);
            *beat_at = now.tick;
        }
    }

    fn heard(&mut self, now: Now) {
        if let Socket::Up { heard_at, .. } = &mut self.socket {
            *heard_at = now.tick;
        }
    }

    /// Handles an answered heartbeat. If no entry arrived since it was sent, the remaining entries up to the head are
    /// for other readers: the stream is filtered, and no entry marks its end. An event stream sends a pulse only at the
    /// end of the log.
    fn catch_up(&mut self) {
        let path = self.path;
        if let Socket::Up { streamed, head, asked_at, .. } = &mut self.socket
            && (*asked_at == Some(*streamed) || path == Path::Events)
        {
            *head = (*head).min(*streamed);
        }
    }

    fn set_clock(&mut self, server_time: jiff::Timestamp, now: Now) {
        self.offset_ms = server_time.as_millisecond() - now.wall.as_millisecond();
        let by_s = self.offset_ms / 1000;
        self.put_away("clock_wrong");
        if by_s.abs() > CLOCK_TOLERANCE_S {
            self.note(Notice::ClockWrong { by_s });
        }
    }
}

impl Engine {
    /// Handles a frame.
    pub(super) fn frame(&self, step: &mut Step, socket: u64, frame: FromServer, now: Now) {
        if socket != step.live.sockets || step.live.socket == Socket::Closed {
            return;
        }
        step.live.heard(now);
        match frame {
            FromServer::Welcome { head, server_time, person_id, instance } => {
                let Some(session) = &self.image.session else { return };
                // A server that attributes the token to another person, or is another installation, is not the one that
                // issued it.
                if session.person.id != person_id || !is_of(instance, session.instance) {
                    step.live.fail(ConnectionError::OtherServer, now);
                    return step.outputs.push(Output::Disconnect);
                }
                if session.instance.is_none() && instance.is_some() {
                    step.writes.push(Write::SignIn(Session { instance, ..session.clone() }));
                }
                let streamed = self.image.cursor.map_or(0, |cursor| cursor.seq);
                step.live.socket = Socket::Up {
                    heard_at: now.tick,
                    beat_at: now.tick + FIRST_BEAT_MS,
                    streamed,
                    head,
                    asked_at: None,
                };
                step.live.opened_path(now);
                step.live.send_failures = 0;
                step.live.send_at = now.tick;
                step.live.trouble = None;
                step.live.sounded.clear();
                step.live.line.word = None;
                step.live.line.up_at = now.tick;
                // The server sends the presence list at once; the previous socket's list may be outdated.
                step.live.present.clear();
                if step.live.line.media.is_some() && step.live.can_call() {
                    step.outputs.push(Output::SocketBack);
                }
                step.live.set_clock(server_time, now);
                step.writes.push(Write::Heard(server_time));
                self.ask_again(step);
                step.outputs.extend(Self::say_ears(&step.live.ears));
            }
            FromServer::Entries { prev, entries } => self.entries(step, prev, entries, now),
            FromServer::Pulse { server_time, sent, head: _ } => {
                step.live.set_clock(server_time, now);
                step.live.catch_up();
                self.hear(step, server_time);
                let missed = match step.live.socket {
                    Socket::Up { streamed, .. } => sent.is_some_and(|sent| sent != streamed),
                    Socket::Closed | Socket::Opening { .. } => false,
                };
                if missed {
                    Self::resync(step, ConnectionError::Missed, now);
                }
            }
            FromServer::Refused { refusal } => self.refused_by_socket(step, refusal, now),
            FromServer::Bye { why } => {
                step.live.fail(goodbye(&why), now);
                self.hear_last(step, now);
            }
            FromServer::Present { people } => Self::present(step, people, now),
            FromServer::Seen { people } => Self::last_seen(step, people),
            FromServer::Reached { request_id, devices, sounded } => {
                step.emit(CoreEvent::Reached { request_id, devices, sounded });
            }
            FromServer::Signal { call_id, from, signal } => self.signalled(step, call_id, from, signal),
            FromServer::Peer { call_id, endpoint: _, there } => Self::reached(step, call_id, there, now),
            // A refused signal, whose reason is in the log, or a frame of a newer server.
            FromServer::SignalRefused { .. } | FromServer::Unknown => {}
        }
    }

    /// Records the local address of a socket's open connection.
    pub(super) fn opened(step: &mut Step, socket: u64, from: IpAddr) {
        if socket == step.live.sockets && step.live.socket != Socket::Closed {
            step.live.from = Some(from);
        }
    }

    /// Handles a change of the device's own addresses. A socket whose address remains stays open.
    pub(super) fn moved(&self, step: &mut Step, lost: &[IpAddr], gained: &[IpAddr], now: Now) {
        if step.live.is_from(lost) {
            self.hear_last(step, now);
            step.live.socket = Socket::Closed;
            step.live.retry_now(now);
            step.outputs.push(Output::Moved);
        } else if gained.iter().any(|address| !address.is_loopback()) {
            step.live.retry_now(now);
        }
    }

    /// Handles a frame that can't be parsed. Its content is unknown, so the stream is given up, and the missed entries
    /// are read again after the cursor.
    pub(super) fn garbled(step: &mut Step, socket: u64, now: Now) {
        if socket == step.live.sockets && step.live.socket != Socket::Closed {
            step.live.fail(ConnectionError::Garbled, now);
            step.outputs.push(Output::Disconnect);
        }
    }

    /// Handles the end of a socket.
    pub(super) fn closed(&self, step: &mut Step, socket: u64, why: ConnectionError, now: Now) {
        if socket != step.live.sockets {
            return;
        }
        // A message over the size limit stays too large, so a snapshot has to replace it.
        step.live.stale_cursor |= why == ConnectionError::TooLarge;
        match step.live.socket {
            Socket::Closed => {}
            Socket::Opening { .. } => step.live.fail_to_open(why, now),
            Socket::Up { .. } => {
                self.hear_last(step, now);
                step.live.fail(why, now);
            }
        }
    }

    fn refused_by_socket(&self, step: &mut Step, refusal: Refusal, now: Now) {
        if is_dead_token(refusal.code) {
            return self.doubt_token(step, &refusal, now);
        }
        self.hear_last(step, now);
        if refusal.code == Code::SnapshotNeeded {
            step.live.stale_cursor = true;
            step.live.restored |= refusal.details["restored"] == true;
            step.live.socket = Socket::Closed;
            // All devices may be refused at the same moment.
            step.live.failures = step.live.failures.saturating_add(1);
            step.live.retry_at = now.tick + jitter(SPREAD_MS, LONGEST_SPREAD_MS, step.live.failures, now.jitter);
        } else {
            step.live.fail(ConnectionError::Refused { refusal }, now);
        }
    }

    /// Stores the time of the last contact with the server: once a minute while live, and when the connection ends.
    fn hear(&self, step: &mut Step, at: jiff::Timestamp) {
        let recent = self.image.heard_at.is_some_and(|before| at.as_second() - before.as_second() < 60);
        if !recent {
            step.writes.push(Write::Heard(at));
            Self::see_present(step, at);
        }
    }

    pub(super) fn hear_last(&self, step: &mut Step, now: Now) {
        if let Socket::Up { heard_at, .. } = self.live.socket {
            let ago = i64::try_from(now.tick.saturating_sub(heard_at)).unwrap_or(0);
            let at = self.live.server_time(now).saturating_sub(jiff::SignedDuration::from_millis(ago));
            if let Ok(at) = at {
                step.writes.push(Write::Heard(at));
                Self::see_present(step, at);
            }
        }
    }

    /// Takes the next step towards a live connection.
    pub(super) fn keep_connected(&mut self, now: Now, outputs: &mut Vec<Output>) {
        if self.image.session.is_none() {
            if self.live.socket != Socket::Closed {
                self.live.socket = Socket::Closed;
                outputs.push(Output::Disconnect);
            }
            self.live.fetching = false;
            (self.live.doubted, self.live.asking_token) = (false, false);
            return;
        }
        match self.live.socket {
            Socket::Closed => {}
            Socket::Opening { since } => {
                if now.tick.saturating_sub(since) >= OPEN_MS {
                    self.live.fail_to_open(ConnectionError::NoAnswer, now);
                    outputs.push(Output::Disconnect);
                }
            }
            Socket::Up { heard_at, .. } if now.tick.saturating_sub(heard_at) >= DEAD_MS => {
                self.live.fail(ConnectionError::Silent, now);
                outputs.push(Output::Disconnect);
            }
            Socket::Up { ref mut beat_at, ref mut asked_at, streamed, .. } => {
                if now.tick.saturating_sub(self.live.line.up_at) >= HOLDS_MS {
                    self.live.failures = 0;
                }
                if now.tick >= *beat_at {
                    // Over an event stream each heartbeat is a request without an answer; the stream pulses by itself.
                    *beat_at = now.tick + if self.live.path == Path::Socket { BEAT_MS } else { 2 * BEAT_MS };
                    *asked_at = Some(streamed);
                    outputs.push(Output::Say(FromClient::Heartbeat));
                }
            }
        }
        self.keep_trying_sockets(now, outputs);
        let busy = self.live.fetching || self.live.asking_token;
        if self.live.socket != Socket::Closed || busy || now.tick < self.live.retry_at {
            return;
        }
        if self.live.doubted {
            self.live.asking_token = true;
            return outputs.push(Output::AskToken);
        }
        match self.image.cursor {
            Some(cursor) if !self.live.stale_cursor => self.connect(cursor, now, outputs),
            Some(_) | None => {
                self.live.fetching = true;
                outputs.push(Output::FetchSnapshot);
            }
        }
    }

    fn connect(&mut self, cursor: Cursor, now: Now, outputs: &mut Vec<Output>) {
        self.live.sockets += 1;
        self.live.from = None;
        self.live.socket = Socket::Opening { since: now.tick };
        let socket = self.live.sockets;
        outputs.push(match self.live.path {
            Path::Socket => Output::Connect { socket, cursor },
            Path::Events => Output::Listen { socket, cursor },
        });
    }

    /// Returns the connection state for display.
    pub(super) fn link(&self) -> Link {
        if self.image.session.is_none() {
            return Link::SignedOut;
        }
        let read = self.image.cursor.map_or(0, |cursor| cursor.seq);
        match self.live.socket {
            Socket::Up { head, streamed, .. } if read.max(streamed) < head => Link::CatchingUp,
            Socket::Up { .. } => Link::Live,
            Socket::Opening { .. } if self.live.failures == 0 => Link::Connecting,
            Socket::Closed if self.live.fetching && self.live.failures == 0 => Link::Fetching,
            // The snapshot waits for its spread delay.
            Socket::Closed if self.live.stale_cursor && self.live.failures <= 1 => Link::Fetching,
            Socket::Opening { .. } | Socket::Closed => Link::Offline,
        }
    }

    /// Returns the tick at which the engine must be called again.
    pub(super) fn next_tick(&self, now: Now) -> u64 {
        let link = match self.live.socket {
            Socket::Closed if self.live.fetching || self.live.asking_token || self.image.session.is_none() => None,
            Socket::Closed => Some(self.live.retry_at),
            Socket::Opening { since } => Some(since + OPEN_MS),
            Socket::Up { heard_at, beat_at, .. } => Some(beat_at.min(heard_at + DEAD_MS)),
        };
        let send = self.wants_to_send(now).then_some(self.live.send_at);
        let sound = self.live.silenced.values().copied().filter(|until| *until > now.tick).min();
        let held = self.alerts_held_until(now);
        let phone = self.phone_tick(now);
        // Upper bound of a minute, in case a timer is missed.
        let far = now.tick + 60_000;
        [link, send, sound, held, phone, self.upgrade_tick()]
            .into_iter()
            .flatten()
            .map(|at| at.max(now.tick + 1))
            .fold(far, u64::min)
    }

    /// Handles the result of fetching a snapshot.
    pub(super) fn snapshot(&self, step: &mut Step, result: Result<super::Snapshot, Fault>, now: Now) {
        if !step.live.fetching || self.image.session.is_none() {
            return;
        }
        step.live.fetching = false;
        match result {
            Ok(snapshot) => self.replace(step, snapshot),
            Err(Fault::Refused(refusal)) if is_dead_token(refusal.code) => self.doubt_token(step, &refusal, now),
            Err(fault) => step.live.fail(fault, now),
        }
    }
}

/// Converts the reason of the server's goodbye.
fn goodbye(why: &str) -> ConnectionError {
    match why {
        "restart" => ConnectionError::Restarting,
        "too_slow" => ConnectionError::TooSlow,
        // A reason of a newer server.
        _ => ConnectionError::Closed,
    }
}

/// Returns whether the answering installation is the one that the person signed in to, if both ids are known.
fn is_of(answers: Option<InstanceId>, signed_in_to: Option<InstanceId>) -> bool {
    answers.is_none() || signed_in_to.is_none() || answers == signed_in_to
}
