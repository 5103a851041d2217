//! The handle of the bell, and its message types.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Sender, channel},
    },
    thread,
};

use crewbell_shared::{ids::RequestId, request::Priority};

use super::{call_tone::CallTone, supervisor};
use crate::wake::Wake;

/// The bell, which plays alerts and messages on this device. Cheap to clone; silent when the last clone is dropped.
#[derive(Clone)]
pub struct Bell(Arc<Handle>);

/// A request that rings on this device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ringing {
    /// The request's id.
    pub request_id: RequestId,
    /// The priority, which selects the sound.
    pub priority: Priority,
}

/// A report on the sound. Sent from the bell's own thread, so the callback must not block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// A device takes the sound. The device's own volume and plugs are unknown.
    Able,
    /// No sound can be played, or only emergencies. Retried every 5 seconds where that can help.
    Unable {
        /// The reason, fit to show.
        why: String,
    },
    /// A device pulled the first samples of an alert: reported once per request, until it stops ringing. With several
    /// requests, the alert is that of the highest priority, restarted when one joins.
    Sounding {
        /// The request's id.
        request_id: RequestId,
    },
    /// The progress of a message: at its start, its end, and four times a second between. It is paused while an alert
    /// sounds.
    Playing {
        /// The request's id.
        request_id: RequestId,
        /// The position, in milliseconds.
        position_ms: u64,
        /// The total duration, in milliseconds; 0 if unknown.
        duration_ms: u64,
        /// Whether it is in progress: not ended, stopped or failed.
        playing: bool,
        /// The reason why it can't be played, or not to its end, fit to show.
        trouble: Option<String>,
    },
}

impl Bell {
    /// Opens the default output device in a thread of the bell's own, and reports to `report`. Never blocks.
    pub fn open(report: impl Fn(Report) + Send + Sync + 'static) -> Self {
        let (orders, incoming) = channel();
        let orders = Inbox { orders, wake: Wake::default() };
        let shared = Arc::new(Mutex::new(Shared::default()));
        let inbox = orders.clone();
        let report: Arc<dyn Fn(Report) + Send + Sync> = Arc::new(report);
        let (theirs, told) = (shared.clone(), report.clone());
        let started = thread::Builder::new()
            .name("bell".to_owned())
            .spawn(move || supervisor::keep_up(&incoming, &inbox, &theirs, told.as_ref()));
        if let Err(error) = started {
            let why = format!("The sound could not be started: {error}.");
            lock(&shared).trouble = Some(why.clone());
            report(Report::Unable { why });
        }
        Self(Arc::new(Handle { orders, shared }))
    }

    /// Sets the requests that ring: requests missing from `ringing` stop.
    ///
    /// The highest priority is played. A request that joins restarts its sound, one that leaves doesn't interrupt it.
    pub fn ring(&self, ringing: Vec<Ringing>) {
        lock(&self.0.shared).ringing.clone_from(&ringing);
        self.order(Order::Ring(ringing));
    }

    /// Sets the tone of a call; `None` stops it at once.
    ///
    /// It is paused while an alert sounds, and plays in the alert's pauses, with a message's volume.
    pub fn set_call(&self, tone: Option<CallTone>) {
        lock(&self.0.shared).call = tone;
        self.order(Order::Call(tone));
    }

    /// Sets the volume, 0 to 1. Emergencies are never softer than 0.5.
    pub fn set_volume(&self, volume: f32) {
        let volume = if volume.is_finite() { volume.clamp(0.0, 1.0) } else { 1.0 };
        lock(&self.0.shared).volume = volume;
        self.order(Order::Settings);
    }

    /// Switches this device's sounds. Off silences emergencies and messages too, and is reported as `Unable`.
    pub fn set_sounds(&self, on: bool) {
        lock(&self.0.shared).on = on;
        self.order(Order::Settings);
    }

    /// Plays a priority's sound once at the set volume; ignored while an alert rings.
    ///
    /// # Errors
    /// Returns the reason, fit to show, if nothing can be played.
    pub fn test(&self, priority: Priority) -> Result<(), String> {
        if let Some(why) = lock(&self.0.shared).silence(priority) {
            return Err(why);
        }
        self.order(Order::Test(priority));
        Ok(())
    }

    /// Plays a guest's message: `wav` as the server stores it, 16 kHz, one channel, PCM. It replaces the message before
    /// it.
    ///
    /// It is paused while an alert sounds, and plays in the alert's pauses; an emergency has none.
    pub fn play(&self, request_id: RequestId, wav: Vec<u8>) {
        self.order(Order::Play(request_id, wav));
    }

    /// Stops the message, if one is playing. Alerts continue.
    pub fn stop(&self) {
        self.order(Order::Stop);
    }

    fn order(&self, order: Order) {
        self.0.orders.send(order);
    }
}

impl fmt::Debug for Bell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bell").finish_non_exhaustive()
    }
}

struct Handle {
    orders: Inbox,
    shared: Arc<Mutex<Shared>>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.orders.send(Order::Close);
    }
}

/// The queue to the bell's thread, which sleeps while there is nothing to do.
#[derive(Clone)]
pub(super) struct Inbox {
    orders: Sender<Order>,
    /// Wakes the thread; also used by the device's thread, which may not send.
    pub(super) wake: Wake,
}

impl Inbox {
    pub(super) fn send(&self, order: Order) {
        // A thread that is gone has reported `Unable`.
        drop(self.orders.send(order));
        self.wake.wake();
    }
}

/// A message to the bell's thread.
pub(super) enum Order {
    Ring(Vec<Ringing>),
    Call(Option<CallTone>),
    /// The volume or the switch changed.
    Settings,
    Test(Priority),
    Play(RequestId, Vec<u8>),
    Stop,
    Close,
    /// The output of that number has failed, with the reason.
    Lost(u64, String),
}

/// State shared by the handles and the thread, so that `test` can answer without waiting for a device, and a failed
/// thread can resume.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) on: bool,
    pub(super) volume: f32,
    /// The reason why no device takes the sound.
    pub(super) trouble: Option<String>,
    /// The requests that ring, as last set.
    pub(super) ringing: Vec<Ringing>,
    /// The tone of the call, as last set.
    pub(super) call: Option<CallTone>,
}

impl Shared {
    /// The gain of a priority, 0 to 1.
    pub(super) fn gain(&self, priority: Priority) -> f32 {
        match (self.on, priority) {
            (false, _) => 0.0,
            (true, Priority::Emergency) => self.volume.max(0.5),
            (true, Priority::Low | Priority::Normal | Priority::High) => self.volume,
        }
    }

    /// The reason why a priority can't be heard, if so.
    pub(super) fn silence(&self, priority: Priority) -> Option<String> {
        if !self.on {
            return Some("Sounds are switched off on this device.".to_owned());
        }
        if let Some(trouble) = &self.trouble {
            return Some(trouble.clone());
        }
        (self.gain(priority) <= 0.0).then(|| "The volume is at zero: only emergencies are heard.".to_owned())
    }
}

impl Default for Shared {
    fn default() -> Self {
        let trouble = Some("The sound is still being set up.".to_owned());
        Self { on: true, volume: 1.0, trouble, ringing: Vec::new(), call: None }
    }
}

pub(super) fn lock(shared: &Mutex<Shared>) -> std::sync::MutexGuard<'_, Shared> {
    // No critical section can leave it in an inconsistent state.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
