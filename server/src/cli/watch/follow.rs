//! The client loop of `watch`: connects, applies and shows entries, and reconnects from the cursor with exponential
//! back-off.

use std::io;
use std::time::Duration;

use anyhow::anyhow;
use crewbell_shared::protocol::live::{FromClient, FromServer};
use crewbell_shared::{Code, Refusal};
use futures_util::StreamExt;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};
use tokio_tungstenite::tungstenite::Message;

use super::api_client::{ApiClient, ApiError, Socket, say};
use super::lines;
use super::model::{Frame, Model};
use super::screen::Screen;
use crate::cli::format::{plain, refused};
use crate::clock::{Clock, Ids};

/// The heartbeat interval. The server closes a socket that is silent for 60 s.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// The silence after which the server counts as dead: two unanswered heartbeats.
const SILENT_FOR: Duration = Duration::from_secs(25);

/// The back-off between attempts: the first wait, and the longest.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// The reason for the end of a connection.
enum End {
    /// The connection broke, or a frame was missed: reconnect from the cursor.
    Again,
    /// The cursor is outside the log: fetch a snapshot before reconnecting.
    Afresh,
    /// Ctrl-C or SIGTERM.
    Enough,
    /// A permanent error.
    Failed(anyhow::Error),
}

struct Watch<'a> {
    client: &'a ApiClient,
    token: &'a str,
    clock: &'a Clock,
    zone: TimeZone,
    model: Model,
    screen: Screen,
    /// The time of the last frame from the server, as of which the shown state is current.
    heard_at: Timestamp,
    stop: Stop,
}

