//! The way of a call's voice over whatever live socket there is, past the controller: fifty packets a second have no
//! business in a loop that writes to a disk.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

/// Packets that may wait to be sent: a third of a second. What comes then is dropped; by the time it left it would be
/// too old to be heard.
const WAITING: usize = 16;

/// The way of a call's voice over whatever live socket there is; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct AudioLine(Arc<Mutex<Option<mpsc::Sender<Vec<u8>>>>>);

/// Hears a packet. Called on the socket's task, so it must not block.
type Heard = Box<dyn Fn(&[u8]) + Send + Sync>;

/// A socket's end of it.
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
    /// Leads to a new socket from now on; what comes over it is heard by `heard`.
    pub fn open(&self, heard: impl Fn(&[u8]) + Send + Sync + 'static) -> AudioEnd {
        let (speak, spoken) = mpsc::channel(WAITING);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(speak);
        AudioEnd { spoken, heard: Box::new(heard) }
    }

    /// Sends a packet, or loses it.
    pub fn speak(&self, packet: Vec<u8>) {
        if let Some(line) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            // Full or gone: lost, as a packet may be.
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
