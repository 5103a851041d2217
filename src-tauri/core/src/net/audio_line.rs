//! Relays a call's audio over the current live socket, bypassing the controller: fifty packets a second would burden a
//! loop that writes to a disk.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

/// Capacity of the send queue in packets: a third of a second. Further packets are dropped, as they would arrive too
/// late to be played.
const WAITING: usize = 16;

/// The audio path over the current live socket; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct AudioLine(Arc<Mutex<Option<mpsc::Sender<Vec<u8>>>>>);

/// Callback for received packets. It runs on the socket's task, so it must not block.
type Heard = Box<dyn Fn(&[u8]) + Send + Sync>;

/// The socket's end of an [`AudioLine`].
pub struct AudioEnd {
    pub(super) spoken: mpsc::Receiver<Vec<u8>>,
    pub(super) heard: Heard,
}

impl fmt::Debug for AudioEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AudioEnd").finish_non_exhaustive()
    }
}

impl AudioLine {
    /// Switches to a new socket; packets received over it are passed to `heard`.
    pub fn open(&self, heard: impl Fn(&[u8]) + Send + Sync + 'static) -> AudioEnd {
        let (speak, spoken) = mpsc::channel(WAITING);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(speak);
        AudioEnd { spoken, heard: Box::new(heard) }
    }

    /// Sends a packet, or drops it if the queue is full or there is no socket.
    pub fn speak(&self, packet: Vec<u8>) {
        if let Some(line) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            // Packet loss is acceptable for audio.
            let _ = line.try_send(packet);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spoken_goes_to_the_newest_socket_and_is_lost_when_it_is_full() {
        let line = AudioLine::default();
        line.speak(vec![0]);
        let mut old = line.open(|_| {});
        let mut new = line.open(|_| {});
        for packet in 0..=u8::try_from(WAITING).unwrap() {
            line.speak(vec![packet]);
        }
        assert!(old.spoken.try_recv().is_err());
        let heard: Vec<u8> = std::iter::from_fn(|| new.spoken.try_recv().ok()).flatten().collect();
        assert_eq!(heard, (0..u8::try_from(WAITING).unwrap()).collect::<Vec<_>>());
    }
}
