//! Client of the event stream (`GET /api/events?frames=true`), the fallback for networks that block the live socket. A
//! task of its own emits the same inputs as a socket; outgoing frames are sent as separate requests.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use crewbell_shared::protocol::live::{FromClient, FromServer};
use reqwest::Response;
use tokio::sync::mpsc;

use super::answer;
use super::http::ApiClient;
use super::socket::LARGEST;
use crate::engine::{Fault, Input};
use crate::screen::ConnectionError;
use crate::store::Cursor;

/// Runs until the stream ends.
pub(super) async fn run<T, Told>(
    number: u64,
    door: Result<ApiClient, Fault>,
    cursor: Cursor,
    mut said: mpsc::Receiver<FromClient>,
    tell: &T,
) -> Result<(), Fault>
where
    T: Fn(Input) -> Told + Send + Sync,
    Told: Future<Output = ()> + Send,
{
    let door = door?;
    let response = answer::success(door.events(cursor).await?).await?;
    if !answer::is_of(&response, &["text/event-stream"]) {
        return Err(Fault::Away(ConnectionError::Stranger));
    }
    if let Some(from) = response.remote_addr().and_then(own_address) {
        tell(Input::Opened { socket: number, from }).await;
    }
    let talk = async {
        while let Some(frame) = said.recv().await {
            // Frames may be lost on a socket too, and are sent again with the next stream.
            if let Err(error) = door.say(&frame).await {
                tracing::info!(%error, "The server couldn't be told something.");
            }
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        ended = listen(number, response, tell) => ended,
        () = talk => Ok(()),
    }
}

async fn listen<T, Told>(number: u64, mut response: Response, tell: &T) -> Result<(), Fault>
where
    T: Fn(Input) -> Told + Send + Sync,
    Told: Future<Output = ()> + Send,
{
    let mut events = Events::default();
    while let Some(part) = response.chunk().await.map_err(answer::away)? {
        for data in events.take_in(&part)? {
            let input = match serde_json::from_slice::<FromServer>(&data) {
                Ok(frame) => Input::Frame { socket: number, frame: Box::new(frame) },
                Err(error) => {
                    tracing::warn!(socket = number, category = ?error.classify(), "An event can't be read.");
                    Input::Garbled { socket: number }
                }
            };
            tell(input).await;
        }
    }
    Ok(())
}

/// Incremental parser for an event stream (HTML standard, 9.2.6), limited to the features that the server uses: the
/// data of each event.
#[derive(Debug, Default)]
struct Events {
    line: Vec<u8>,
    data: Vec<u8>,
}

impl Events {
    /// Consumes received bytes and returns the data of the events completed by them.
    fn take_in(&mut self, mut part: &[u8]) -> Result<Vec<Vec<u8>>, Fault> {
        let mut done = Vec::new();
        while let Some(end) = part.iter().position(|byte| *byte == b'\n') {
            self.line.extend_from_slice(&part[..end]);
            part = &part[end + 1..];
            let line = std::mem::take(&mut self.line);
            let line = line.strip_suffix(b"\r").unwrap_or(&line);
            if line.is_empty() {
                let data = std::mem::take(&mut self.data);
                done.extend((!data.is_empty()).then_some(data));
            } else if let Some(data) = line.strip_prefix(b"data:") {
                if !self.data.is_empty() {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(data.strip_prefix(b" ").unwrap_or(data));
            }
        }
        self.line.extend_from_slice(part);
        if self.line.len() + self.data.len() > LARGEST {
            return Err(Fault::Away(ConnectionError::TooLarge));
        }
        Ok(done)
    }
}

/// Returns the device's own address on the route to another: the system looks it up without sending anything.
fn own_address(to: SocketAddr) -> Option<IpAddr> {
    let any: IpAddr = if to.is_ipv4() { [0; 4].into() } else { [0_u16; 8].into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(to).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_wherever_they_are_cut_and_comments_are_none() {
        let stream = b": hello\n\nid: 7\nevent: x\ndata: {\"t\":1}\n\ndata:a\r\ndata: b\r\n\r\n:\n\ndata: unfinished\n";
        for cut in 0..stream.len() {
            let mut events = Events::default();
            let mut read = events.take_in(&stream[..cut]).unwrap();
            read.extend(events.take_in(&stream[cut..]).unwrap());
            assert_eq!(read, [b"{\"t\":1}".to_vec(), b"a\nb".to_vec()], "cut at {cut}");
        }
    }

    #[test]
    fn an_event_without_an_end_is_not_kept_for_ever() {
        let mut events = Events::default();
        let much = vec![b'x'; LARGEST / 4];
        let last = (0..5).map(|_| events.take_in(&much)).last().unwrap();
        assert_eq!(last, Err(Fault::Away(ConnectionError::TooLarge)));
    }
}
