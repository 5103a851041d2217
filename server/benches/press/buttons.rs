//! The buttons' side: one MQTT connection for each button.

use std::{
    fmt::Write as _,
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail};

use crate::{
    mqtt::{self, CONNACK, Inbox},
    target::Button,
};

/// Timeout of reading from the server.
const PATIENCE: Duration = Duration::from_secs(5);
/// The number of connection attempts of a button that is turned away, and the wait between them.
const ATTEMPTS: u32 = 20;
const AGAIN_AFTER: Duration = Duration::from_millis(100);

/// A connected button, with plain blocking sockets: the cheapest and most punctual client.
pub(crate) struct Line {
    pub(crate) stream: TcpStream,
    topic: String,
    inbox: Inbox,
    payload: String,
}

impl Line {
    /// Connects with retries, as buttons do: the server may turn some away when many connect at once.
    pub(crate) fn connect_among_many(address: SocketAddr, button: &Button) -> Result<Self> {
        for _ in 0..ATTEMPTS {
            if let Ok(connected) = Self::connect(address, button) {
                return Ok(connected);
            }
            thread::sleep(AGAIN_AFTER);
        }
        Self::connect(address, button)
    }

    /// Connects and waits for the CONNACK.
    pub(crate) fn connect(address: SocketAddr, button: &Button) -> Result<Self> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(&mqtt::connect(&button.id, &button.username, &button.password))?;
        let topic = format!("obedio/button/{}/pressed", button.id);
        let mut line = Self { stream, topic, inbox: Inbox::default(), payload: String::new() };
        let mut code = None;
        while code.is_none() {
            line.receive(|packet| {
                if packet.kind == CONNACK {
                    code = packet.body.get(1).copied();
                }
            })
            .with_context(|| format!("button {} got no CONNACK", button.id))?;
        }
        if code != Some(0) {
            bail!("button {} was refused with CONNACK code {code:?}", button.id);
        }
        Ok(line)
    }

    /// Appends the message of one press to `out`.
    pub(crate) fn press(&mut self, out: &mut Vec<u8>, packet_id: u16, press_id: std::fmt::Arguments<'_>) {
        self.payload.clear();
        // Writing to a String can't fail.
        let _ = write!(
            self.payload,
            r#"{{"press_id":"{press_id}","kind":"single","key":"main","battery":87,"rssi":-61,"uptime_ms":123456}}"#
        );
        mqtt::publish(out, &self.topic, packet_id, &self.payload);
    }

    /// Waits for bytes and passes on the packets that they complete.
    ///
    /// # Errors
    /// Returns an error if the server closed the connection or sent nothing for [`PATIENCE`].
    pub(crate) fn receive(&mut self, each: impl FnMut(mqtt::Packet<'_>)) -> Result<()> {
        let mut buffer = [0; 16 * 1024];
        let read = loop {
            match self.stream.read(&mut buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        if read == 0 {
            bail!("the server closed the connection");
        }
        self.inbox.add(&buffer[..read]);
        self.inbox.drain(each)
    }

    /// Returns a second handle of the same connection, to read while this one writes.
    pub(crate) fn reader(&self) -> Result<Self> {
        Ok(Self {
            stream: self.stream.try_clone()?,
            topic: String::new(),
            inbox: Inbox::default(),
            payload: String::new(),
        })
    }
}
