//! The handle of the bell, and the words spoken through it.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Sender, channel},
    },
    thread,
};

use crewbell_shared::{ids::RequestId, request::Priority};

use super::{call_tone::CallTone, keeper};
use crate::wake::Wake;

/// What sounds alerts and messages on this device. Cheap to clone; silent when the last clone is dropped.
#[derive(Clone)]
pub struct Bell(Arc<Handle>);

/// A request that rings on this device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ringing {
    /// Which.
    pub request_id: RequestId,
    /// Chooses the sound.
    pub priority: Priority,
}

/// What has become of the sound. Comes from the bell's own thread: whoever takes it must not block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// A device takes our sound. What its own volume and plugs do with it can't be known.
    Able,
    /// Nothing can be heard, or nothing but emergencies. Tried again every 5 seconds where that can help.
    Unable {
        /// In words, fit to show.
        why: String,
    },
    /// A device pulled the first samples of an alert: once for a request, until it stops ringing. When it joins others,
    /// the alert is the one of the greatest priority, begun anew.
    Sounding {
        /// For which.
        request_id: RequestId,
    },
    /// How far a message is: at its start, its end, and four times a second between. Stands still while an alert sounds.
    Playing {
        /// Whose.
        request_id: RequestId,
        /// From its start, in milliseconds.
        position_ms: u64,
        /// Of all of it, in milliseconds; 0 when it can't be known.
        duration_ms: u64,
        /// Whether it is in hand still: not at its end, not stopped, not failed.
        playing: bool,
        /// Why it can't be heard, or not to its end, in words.
        trouble: Option<String>,
    },
}

impl Bell {
    /// Opens the default output device in a thread of the bell's own, and tells `report` what becomes of it. Never blocks.
    pub fn open(report: impl Fn(Report) + Send + Sync + 'static) -> Self {
        let (orders, incoming) = channel();
        let orders = Inbox { orders, wake: Wake::default() };
        let shared = Arc::new(Mutex::new(Shared::default()));
        let inbox = orders.clone();
        let report: Arc<dyn Fn(Report) + Send + Sync> = Arc::new(report);
        let (theirs, told) = (shared.clone(), report.clone());
        let started = thread::Builder::new()
            .name("bell".to_owned())
            .spawn(move || keeper::keep_up(&incoming, &inbox, &theirs, told.as_ref()));
        if let Err(error) = started {
            let why = format!("The sound could not be started: {error}.");
            lock(&shared).trouble = Some(why.clone());
            report(Report::Unable { why });
        }
        Self(Arc::new(Handle { orders, shared }))
    }

    /// Says what rings now, whole: what is not in `ringing` rings no longer.
    ///
    /// The greatest priority is heard. Who joins begins its sound anew, who leaves doesn't interrupt it.
    pub fn ring(&self, ringing: Vec<Ringing>) {
        lock(&self.0.shared).ringing.clone_from(&ringing);
        self.order(Order::Ring(ringing));
    }

    /// Says what is to be heard of a call, whole: nothing with `None`, at once.
    ///
    /// It stands still while an alert sounds, and goes on in its pauses. As loud as a message.
    pub fn set_call(&self, tone: Option<CallTone>) {
        lock(&self.0.shared).call = tone;
        self.order(Order::Call(tone));
    }

    /// How loud, 0 to 1. Emergencies are never softer than 0.5.
    pub fn set_volume(&self, volume: f32) {
        let volume = if volume.is_finite() { volume.clamp(0.0, 1.0) } else { 1.0 };
        lock(&self.0.shared).volume = volume;
        self.order(Order::Settings);
    }

    /// This device's switch: off is silence, for emergencies and messages too, and reported as `Unable`.
    pub fn set_sounds(&self, on: bool) {
        lock(&self.0.shared).on = on;
        self.order(Order::Settings);
    }

    /// Plays a priority's sound once, at the volume that is set; nothing more when an alert rings already.
    ///
    /// # Errors
    /// Why nothing can be heard, in words.
    pub fn test(&self, priority: Priority) -> Result<(), String> {
        if let Some(why) = lock(&self.0.shared).silence(priority) {
            return Err(why);
        }
        self.order(Order::Test(priority));
        Ok(())
    }

    /// Plays what a guest has said: `wav` as the server keeps it, 16 kHz, one channel, PCM. Ends the message before it.
    ///
    /// It waits while an alert sounds, and goes on in its pauses; an emergency has none.
    pub fn play(&self, request_id: RequestId, wav: Vec<u8>) {
        self.order(Order::Play(request_id, wav));
    }

    /// Ends the message that plays, if one does. Alerts ring on.
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

/// The way to the bell's thread, which sleeps while there is nothing to do.
#[derive(Clone)]
pub(super) struct Inbox {
    orders: Sender<Order>,
    /// Wakes the thread: also from the device's own, which may not send.
    pub(super) wake: Wake,
}

impl Inbox {
    pub(super) fn send(&self, order: Order) {
        // A thread that is gone has said so by `Unable`.
        drop(self.orders.send(order));
        self.wake.wake();
    }
}

/// What reaches the bell's thread.
pub(super) enum Order {
    Ring(Vec<Ringing>),
    Call(Option<CallTone>),
    /// Volume or switch have changed.
    Settings,
    Test(Priority),
    Play(RequestId, Vec<u8>),
    Stop,
    Close,
    /// The output of that number is gone, or of no use: in words.
    Lost(u64, String),
}

/// What the handles and the thread both know, so that `test` can answer without waiting for a device, and a thread that
/// failed begins again with what is to be heard.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) on: bool,
    pub(super) volume: f32,
    /// Why no device takes our sound.
    pub(super) trouble: Option<String>,
    /// What rings, as last ordered.
    pub(super) ringing: Vec<Ringing>,
    /// What is to be heard of a call, as last ordered.
    pub(super) call: Option<CallTone>,
}

impl Shared {
    /// How loud a priority is, 0 to 1.
    pub(super) fn gain(&self, priority: Priority) -> f32 {
        match (self.on, priority) {
            (false, _) => 0.0,
            (true, Priority::Emergency) => self.volume.max(0.5),
            (true, Priority::Low | Priority::Normal | Priority::High) => self.volume,
        }
    }

    /// Why a priority can't be heard, when it can't.
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
    // Nothing between lock and unlock leaves it half changed.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
