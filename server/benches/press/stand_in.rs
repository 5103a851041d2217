//! Floor: the minimal work of a server. A press arrives by MQTT, a frame of the real size goes to every socket, the
//! press is acknowledged, and nothing is stored.
//!
//! It is a process of its own with the server's runtime and prints the same line when ready, so that the same
//! generators measure both.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::broadcast,
};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use crate::{
    mqtt::{self, Inbox},
    target::{Button, Person, Target},
};

const BUTTONS: usize = 14;
/// The number of frames that a socket may lag behind.
const BACKLOG: usize = 4096;

type Frames = broadcast::Sender<Utf8Bytes>;

/// Serves until the process is terminated.
#[tokio::main]
pub(crate) async fn run() -> Result<()> {
    let (http, mqtt) = (TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?);
    println!("{}", serde_json::to_string(&target(http.local_addr()?, mqtt.local_addr()?))?);
    let (frames, _) = broadcast::channel(BACKLOG);
    loop {
        tokio::select! {
            socket = http.accept() => {
                let socket = socket?.0;
                socket.set_nodelay(true)?;
                tokio::spawn(screen(socket, frames.clone()));
            }
            button = mqtt.accept() => {
                let button = button?.0;
                button.set_nodelay(true)?;
                tokio::spawn(listen(button, frames.clone()));
            }
        }
    }
}

fn target(http: SocketAddr, mqtt: SocketAddr) -> Target {
    let button =
        |number| Button { id: format!("echo-{number}"), username: "echo".to_owned(), password: "echo".to_owned() };
    Target {
        http,
        mqtt,
        pid: std::process::id(),
        people: vec![Person { role: "crew".to_owned(), token: "anyone".to_owned() }],
        buttons: (0..BUTTONS).map(button).collect(),
        join: None,
        database: None,
        only_mqtt: false,
    }
}

async fn screen(socket: TcpStream, frames: Frames) -> Result<()> {
    let mut socket = tokio_tungstenite::accept_async(socket).await?;
    socket.next().await.context("no hello")??;
    let mut frames = frames.subscribe();
    socket.send(Message::text(r#"{"t":"welcome","head":0}"#)).await?;
    loop {
        socket.feed(Message::Text(frames.recv().await?)).await?;
        while let Ok(frame) = frames.try_recv() {
            socket.feed(Message::Text(frame)).await?;
        }
        socket.flush().await?;
    }
}

async fn listen(mut button: TcpStream, frames: Frames) -> Result<()> {
    let mut inbox = Inbox::default();
    let mut buffer = vec![0; 16 * 1024];
    let mut answers = Vec::new();
    loop {
        let read = button.read(&mut buffer).await?;
        if read == 0 {
            bail!("the button left");
        }
        inbox.add(&buffer[..read]);
        inbox.drain(|packet| match packet.kind {
            1 => answers.extend([0x20, 2, 0, 0]),
            mqtt::PUBLISH => {
                let (_, packet_id, payload) = packet.published();
                if frames.receiver_count() > 0 {
                    drop(frames.send(frame(press_id(payload).unwrap_or_default()).into()));
                }
                answers.extend(mqtt::puback(packet_id));
            }
            _ => {}
        })?;
        button.write_all(&answers).await?;
        answers.clear();
    }
}

fn press_id(payload: &[u8]) -> Option<&str> {
    std::str::from_utf8(payload).ok()?.split('"').nth(3)
}

/// Builds a frame with one entry, as large as the server's for a request.
fn frame(press_id: &str) -> String {
    let id = "0199f3c2-7b1e-7c3a-9d54-3f2a1b0c9d8e";
    format!(
        r#"{{"t":"entries","prev":4710,"entries":[{{"category":"requests","type":"request_raised","payload":{{"id":"{id}","state":"open","kind":"call","priority":"normal","place":{{"id":"{id}","name":"Cabin 7","deck":"Main deck"}},"guest":{{"id":"{id}","name":"Mr and Mrs Example"}},"button_id":"{id}","presses":3,"last_press_id":"{press_id}","raised_at":"2026-11-21T10:30:00.123456Z","last_pressed_at":"2026-11-21T10:30:00.123456Z","accepted_by":null,"accepted_at":null,"completed_at":null,"notes":[],"changed_fields":["presses","last_press_id","last_pressed_at"]}},"meta":{{"site":"my-serenity","seq":4711,"event_id":"{id}","ts":"2026-11-21T10:30:00.123456Z","actor":{{"id":"{id}","name":"Button cabin 7"}},"source":"button","command_id":"{id}","scope":{{"place":"Cabin 7"}}}}}}]}}"#
    )
}
