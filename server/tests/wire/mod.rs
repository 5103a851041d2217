//! A handwritten MQTT 3.1.1 client (OASIS MQTT 3.1.1), as small as a button's firmware. It presses, keeps
//! unacknowledged presses, and sends them again after a reconnect, as [MQTT-4.4.0-1] requires.

#![allow(dead_code, reason = "each test program uses its own part")]

pub mod reckoning;

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

/// A packet from the server.
#[derive(Debug, PartialEq, Eq)]
pub enum Packet {
    PubAck(u16),
    SubAck(Vec<u8>),
    Publish { topic: String, payload: Vec<u8>, retain: bool },
    Other(u8),
}

/// An MQTT connection.
pub struct Wire {
    stream: TcpStream,
}

impl Wire {
    /// Connects with a clean session; a CONNACK return code other than 0 becomes the error's text.
    pub async fn connect(to: SocketAddr, client_id: &str, login: Option<(&str, &str)>) -> io::Result<Self> {
        Self::connect_with_will(to, client_id, login, None).await
    }

    /// Connects with a last will, given as topic and payload.
    pub async fn connect_with_will(
        to: SocketAddr,
        client_id: &str,
        login: Option<(&str, &str)>,
        will: Option<(&str, &str)>,
    ) -> io::Result<Self> {
        let stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        let mut wire = Self { stream };
        let mut body = text("MQTT");
        let flags = if login.is_some() { 0b1100_0000 } else { 0 } | if will.is_some() { 0b100 } else { 0 };
        body.extend([4, 0b10 | flags, 0, 60]);
        body.extend(text(client_id));
        for word in will.iter().flat_map(|(topic, said)| [topic, said]) {
            body.extend(text(word));
        }
        for word in login.iter().flat_map(|(user, password)| [user, password]) {
            body.extend(text(word));
        }
        wire.send(0x10, &body).await?;
        match wire.packet().await? {
            (0x20, body) if body.get(1) == Some(&0) => Ok(wire),
            (0x20, body) => Err(io::Error::other(format!("not let in: {:?}", body.get(1)))),
            (other, _) => Err(io::Error::other(format!("no CONNACK but {other:#x}"))),
        }
    }

    /// Publishes at QoS 1.
    pub async fn publish(&mut self, id: u16, topic: &str, payload: &[u8], dup: bool, retain: bool) -> io::Result<()> {
        let mut body = text(topic);
        body.extend(id.to_be_bytes());
        body.extend(payload);
        self.send(0x32 | u8::from(dup) << 3 | u8::from(retain), &body).await
    }

