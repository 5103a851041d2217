//! The crew's side: many sockets on one thread, so that they use at most one core.

use std::{net::SocketAddr, sync::Arc, sync::mpsc, thread, time::Duration};

use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    board::Board,
    mqtt::{self, CONNACK, Inbox, PUBLISH, SUBACK},
    target::Target,
};

const WELCOME_LIMIT: Duration = Duration::from_secs(20);

/// Open sockets that record received presses on a [`Board`]; closed on drop.
pub(crate) struct Screens {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Screens {
    /// Opens `count` sockets and waits until each is welcomed.
    pub(crate) fn open(target: &Target, count: usize, board: &Arc<Board>) -> Result<Self> {
        let tokens: Vec<String> = target.tokens().into_iter().map(str::to_owned).collect();
        if tokens.is_empty() && !target.only_mqtt {
            bail!("nobody among the people hears presses");
        }
        let (http, mqtt, only_mqtt) = (target.http, target.mqtt, target.only_mqtt);
        let (welcomed, answers) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let board = Arc::clone(board);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = thread::spawn(move || {
            runtime.block_on(async {
                for index in 0..count {
                    let (board, welcomed) = (Arc::clone(&board), welcomed.clone());
                    let token = tokens.get(index % tokens.len().max(1)).cloned().unwrap_or_default();
                    tokio::spawn(async move {
                        let told = welcomed.clone();
                        let ended = if only_mqtt {
                            subscriber(mqtt, index, &board, welcomed).await
                        } else {
                            screen(http, &token, &board, welcomed).await
                        };
                        if let Err(error) = ended {
                            drop(told.send(Err(error)));
                        }
                    });
                }
                drop(stopped.await);
            });
        });
        let screens = Self { stop: Some(stop), thread: Some(thread) };
        for index in 0..count {
            answers
                .recv_timeout(WELCOME_LIMIT)
                .with_context(|| format!("socket {index} of {count} was not welcomed"))??;
        }
        Ok(screens)
    }
}

impl Drop for Screens {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

type Welcomed = mpsc::Sender<Result<()>>;

/// Runs a crew member's live stream (`GET /api/live`).
async fn screen(address: SocketAddr, token: &str, board: &Board, welcomed: Welcomed) -> Result<()> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut socket, _) = tokio_tungstenite::client_async(format!("ws://{address}/api/live"), stream).await?;
    let hello = serde_json::json!({"t": "hello", "token": token}).to_string();
    socket.send(Message::text(hello)).await?;

    let mut heard = vec![false; board.presses()];
    let mut is_welcome = false;
    while let Some(message) = socket.next().await {
        let Message::Text(frame) = message? else {
            continue;
        };
        if is_welcome {
            board.note(frame.as_bytes(), &mut heard);
        } else if serde_json::from_str::<serde_json::Value>(&frame)?["t"] == "welcome" {
            is_welcome = true;
            welcomed.send(Ok(()))?;
        } else {
            bail!("no welcome but: {frame}");
        }
    }
    bail!("the server closed the live stream")
}

/// Runs the equivalent for a broker: an MQTT subscriber at QoS 1.
async fn subscriber(address: SocketAddr, index: usize, board: &Board, welcomed: Welcomed) -> Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    stream.write_all(&mqtt::connect(&format!("screen-{index}"), "", "")).await?;

    let mut heard = vec![false; board.presses()];
    let (mut inbox, mut answers) = (Inbox::default(), Vec::new());
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = stream.read(&mut buffer).await?;
        if read == 0 {
            bail!("the broker closed the connection");
        }
        inbox.add(&buffer[..read]);
        inbox.drain(|packet| match packet.kind {
            CONNACK => answers.extend(mqtt::subscribe("obedio/button/+/pressed")),
            SUBACK => drop(welcomed.send(Ok(()))),
            PUBLISH => {
                let (_, packet_id, payload) = packet.published();
                board.note(payload, &mut heard);
                if packet_id > 0 {
                    answers.extend(mqtt::puback(packet_id));
                }
            }
            _ => {}
        })?;
        stream.write_all(&answers).await?;
        answers.clear();
    }
}
