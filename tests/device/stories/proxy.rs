//! A proxy between devices and a ship, as hotels and harbours have them: it inspects requests, may refuse them itself,
//! and passes or blocks `WebSocket` connections.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// The string that a body must not contain.
pub const DISLIKED: &str = "<script>";

/// A proxy; each connection carries one request, so that each can be inspected.
#[derive(Clone, Debug)]
pub struct Proxy {
    pub address: SocketAddr,
    /// Whether `WebSocket` connections pass.
    pub lets_sockets_through: Arc<AtomicBool>,
    /// The status with which a body with the disliked string is refused.
    pub refuses_with: Arc<AtomicU16>,
    /// All requests so far.
    pub heard: Arc<Mutex<Vec<u8>>>,
}

impl Proxy {
    pub async fn to(ship: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (lets_sockets_through, heard) = Default::default();
        let proxy = Self { address, lets_sockets_through, refuses_with: Arc::new(AtomicU16::new(403)), heard };
        let serving = proxy.clone();
        tokio::spawn(async move {
            while let Ok((device, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(device, ship));
            }
        });
        proxy
    }

    pub fn has_heard(&self, text: &str) -> bool {
        self.heard.lock().unwrap().windows(text.len()).any(|part| part == text.as_bytes())
    }

    /// Serves one request.
    async fn serve(self, mut device: TcpStream, ship: SocketAddr) -> Option<()> {
        let (head, body) = read(&mut device).await?;
        self.heard.lock().unwrap().extend_from_slice(&[head.as_bytes(), &body].concat());
        let is_socket = head.starts_with("GET /api/live");
        let is_disliked = body.windows(DISLIKED.len()).any(|part| part == DISLIKED.as_bytes());
        let refused = match (is_socket, is_disliked) {
            (true, _) if !self.lets_sockets_through.load(Ordering::SeqCst) => Some(403),
            (_, true) => Some(self.refuses_with.load(Ordering::SeqCst)),
            (_, false) => None,
        };
        if let Some(status) = refused {
            let page = "<html>Not here</html>";
            let length = page.len();
            let answer = format!(
                "HTTP/1.1 {status} No\r\ncontent-type: text/html\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{page}"
            );
            return device.write_all(answer.as_bytes()).await.ok();
        }
        let mut ship = TcpStream::connect(ship).await.ok()?;
        let head = if is_socket { head } else { head.replacen("\r\n", "\r\nconnection: close\r\n", 1) };
        ship.write_all(&[head.as_bytes(), &body].concat()).await.ok()?;
        copy_bidirectional(&mut device, &mut ship).await.ok()?;
        Some(())
    }
}

/// Reads a request's head and body.
async fn read(device: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut said = Vec::new();
    let end = loop {
        if let Some(at) = said.windows(4).position(|part| part == b"\r\n\r\n") {
            break at + 4;
        }
        if device.read_buf(&mut said).await.ok()? == 0 {
            return None;
        }
    };
    let mut body = said.split_off(end);
    let head = String::from_utf8(said).ok()?;
    let length = head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    while body.len() < length.unwrap_or(0) {
        if device.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some((head, body))
}
