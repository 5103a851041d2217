//! Foreign ends of a call, controlled by lines of JSON.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// A foreign end of a call.
pub struct Remote {
    /// Whether it supports trickle ICE.
    pub trickles: bool,
    to: To,
    from: UnboundedReceiver<Value>,
    _child: Child,
    _profile: Option<tempfile::TempDir>,
}

enum To {
    Socket(futures_util::stream::SplitSink<WebSocketStream<TcpStream>, Message>),
    Pipe(ChildStdin),
}

impl Remote {
    /// Starts Chromium with a page that makes calls; `None` if it isn't installed.
    pub async fn chromium() -> Option<Self> {
        let program = find(&["chromium", "chromium-browser", "google-chrome"])?;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let page = concat!("file://", env!("CARGO_MANIFEST_DIR"), "/interop/page.html");
        let profile = tempfile::tempdir().unwrap();
        let flags = "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync \
                     --disable-background-networking --disable-component-update --disable-dev-shm-usage \
                     --autoplay-policy=no-user-gesture-required --allow-loopback-in-peer-connection \
                     --disable-features=WebRtcHideLocalIpsWithMdns";
        let child = Command::new(program)
            .args(flags.split_whitespace())
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!("{page}#{}", listener.local_addr().unwrap().port()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let accepted = tokio::time::timeout(Duration::from_mins(1), listener.accept()).await;
        let (stream, _) = accepted.expect("the page opens").unwrap();
        let (to, mut from_page) = tokio_tungstenite::accept_async(stream).await.unwrap().split();
        let (said, from) = unbounded_channel();
        tokio::spawn(async move {
            while let Some(Ok(message)) = from_page.next().await {
                if let Ok(text) = message.to_text()
                    && let Ok(value) = serde_json::from_str(text)
                {
                    let _ = said.send(value);
                }
            }
        });
        Some(Self { trickles: true, to: To::Socket(to), from, _child: child, _profile: Some(profile) })
    }

    /// Starts a program on aiortc; `None` if it isn't installed.
    pub fn aiortc() -> Option<Self> {
        let python =
            std::env::var_os("CREWBELL_PYTHON").map_or_else(|| PathBuf::from("/usr/bin/python3"), PathBuf::from);
        let is_there = std::process::Command::new(&python).args(["-c", "import aiortc, numpy"]).output();
        if !is_there.is_ok_and(|output| output.status.success()) {
            return left_out("aiortc");
        }
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/interop/aiortc_end.py");
        let mut child = Command::new(python)
            .arg(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let to = child.stdin.take().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (said, from) = unbounded_channel();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let _ = said.send(serde_json::from_str(&line).unwrap());
            }
        });
        Some(Self { trickles: false, to: To::Pipe(to), from, _child: child, _profile: None })
    }

    pub async fn tell(&mut self, message: &Value) {
        match &mut self.to {
            To::Socket(socket) => socket.send(Message::text(message.to_string())).await.unwrap(),
            To::Pipe(pipe) => pipe.write_all(format!("{message}\n").as_bytes()).await.unwrap(),
        }
    }

    pub async fn hear(&mut self) -> Value {
        self.from.recv().await.expect("the other end goes on")
    }
}

fn find(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .find_map(|folder| names.iter().map(|name| folder.join(name)).find(|program| program.is_file()));
    found.or_else(|| left_out("Chromium"))
}

fn left_out<T>(what: &str) -> Option<T> {
    assert!(std::env::var_os("CI").is_none(), "{what} is not installed");
    crewbell_shared::testing::skipped(&format!("{what} is not installed"));
    None
}