/// The signals Ctrl-C and SIGTERM. They are watched all the time, so that none is missed.
struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn wanted(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Shows the entries as they arrive, until interrupted.
pub(super) async fn follow(
    client: &ApiClient,
    token: &str,
    board: bool,
    clock: &Clock,
    ids: &Ids,
) -> anyhow::Result<()> {
    let model = client.snapshot(token).await.map_err(ApiError::error)?;
    let watch = Watch {
        client,
        token,
        clock,
        zone: TimeZone::system(),
        model,
        screen: Screen::open(board)?,
        heard_at: clock.now(),
        stop: Stop::listen()?,
    };
    match watch.run(ids).await {
        // The reader of the output has exited.
        Err(error) if is_broken_pipe(&error) => Ok(()),
        outcome => outcome,
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

impl Watch<'_> {
    async fn run(mut self, ids: &Ids) -> anyhow::Result<()> {
        self.show_current()?;
        let mut wait = FIRST_WAIT;
        loop {
            let since = Instant::now();
            match self.connection().await? {
                End::Again => {}
                End::Afresh => match self.client.snapshot(self.token).await {
                    Ok(model) => {
                        self.model = model;
                        self.show_current()?;
                        if self.rest(FIRST_WAIT, ids).await? {
                            return Ok(());
                        }
                        continue;
                    }
                    Err(ApiError::ForNow(_)) => {}
                    Err(shut) => return Err(shut.error()),
                },
                End::Enough => return Ok(()),
                End::Failed(error) => return Err(error),
            }
            if since.elapsed() > LONGEST_WAIT {
                wait = FIRST_WAIT;
            }
            self.screen.lost(lines::clock(self.heard_at, &self.zone))?;
            if self.rest(wait, ids).await? {
                return Ok(());
            }
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    /// Waits with a jitter of up to a quarter, so that many watchers don't reconnect at once. Returns whether it was
    /// interrupted.
    async fn rest(&mut self, wait: Duration, ids: &Ids) -> anyhow::Result<bool> {
        let [jitter] = ids.bytes::<1>();
        let until = Instant::now() + wait + wait.mul_f64(f64::from(jitter) / 1024.0);
        loop {
            self.screen.draw(&self.model, self.clock.now())?;
            tokio::select! {
                () = sleep_until(until) => return Ok(false),
                () = sleep(Duration::from_secs(1)), if self.screen.is_board() => {}
                () = self.stop.wanted() => return Ok(true),
            }
        }
    }

    async fn connection(&mut self) -> anyhow::Result<End> {
        let opening = self.client.live(self.token, &self.model);
        let opened = tokio::select! {
            opened = opening => opened,
            () = self.stop.wanted() => return Ok(End::Enough),
        };
        let mut socket = match opened {
            Ok(socket) => socket,
            Err(ApiError::ForNow(_)) => return Ok(End::Again),
            Err(shut) => return Ok(End::Failed(shut.error())),
        };
        let end = self.listen(&mut socket).await?;
        // A closing handshake is a courtesy: the server also detects a closed connection.
        let _ = tokio::time::timeout(Duration::from_secs(1), socket.close(None)).await;
        Ok(end)
    }

    async fn listen(&mut self, socket: &mut Socket) -> anyhow::Result<End> {
        let mut pulse = interval(HEARTBEAT);
        let mut second = interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = Instant::now();
        loop {
            tokio::select! {
                frame = socket.next() => {
                    let Some(Ok(frame)) = frame else { return Ok(End::Again) };
                    heard = Instant::now();
                    if let Message::Text(text) = frame && let Some(end) = self.hear(&text)? {
                        return Ok(end);
                    }
                    self.screen.draw(&self.model, self.clock.now())?;
                }
                _ = pulse.tick() => if say(socket, &FromClient::Heartbeat).await.is_err() {
                    return Ok(End::Again);
                },
                _ = second.tick(), if self.screen.is_board() => self.screen.draw(&self.model, self.clock.now())?,
                () = sleep_until(heard + SILENT_FOR) => return Ok(End::Again),
                () = self.stop.wanted() => return Ok(End::Enough),
            }
        }
    }

    /// Applies a frame from the server; returns the reason if it ends the connection.
    fn hear(&mut self, text: &str) -> anyhow::Result<Option<End>> {
        let frame = match serde_json::from_str::<FromServer>(text) {
            Ok(frame) => frame,
            Err(error) => {
                return Ok(Some(End::Failed(anyhow!("The server says what this version can't read: {error}."))));
            }
        };
        self.heard_at = self.clock.now();
        match frame {
            FromServer::Welcome { .. } => self.screen.back()?,
            FromServer::Pulse { .. }
            | FromServer::Present { .. }
            | FromServer::Seen { .. }
            | FromServer::Reached { .. }
            | FromServer::Signal { .. }
            | FromServer::SignalRefused { .. }
            | FromServer::Peer { .. }
            | FromServer::Unknown => {}
            FromServer::Entries { prev, .. } if self.model.judge(prev) == Frame::Gap => {
                return Ok(Some(End::Again));
            }
            FromServer::Entries { entries, .. } => {
                for entry in entries {
                    if self.model.apply(&entry)? {
                        self.screen.line(lines::entry(&self.model, &entry, &self.zone))?;
                    }
                }
            }
            FromServer::Refused { refusal } => return Ok(Some(end_of(&refusal))),
            FromServer::Bye { .. } => return Ok(Some(End::Again)),
        }
        Ok(None)
    }

    /// Shows the open and accepted requests, at the start and after a snapshot.
    fn show_current(&mut self) -> anyhow::Result<()> {
        self.heard_at = self.clock.now();
        let (open, accepted) = self.model.counts();
        let site = self.model.site.as_ref().map_or("Crewbell", |site| site.name.as_str());
        let head =
            format!("{}  {} · {open} open · {accepted} accepted", lines::clock(self.heard_at, &self.zone), plain(site));
        let current = self.model.current().into_iter().rev();
        let requests: Vec<_> = current.map(|request| lines::current(&self.model, request, &self.zone)).collect();
        self.screen.line(head)?;
        if !self.screen.is_board() {
            for line in requests {
                self.screen.line(line)?;
            }
        }
        self.screen.draw(&self.model, self.heard_at)?;
        Ok(())
    }
}

/// Maps the refusal with which the server closes a socket to the reason for the end.
fn end_of(refusal: &Refusal) -> End {
    if refusal.code == Code::SnapshotNeeded {
        End::Afresh
    } else if matches!(refusal.code, Code::Unavailable | Code::Internal | Code::SlowDown) {
        End::Again
    } else {
        End::Failed(refused(refusal))
    }
}
