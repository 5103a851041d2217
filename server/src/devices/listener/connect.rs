//! From the accepted socket to CONNACK, and from the session's end to the last word about it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::{
    Limits,
    intake::{Gone, Intake, Login, NotLetIn},
    lamps::Lamps,
    roster::Roster,
    session::{Ending, Session, Watch, farewell},
    wire::{Connect, Fault, TurnedAway, Wire},
    work::Work,
};
use crate::devices::delivery::{Message, Peer};

/// What a connection needs of its listener.
pub(super) struct Door<I: Intake> {
    pub(super) intake: Arc<I>,
    pub(super) lamps: Lamps,
    pub(super) roster: Arc<Roster<I::Principal>>,
    pub(super) limits: Limits,
    pub(super) shutdown: CancellationToken,
    pub(super) connection: u64,
    /// A number of this run of the server.
    pub(super) run: u32,
    pub(super) remote: SocketAddr,
}

/// Serves one accepted socket to its end.
pub(super) async fn serve<I: Intake>(door: Door<I>, stream: TcpStream, tls: Option<TlsAcceptor>) {
    let until = tokio::time::Instant::now() + door.limits.connect_timeout;
    match tls {
        None => converse(door, stream, until).await,
        Some(tls) => {
            let shaking = tokio::time::timeout_at(until, tls.accept(stream));
            match door.shutdown.run_until_cancelled(shaking).await {
                Some(Ok(Ok(stream))) => converse(door, stream, until).await,
                Some(Ok(Err(_)) | Err(_)) => refused(&door, None, "TLS handshake"),
                None => {}
            }
        }
    }
}

async fn converse<I: Intake, S>(door: Door<I>, mut stream: S, until: tokio::time::Instant)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut wire = Wire::new();
    let opening = tokio::time::timeout_at(until, read_connect(&mut stream, &mut wire));
    let opened = match door.shutdown.run_until_cancelled(opening).await {
        Some(opened) => opened.unwrap_or(Err(Fault("no CONNECT in time"))),
        None => return,
    };
    let connect = match opened {
        Ok(connect) => connect,
        Err(Fault(words)) => {
            refused(&door, None, words);
            return farewell(stream, wire.output).await;
        }
    };
    let mut will = connect.will.clone();
    let (peer, idle) = match let_in(&door, &mut wire, connect).await {
        Ok(let_in) => let_in,
        Err((client_id, Fault(words))) => {
            refused(&door, Some(&client_id), words);
            return farewell(stream, wire.output).await;
        }
    };
    let mut leaving = Leaving { intake: Arc::clone(&door.intake), peer: Arc::clone(&peer), how: Gone::Lost };
    let place = door.roster.enter(&peer);
    door.intake.came(&peer);
    let session = Session {
        stream,
        wire,
        work: Work::new(Arc::clone(&door.intake), Arc::clone(&peer), door.limits),
        inbox: door.lamps.within(door.intake.scope(&peer.principal)).inbox(peer.connection, door.limits.lamp_room),
        limits: door.limits,
        idle,
        watch: Watch::new(place.taken_over.clone(), door.shutdown.clone()),
    };
    let ending = session.run().await;
    leaving.how = ending.gone();
    if let Ending::Broke(words) | Ending::NotTaken(words) = ending {
        refused(&door, Some(&peer.client_id), words);
    } else {
        tracing::debug!(connection = door.connection, client_id = peer.client_id, ?ending, "MQTT client is gone");
    }
    if leaving.how == Gone::Lost
        && let Some(will) = will.take()
    {
        execute(&door, &peer, will).await;
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

/// Asks the intake, and writes CONNACK either way. Nothing more is read meanwhile.
async fn let_in<I: Intake>(
    door: &Door<I>,
    wire: &mut Wire,
    connect: Connect,
) -> Result<(Arc<Peer<I::Principal>>, Option<Duration>), (String, Fault)> {
    let assigned = connect.client_id.is_empty().then(|| format!("client-{:08x}-{}", door.run, door.connection));
    let client_id = assigned.clone().unwrap_or(connect.client_id);
    let login = Login {
        client_id: client_id.clone(),
        username: connect.username,
        password: connect.password,
        remote: door.remote,
    };
    let judging = tokio::time::timeout(door.limits.take_timeout, door.intake.authenticate(login));
    let judged = judging.await.unwrap_or(Err(NotLetIn::NotNow));
    let principal = match judged {
        Ok(principal) => principal,
        Err(why) => return Err((client_id, wire.turn_away(TurnedAway::By(why)))),
    };
    let own = u16::try_from(door.limits.idle.as_secs()).unwrap_or(u16::MAX);
    let imposed = (connect.keep_alive == 0 && wire.is_v5()).then_some(own);
    if let Err(fault) = wire.welcome(assigned.as_deref(), imposed, &door.limits) {
        return Err((client_id, fault));
    }
    let peer = Peer {
        connection: door.connection,
        client_id,
        clean_start: connect.clean_start,
        principal,
        remote: door.remote,
    };
    let keep_alive = Duration::from_secs(imposed.unwrap_or(connect.keep_alive).into());
    // One and a half times the keep-alive [MQTT-3.1.2-22].
    Ok((Arc::new(peer), (!keep_alive.is_zero()).then(|| keep_alive * 3 / 2)))
}

/// Has the last will taken, like any other message.
async fn execute<I: Intake>(door: &Door<I>, peer: &Peer<I::Principal>, will: Message) {
    if tokio::time::timeout(door.limits.take_timeout, door.intake.take(peer, will)).await.is_err() {
        metrics::counter!("mqtt_refused_total", "why" => "will timeout").increment(1);
    }
}

/// Says that a peer is gone, also when its task panics.
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

/// The one place that counts and logs what was wrong with a connection, once for each.
fn refused<I: Intake>(door: &Door<I>, client_id: Option<&str>, why: &'static str) {
    metrics::counter!("mqtt_refused_total", "why" => why).increment(1);
    let (connection, remote) = (door.connection, door.remote);
    tracing::info!(connection, %remote, client_id, why, "MQTT connection {connection} from {remote} is refused: {why}");
}
