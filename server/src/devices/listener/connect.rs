//! The connection's life outside its session: TLS, CONNECT and CONNACK before it, the last will and the log line after.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite},
    net::TcpStream,
    time::Instant,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::{
    Limits,
    acks::Lamps,
    connection_table::ConnectionTable,
    in_flight::InFlight,
    intake::{Gone, Intake, Login, NotLetIn},
    pace::Pace,
    session::{Ending, Session, Watch, farewell},
    wire::{Connect, Fault, TurnedAway, Wire},
};
use crate::devices::delivery::{Message, Peer};
use crate::limits::{Origin, Seldom, Slot, Standing};

/// The context of a connection, provided by its listener.
pub(super) struct ConnectionContext<I: Intake> {
    pub(super) intake: Arc<I>,
    pub(super) lamps: Lamps,
    pub(super) roster: Arc<ConnectionTable<I::Principal>>,
    pub(super) limits: Limits,
    pub(super) shutdown: CancellationToken,
    /// The registration among all connections.
    pub(super) slot: Slot,
    /// Throttle of repeated log lines, by reason and origin.
    pub(super) seldom: Arc<Seldom<(&'static str, Option<Origin>)>>,
    pub(super) connection: u64,
    /// A random number that identifies this run of the listener.
    pub(super) run: u32,
    pub(super) remote: SocketAddr,
}

/// Serves one accepted socket until it is closed.
pub(super) async fn serve<I: Intake>(ctx: ConnectionContext<I>, stream: TcpStream, tls: Option<TlsAcceptor>) {
    let until = tokio::time::Instant::now() + ctx.limits.connect_timeout;
    match tls {
        None => converse(ctx, stream, until).await,
        Some(tls) => {
            let shaking = tokio::time::timeout_at(until, tls.accept(stream));
            match ctx.while_wanted(shaking).await {
                Ok(Ok(Ok(stream))) => converse(ctx, stream, until).await,
                Ok(Ok(Err(_)) | Err(_)) => refused(&ctx, None, "TLS handshake"),
                Err(why) => ctx.unwanted(why),
            }
        }
    }
}

async fn converse<I: Intake, S>(ctx: ConnectionContext<I>, mut stream: S, until: tokio::time::Instant)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut wire = Wire::new();
    let opening = tokio::time::timeout_at(until, read_connect(&mut stream, &mut wire));
    let opened = match ctx.while_wanted(opening).await {
        Ok(opened) => opened.unwrap_or(Err(Fault("no CONNECT in time"))),
        Err(why) => return ctx.unwanted(why),
    };
    let connect = match opened {
        Ok(connect) => connect,
        Err(Fault(words)) => {
            refused(&ctx, None, words);
            return farewell(stream, wire.output).await;
        }
    };
    // From here on the duration depends on the intake, not on the client: no eviction meanwhile.
    ctx.slot.judge();
    let mut will = connect.will.clone();
    let (peer, idle) = match let_in(&ctx, &mut wire, connect).await {
        Ok(let_in) => let_in,
        Err((named, Fault(words))) => {
            refused(&ctx, Some(&named), words);
            ctx.slot.turn_away();
            // The farewell is cut off if the connection is evicted meanwhile, or the server stops.
            let _ = ctx.while_wanted(farewell(stream, wire.output)).await;
            return;
        }
    };
    let mut leaving = Leaving { intake: Arc::clone(&ctx.intake), peer: Arc::clone(&peer), how: Gone::Lost };
    let (standing, device) = ctx.intake.standing(&peer.principal);
    // Before an older connection of the device is crowded out, so that its last will finds this one.
    ctx.intake.came(&peer);
    let place = ctx.roster.enter(&peer, device, ctx.limits.of_a_device, Instant::now());
    if let Some(why) = place.trouble {
        ctx.intake.troubled(&peer, why);
    }
    let session = Session {
        stream,
        wire,
        work: InFlight::new(Arc::clone(&ctx.intake), Arc::clone(&peer), &ctx.limits),
        inbox: ctx.lamps.within(ctx.intake.scope(&peer.principal)).inbox(peer.connection, ctx.limits.lamp_room),
        limits: ctx.limits.clone(),
        held: ctx.limits.waiting.hold(),
        pace: Pace::new(if standing == Standing::Known { ctx.limits.pace } else { ctx.limits.pace_of_many }),
        idle,
        watch: Watch::new(place.taken_over.clone(), place.crowded_out.clone(), ctx.shutdown.clone()),
    };
    let ending = session.run().await;
    leaving.how = ending.gone();
    if let Ending::Broke(words) | Ending::NotTaken(words) | Ending::CrowdedOut(words) = ending {
        refused(&ctx, Some(&Named { client_id: &peer.client_id, username: None }.to_string()), words);
    } else {
        tracing::debug!(connection = ctx.connection, client_id = peer.client_id, ?ending, "MQTT client is gone");
    }
    if leaving.how == Gone::Lost
        && let Some(will) = will.take()
    {
        execute(&ctx, &peer, will).await;
    }
}

