//! Connecting, heartbeats, backing off.
//!
//! All waiting is by the clock that only goes forward, so that a device whose time is set neither hangs nor hammers.
//!
//! A device that leaves a network isn't told by its socket, which falls silent. Its own addresses tell: a socket from one
//! that is gone is given up at once, and the next is opened without waiting.

use std::net::IpAddr;

use crewbell_shared::ids::InstanceId;
use crewbell_shared::protocol::live::{FromClient, FromServer};
use crewbell_shared::{Code, Refusal};

use super::live::{Live, Socket};
use super::path::Path;
use super::token::is_dead_token;
use super::{Engine, Fault, Now, Output, Step};
use crate::screen::{Link, Notice, Told, Trouble};
use crate::store::{Cursor, Session, Write};

/// Milliseconds between heartbeats. The server drops a socket after 30 s of silence.
const BEAT_MS: u64 = 5_000;
/// Milliseconds after `welcome` in which the missed entries mostly came; then a heartbeat asks.
const FIRST_BEAT_MS: u64 = 500;
/// Milliseconds of silence after which a socket is taken for dead: two heartbeats unanswered.
const DEAD_MS: u64 = 12_000;
/// Milliseconds that connecting or fetching may take.
const OPEN_MS: u64 = 10_000;
/// Milliseconds of the first wait after a failure, at most; doubled with each, up to [`LONGEST_WAIT_MS`].
const FIRST_WAIT_MS: u64 = 500;
/// Milliseconds of any wait, at least.
const SHORTEST_WAIT_MS: u64 = 100;
/// Milliseconds over which devices spread that were all told at once to take a snapshot; doubled each time that it is said
/// again, up to [`LONGEST_SPREAD_MS`].
const SPREAD_MS: u64 = 4_000;
/// The longest of these.
const LONGEST_SPREAD_MS: u64 = 120_000;
/// Milliseconds for which a connection must hold before the failures before it are forgotten: one that ends just after
/// `welcome`, each time, is no better than none.
const HOLDS_MS: u64 = 10_000;
/// Milliseconds of the longest wait: a crew member who walks back into the Wi-Fi isn't left waiting.
const LONGEST_WAIT_MS: u64 = 15_000;
/// Seconds by which a device's clock may differ before the person is told.
const CLOCK_TOLERANCE_S: i64 = 120;
/// Milliseconds after waking within which a socket must speak, or it is taken for dead.
const WAKE_PATIENCE_MS: u64 = 3_000;

/// How long to wait after so many failures in a row: doubling, and drawn by lot from all of it (full jitter), so that a
/// hundred tablets don't come back to a server at the same instant.
pub(super) fn backoff(failures: u32, luck: u32) -> u64 {
    SHORTEST_WAIT_MS + jitter(FIRST_WAIT_MS, LONGEST_WAIT_MS, failures, luck)
}

/// A number from zero up to a bound that doubles with each time.
fn jitter(first: u64, longest: u64, times: u32, luck: u32) -> u64 {
    let bound = first.saturating_mul(1 << times.saturating_sub(1).min(10)).min(longest);
    u64::from(luck) % (bound + 1)
}

impl Live {
    /// The connection failed.
    pub(super) fn fail(&mut self, why: impl Into<Trouble>, now: Now) {
        self.socket = Socket::Closed;
        self.fetching = false;
        self.failures = self.failures.saturating_add(1);
        self.retry_at = now.tick + backoff(self.failures, now.luck);
        self.trouble = Some(why.into());
    }

    /// The system says that the network came or went.
    pub(super) fn network(&mut self, there: bool, now: Now) {
        if there {
            self.hurry(now);
            self.woke(now);
        }
    }

    /// What failed before failed for another reason: the next attempt waits for nothing.
    fn hurry(&mut self, now: Now) {
        self.forget_path(now);
        self.failures = 0;
        self.send_failures = 0;
        self.retry_at = now.tick;
        self.send_at = now.tick;
    }

    /// Whether the socket, as far as there is one, goes from an address that is gone. One that isn't connected yet set out
    /// from any.
    fn is_from(&self, lost: &[IpAddr]) -> bool {
        match (&self.socket, self.from) {
            (Socket::Closed, _) => false,
            (Socket::Opening { .. }, None) => !lost.is_empty(),
            // What goes to this machine itself needs no network.
            (Socket::Opening { .. } | Socket::Up { .. }, from) => {
                from.is_some_and(|from| !from.is_loopback() && lost.contains(&from))
            }
        }
    }

    /// The device woke up: a socket that doesn't answer at once is dead.
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