    /// Sends distinct presses as fast as the socket takes them, and waits for every acknowledgement.
    pub async fn flood(self, topic: &'static str, presses: u16) -> io::Result<()> {
        let (mut reading, mut writing) = self.stream.into_split();
        let writer = tokio::spawn(async move {
            for id in 1..=presses {
                let payload = format!(r#"{{"press_id":"flood-{id}","kind":"single"}}"#);
                let mut body = text(topic);
                body.extend(id.to_be_bytes());
                body.extend(payload.as_bytes());
                writing.write_all(&[0x32, u8::try_from(body.len()).unwrap()]).await?;
                writing.write_all(&body).await?;
            }
            io::Result::Ok(writing)
        });
        for id in 1..=presses {
            let mut ack = [0; 4];
            reading.read_exact(&mut ack).await?;
            assert_eq!(ack[2..], id.to_be_bytes(), "PUBACKs come in the order of the PUBLISHes [MQTT-4.6.0-2]");
        }
        writer.await.unwrap().map(drop)
    }

    /// Publishes at QoS 0 or 1, and at QoS 1 waits for the acknowledgement.
    pub async fn say(&mut self, id: Option<u16>, topic: &str, payload: &[u8], dup: bool) -> io::Result<()> {
        if let Some(id) = id {
            self.publish(id, topic, payload, dup, false).await?;
            while self.next().await? != Packet::PubAck(id) {}
            return Ok(());
        }
        let mut body = text(topic);
        body.extend(payload);
        self.send(0x30, &body).await
    }

    /// Sends a PINGREQ and waits for the PINGRESP, which the server sends after it has processed all earlier packets.
    pub async fn ping(&mut self) -> io::Result<()> {
        self.send(0xc0, &[]).await?;
        while self.next().await? != Packet::Other(0xd0) {}
        Ok(())
    }

    /// Sends a DISCONNECT, and waits until the server has closed the connection.
    pub async fn leave(mut self) -> io::Result<()> {
        self.send(0xe0, &[]).await?;
        while self.stream.read_u8().await.is_ok() {}
        Ok(())
    }

    /// Subscribes at QoS 0, and returns the return code of the SUBACK.
    pub async fn subscribe(&mut self, filter: &str) -> io::Result<u8> {
        let mut body = 1_u16.to_be_bytes().to_vec();
        body.extend(text(filter));
        body.push(0);
        self.send(0x82, &body).await?;
        loop {
            if let Packet::SubAck(codes) = self.next().await? {
                return Ok(codes[0]);
            }
        }
    }

    /// Returns the next packet. The future is not cancel-safe.
    pub async fn next(&mut self) -> io::Result<Packet> {
        let (head, body) = self.packet().await?;
        Ok(match head & 0xf0 {
            0x40 => Packet::PubAck(u16::from_be_bytes([body[0], body[1]])),
            0x90 => Packet::SubAck(body[2..].to_vec()),
            0x30 => {
                let length = usize::from(u16::from_be_bytes([body[0], body[1]]));
                let topic = String::from_utf8_lossy(&body[2..2 + length]).into_owned();
                Packet::Publish { topic, payload: body[2 + length..].to_vec(), retain: head & 1 == 1 }
            }
            _ => Packet::Other(head),
        })
    }

    async fn packet(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let head = self.stream.read_u8().await?;
        let (mut length, mut shift) = (0_usize, 0);
        loop {
            let byte = self.stream.read_u8().await?;
            length |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        Ok((head, body))
    }

    async fn send(&mut self, head: u8, body: &[u8]) -> io::Result<()> {
        let mut packet = vec![head];
        let mut length = body.len();
        loop {
            let byte = u8::try_from(length & 0x7f).unwrap();
            length >>= 7;
            packet.push(byte | if length > 0 { 0x80 } else { 0 });
            if length == 0 {
                break;
            }
        }
        packet.extend(body);
        self.stream.write_all(&packet).await
    }
}

fn text(text: &str) -> Vec<u8> {
    let mut bytes = u16::try_from(text.len()).unwrap().to_be_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes
}

/// A button that presses continuously, across all failures of the server.
pub struct Stormer {
    /// The acknowledged presses, in the order of their acknowledgements.
    pub acknowledged: Arc<Mutex<Vec<String>>>,
    enough: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<usize>,
}

/// The button of a stormer, its credentials and its rate.
#[derive(Clone)]
pub struct Storming {
    pub to: SocketAddr,
    pub device: String,
    pub user: String,
    pub password: String,
    /// Maximum number of unacknowledged presses.
    pub window: usize,
    /// Time between two presses.
    pub pause: Duration,
}

impl Stormer {
    /// Starts to press.
    pub fn begin(how: Storming) -> Self {
        let acknowledged = Arc::<Mutex<Vec<String>>>::default();
        let enough = Arc::<AtomicBool>::default();
        let task = tokio::spawn(storm(how, Arc::clone(&acknowledged), Arc::clone(&enough)));
        Self { acknowledged, enough, task }
    }

    /// Returns the number of acknowledged presses.
    pub fn count(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    /// Stops pressing, and waits until every press is acknowledged; returns the presses and the number of resends.
    pub async fn calm(self, patience: Duration) -> (Vec<String>, usize) {
        self.enough.store(true, Ordering::Relaxed);
        let resent = timeout(patience, self.task).await.expect("every press is acknowledged in the end").unwrap();
        (std::mem::take(&mut *self.acknowledged.lock().unwrap()), resent)
    }
}

/// An unacknowledged press: its packet id, its own id, and whether it was sent before.
struct Waiting {
    packet_id: u16,
    press_id: String,
    sent: bool,
}

async fn storm(how: Storming, acknowledged: Arc<Mutex<Vec<String>>>, enough: Arc<AtomicBool>) -> usize {
    let mut waiting: VecDeque<Waiting> = VecDeque::new();
    let (mut number, mut resent) = (0_usize, 0);
    loop {
        let connected =
            timeout(Duration::from_secs(5), Wire::connect(how.to, &how.device, Some((&how.user, &how.password))));
        if let Ok(Ok(wire)) = connected.await {
            resent += waiting.iter().filter(|press| press.sent).count();
            let _ = session(wire, &how, &mut waiting, &mut number, &acknowledged, &enough).await;
        }
        if enough.load(Ordering::Relaxed) && waiting.is_empty() {
            return resent;
        }
        sleep(Duration::from_millis(50)).await;
    }
}

/// Presses over one connection, until it breaks or every press is acknowledged.
async fn session(
    wire: Wire,
    how: &Storming,
    waiting: &mut VecDeque<Waiting>,
    number: &mut usize,
    acknowledged: &Mutex<Vec<String>>,
    enough: &AtomicBool,
) -> io::Result<()> {
    let (mut reading, mut socket) = wire.stream.into_split();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let listening = tokio::spawn(async move {
        loop {
            let mut ack = [0; 4];
            if reading.read_exact(&mut ack).await.is_err() || ack[..2] != [0x40, 2] {
                return;
            }
            let _ = tell.send(u16::from_be_bytes([ack[2], ack[3]]));
        }
    });
    let mut next = 0;
    let mut heard = Instant::now();
    let done = loop {
        // First the unacknowledged presses of an earlier connection, in their order; then new ones.
        if next < waiting.len() {
            let press = &mut waiting[next];
            let packet = press_packet(how, press);
            if let Err(error) = socket.write_all(&packet).await {
                break Err(error);
            }
            press.sent = true;
            next += 1;
            continue;
        }
        if enough.load(Ordering::Relaxed) && waiting.is_empty() {
            break Ok(());
        }
        let may_press = waiting.len() < how.window && !enough.load(Ordering::Relaxed);
        tokio::select! {
            packet_id = told.recv() => {
                let Some(packet_id) = packet_id else { break Err(io::ErrorKind::ConnectionReset.into()) };
                heard = Instant::now();
                let place = waiting.iter().position(|press| press.packet_id == packet_id).expect("PUBACK of a press");
                assert!(place < next, "a PUBACK for what was not sent on this connection");
                let press = waiting.remove(place).unwrap();
                next -= 1;
                acknowledged.lock().unwrap().push(press.press_id);
            }
            () = sleep(how.pause), if may_press => {
                *number += 1;
                let packet_id = u16::try_from(*number % 65_535).unwrap() + 1;
                let press_id = format!("storm-{}-{number}", how.device);
                waiting.push_back(Waiting { packet_id, press_id, sent: false });
            }
            () = sleep(Duration::from_millis(200)), if !may_press => {
                // A killed server resets the connection; a hanging one is detected by this time limit.
                if heard.elapsed() > Duration::from_secs(8) {
                    break Err(io::ErrorKind::TimedOut.into());
                }
            }
        }
    };
    listening.abort();
    // Acknowledgements that arrived before the end count.
    while let Ok(packet_id) = told.try_recv() {
        if let Some(place) = waiting.iter().position(|press| press.packet_id == packet_id) {
            let press = waiting.remove(place).unwrap();
            acknowledged.lock().unwrap().push(press.press_id);
        }
    }
    done
}

fn press_packet(how: &Storming, press: &Waiting) -> Vec<u8> {
    let payload = format!(r#"{{"press_id":"{}","kind":"single","key":"main"}}"#, press.press_id);
    let mut body = text(&format!("obedio/button/{}/pressed", how.device));
    body.extend(press.packet_id.to_be_bytes());
    body.extend(payload.as_bytes());
    assert!(body.len() < 16_384);
    let mut packet = vec![0x32 | u8::from(press.sent) << 3];
    packet.push(u8::try_from(body.len() & 0x7f).unwrap() | 0x80);
    packet.push(u8::try_from(body.len() >> 7).unwrap());
    packet.extend(body);
    packet
}