async fn read_connect<S: AsyncRead + Unpin>(stream: &mut S, wire: &mut Wire) -> Result<Connect, Fault> {
    loop {
        if let Some(connect) = wire.open()? {
            return Ok(connect);
        }
        let read = stream.read_buf(&mut wire.input).await.map_err(|_| Fault("broken before CONNECT"))?;
        if read == 0 {
            return Err(Fault("closed before CONNECT"));
        }
    }
}

/// The name of a client in the log: its client id, and its user name if that differs.
struct Named<'a> {
    client_id: &'a str,
    username: Option<&'a str>,
}

impl std::fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.username.filter(|name| *name != self.client_id);
        let username: String = name.unwrap_or_default().chars().filter(|c| !c.is_control()).take(100).collect();
        f.write_str(self.client_id)?;
        if username.is_empty() { Ok(()) } else { write!(f, " (user {username})") }
    }
}

/// Has the intake authenticate the client, and writes CONNACK in either case. Nothing is read meanwhile.
async fn let_in<I: Intake>(
    ctx: &ConnectionContext<I>,
    wire: &mut Wire,
    connect: Connect,
) -> Result<(Arc<Peer<I::Principal>>, Option<Duration>), (String, Fault)> {
    let assigned = connect.client_id.is_empty().then(|| format!("client-{:08x}-{}", ctx.run, ctx.connection));
    let client_id = assigned.clone().unwrap_or(connect.client_id);
    let named = Named { client_id: &client_id, username: connect.username.as_deref() }.to_string();
    let login = Login {
        client_id: client_id.clone(),
        username: connect.username,
        password: connect.password,
        remote: ctx.remote,
    };
    let judging = tokio::time::timeout(ctx.limits.take_timeout, ctx.intake.authenticate(login));
    let judged = judging.await.unwrap_or(Err(NotLetIn::NotNow));
    let principal = match judged {
        Ok(principal) => principal,
        Err(why) => return Err((named, wire.turn_away(TurnedAway::By(why)))),
    };
    if let Err(full) = ctx.slot.sign_in(ctx.intake.standing(&principal).0) {
        return Err((named, wire.turn_away(TurnedAway::Full(full))));
    }
    let own = u16::try_from(ctx.limits.idle.as_secs()).unwrap_or(u16::MAX);
    let imposed = (connect.keep_alive == 0 && wire.is_v5()).then_some(own);
    if let Err(fault) = wire.welcome(assigned.as_deref(), imposed, &ctx.limits) {
        return Err((named, fault));
    }
    let peer =
        Peer { connection: ctx.connection, client_id, clean_start: connect.clean_start, principal, remote: ctx.remote };
    let keep_alive = Duration::from_secs(imposed.unwrap_or(connect.keep_alive).into());
    // One and a half times the keep-alive [MQTT-3.1.2-22].
    Ok((Arc::new(peer), (!keep_alive.is_zero()).then(|| keep_alive * 3 / 2)))
}

/// Hands the last will to the intake, like any other message.
async fn execute<I: Intake>(ctx: &ConnectionContext<I>, peer: &Peer<I::Principal>, will: Message) {
    if tokio::time::timeout(ctx.limits.take_timeout, ctx.intake.take(peer, will)).await.is_err() {
        metrics::counter!("mqtt_refused_total", "why" => "will timeout").increment(1);
    }
}

/// Notifies the intake when dropped that the peer is gone, also when the task panics.
struct Leaving<I: Intake> {
    intake: Arc<I>,
    peer: Arc<Peer<I::Principal>>,
    how: Gone,
}

impl<I: Intake> Drop for Leaving<I> {
    fn drop(&mut self) {
        self.intake.gone(&self.peer, self.how);
    }
}

impl<I: Intake> ConnectionContext<I> {
    /// Runs `what` until the server stops or the connection is evicted.
    async fn while_wanted<T>(&self, what: impl Future<Output = T>) -> Result<T, Unwanted> {
        tokio::select! {
            done = what => Ok(done),
            () = self.shutdown.cancelled() => Err(Unwanted::Shutdown),
            () = self.slot.evicted().cancelled() => Err(Unwanted::Evicted),
        }
    }

    fn unwanted(&self, why: Unwanted) {
        match why {
            Unwanted::Shutdown => {}
            Unwanted::Evicted => refused(self, None, "made room for another"),
        }
    }
}

/// The reason for closing a connection that hasn't signed in.
#[derive(Clone, Copy)]
enum Unwanted {
    Shutdown,
    Evicted,
}

/// Counts and logs a connection that is refused or fails; logs at most once a minute for each origin and reason.
fn refused<I: Intake>(ctx: &ConnectionContext<I>, named: Option<&str>, why: &'static str) {
    metrics::counter!("mqtt_refused_total", "why" => why).increment(1);
    let (connection, remote) = (ctx.connection, ctx.remote);
    let Some(left_out) = ctx.seldom.say((why, Some(ctx.slot.origin())), Instant::now()) else { return };
    let more = if left_out == 0 { String::new() } else { format!(" ({left_out} more like it since it was said last)") };
    let who = named.unwrap_or("a client");
    tracing::info!(
        connection, %remote, client = named, why, left_out,
        "MQTT connection {connection} of {who} from {remote} is refused: {why}{more}"
    );
}