    /// A heartbeat was answered. When nothing came since it was said, what is left up to the head is for others: a
    /// stream is filtered, and no entry tells that it is at its end.
    /// An event stream pulses only when it has come to the end of the log.
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
    /// A frame came in.
    pub(super) fn frame(&self, step: &mut Step, socket: u64, frame: FromServer, now: Now) {
        if socket != step.live.sockets || step.live.socket == Socket::Closed {
            return;
        }
        step.live.heard(now);
        match frame {
            FromServer::Welcome { head, server_time, person_id, instance } => {
                let Some(session) = &self.image.session else { return };
                // Whoever takes our token for another's isn't who gave it to us.
                if session.person.id != person_id || !is_of(instance, session.instance) {
                    step.live.fail(Trouble::OtherServer, now);
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
                // Told anew at once; who was there over the last socket may be gone.
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
                    Self::begin_anew(step, Trouble::Missed, now);
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
                step.tell(Told::Reached { request_id, devices, sounded });
            }
            FromServer::Signal { call_id, from, signal } => self.signalled(step, call_id, from, signal),
            FromServer::Peer { call_id, endpoint: _, there } => Self::reached(step, call_id, there, now),
            // A signal that came to nothing, for which there is a reason that the log tells; and what a newer server says.
            FromServer::SignalRefused { .. } | FromServer::Unknown => {}
        }
    }

    /// A socket's connection stands.
    pub(super) fn opened(step: &mut Step, socket: u64, from: IpAddr) {
        if socket == step.live.sockets && step.live.socket != Socket::Closed {
            step.live.from = Some(from);
        }
    }

    /// The device's own addresses changed. A socket that is fine is left in peace.
    pub(super) fn moved(&self, step: &mut Step, lost: &[IpAddr], gained: &[IpAddr], now: Now) {
        if step.live.is_from(lost) {
            self.hear_last(step, now);
            step.live.socket = Socket::Closed;
            step.live.hurry(now);
            step.outputs.push(Output::Moved);
        } else if gained.iter().any(|address| !address.is_loopback()) {
            step.live.hurry(now);
        }
    }

    /// A frame that can't be read: what it said is unknown, so the stream is worth nothing from here on. What was
    /// missed comes again after the cursor.
    pub(super) fn garbled(step: &mut Step, socket: u64, now: Now) {
        if socket == step.live.sockets && step.live.socket != Socket::Closed {
            step.live.fail(Trouble::Garbled, now);
            step.outputs.push(Output::Disconnect);
        }
    }

    /// A socket ended.
    pub(super) fn closed(&self, step: &mut Step, socket: u64, why: Trouble, now: Now) {
        if socket != step.live.sockets {
            return;
        }
        // What doesn't fit will never fit: the site whole goes past it.
        step.live.stale_cursor |= why == Trouble::TooLarge;
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
            // The whole fleet may be told at the same moment.
            step.live.failures = step.live.failures.saturating_add(1);
            step.live.retry_at = now.tick + jitter(SPREAD_MS, LONGEST_SPREAD_MS, step.live.failures, now.luck);
        } else {
            step.live.fail(Trouble::Refused { refusal }, now);
        }
    }

    /// Keeps up to when what is shown is right: once a minute while it is live, and when it ends.
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

    /// Does whatever brings the connection forward now.
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
                    self.live.fail_to_open(Trouble::NoAnswer, now);
                    outputs.push(Output::Disconnect);
                }
            }
            Socket::Up { heard_at, .. } if now.tick.saturating_sub(heard_at) >= DEAD_MS => {
                self.live.fail(Trouble::Silent, now);
                outputs.push(Output::Disconnect);
            }
            Socket::Up { ref mut beat_at, ref mut asked_at, streamed, .. } => {
                if now.tick.saturating_sub(self.live.line.up_at) >= HOLDS_MS {
                    self.live.failures = 0;
                }
                if now.tick >= *beat_at {
                    // Over a stream each is a request, and answered by none: the stream pulses by itself.
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

    /// How it stands with the connection, for a person.
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
            // It waits its turn.
            Socket::Closed if self.live.stale_cursor && self.live.failures <= 1 => Link::Fetching,
            Socket::Opening { .. } | Socket::Closed => Link::Offline,
        }
    }

    /// When the engine wants to be called again.
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
        // The engine is never asleep for more than a minute, whatever happens to timers.
        let far = now.tick + 60_000;
        [link, send, sound, held, phone, self.upgrade_tick()]
            .into_iter()
            .flatten()
            .map(|at| at.max(now.tick + 1))
            .fold(far, u64::min)
    }

    /// A snapshot came, or none.
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

/// Why the server says goodbye.
fn goodbye(why: &str) -> Trouble {
    match why {
        "restart" => Trouble::Restarting,
        "too_slow" => Trouble::TooSlow,
        // Of a newer server.
        _ => Trouble::Closed,
    }
}

/// Whether whoever answers is whom the person signed in to, as far as both say.
fn is_of(answers: Option<InstanceId>, signed_in_to: Option<InstanceId>) -> bool {
    answers.is_none() || signed_in_to.is_none() || answers == signed_in_to
}
