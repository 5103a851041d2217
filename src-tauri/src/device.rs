//! The core's shell: windows, sounds, notifications, the tray. It contains no rules; the core decides on alerts and
//! events.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crewbell_core::controller::Window;
use crewbell_core::engine::Input;
use crewbell_core::screen::{Alert, AskError, AudioOutputStatus, CoreEvent, Task, VoicePlayer, settings};
use crewbell_core::shell::{Recording, Shell};
use crewbell_shared::Code;
use crewbell_shared::call::Call;
use crewbell_shared::request::Priority;
use crewbell_voice::sounds::{Bell, Report, Ringing};
use tauri::{AppHandle, Emitter, Manager};
use tokio::sync::mpsc;

use crate::notices::{Notices, System};
use crate::phone::Phone;
use crate::texts::Words;
use crate::wire::Wire;

/// Capacity of the event queue of a busy window.
const WINDOW_QUEUE: usize = 1024;

/// The device that the core runs on.
pub(crate) struct Device {
    app: AppHandle,
    window: Arc<Window>,
    bell: Bell,
    phone: Phone,
    /// Held only briefly, and never during a call to a window or the system: those answer on the main thread, which may
    /// be waiting for this lock.
    seen: Mutex<Seen>,
}

/// The latest state of the parts outside the window.
struct Seen {
    words: &'static Words,
    alerts: Vec<Alert>,
    open: usize,
    /// The call that rings here or is ongoing.
    task: Task,
    call: Option<Call>,
    missed: usize,
    /// Whether the window has the focus, as it last reported.
    looked_at: bool,
    notices: Notices<System>,
}

/// The state that tray, badge and title show.
#[cfg(desktop)]
pub(crate) struct Outside {
    pub(crate) words: &'static Words,
    pub(crate) open: usize,
    pub(crate) missed: usize,
    pub(crate) task: Task,
    /// The caller's name, while a call rings.
    pub(crate) caller: Option<String>,
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device").finish_non_exhaustive()
    }
}

impl Device {
    /// Creates the app's device, and the channel of its bell's reports.
    pub(crate) fn new(app: &AppHandle) -> (Arc<Self>, mpsc::UnboundedReceiver<Report>) {
        let window = Arc::new(Window::new(WINDOW_QUEUE));
        let (report, reports) = mpsc::unbounded_channel();
        let bell = Bell::open(move |said| {
            // There may be no receiver left while the app is closing.
            let _ = report.send(said);
        });
        let seen = Seen {
            words: Words::of(None),
            alerts: Vec::new(),
            open: 0,
            task: Task::Idle,
            call: None,
            missed: 0,
            looked_at: false,
            notices: Notices::new(System(app.clone())),
        };
        let phone = Phone::new(app);
        let device = Self { app: app.clone(), window: Arc::clone(&window), bell, phone, seen: Mutex::new(seen) };
        tauri::async_runtime::spawn(post(app.clone(), window));
        (Arc::new(device), reports)
    }

    /// Converts a report of the bell to an input for the core; reports of playback are emitted to the window at once.
    pub(crate) fn heard(&self, report: Report) -> Option<Input> {
        match report {
            Report::Able => Some(Input::Ears(AudioOutputStatus::Able)),
            Report::Unable { why } => Some(Input::Ears(AudioOutputStatus::Unable { why })),
            Report::Sounding { request_id } => Some(Input::Sounded { request_id }),
            Report::Playing { request_id, position_ms, duration_ms, playing, trouble } => {
                // The window has its own text for a recording that can't be played.
                let trouble = trouble.map(|_| Code::Invalid);
                let short = |ms: u64| u32::try_from(ms).unwrap_or(u32::MAX);
                let (position_ms, duration_ms) = (short(position_ms), short(duration_ms));
                let player = VoicePlayer { request_id, position_ms, duration_ms, playing, trouble };
                self.window.emit(&[CoreEvent::Voice { player: Some(player) }]);
                None
            }
        }
    }

    /// Changes the state outside the window; its display is updated without waiting.
    fn update(&self, change: impl FnOnce(&mut Seen)) {
        {
            let mut seen = self.seen();
            change(&mut seen);
            let Seen { words, alerts, task, call, looked_at, notices, .. } = &mut *seen;
            let calling = call.as_ref().filter(|_| matches!(task, Task::Ring { .. }));
            notices.update(alerts, calling, words, *looked_at);
        }
        #[cfg(desktop)]
        crate::desktop::refresh(&self.app);
    }

    /// Sets whether the window has the focus. The window reports it by an event, because a query could deadlock while
    /// this thread is the one it waits for.
    pub(crate) fn looked_at(&self, looked_at: bool) {
        if let Some(hello) = self.app.try_state::<crate::hello::Hello>() {
            hello.looked_at(looked_at);
        }
        self.update(|seen| seen.looked_at = looked_at);
    }

    /// Returns the state for tray, badge and title.
    #[cfg(desktop)]
    pub(crate) fn outside(&self) -> Outside {
        let Seen { words, open, missed, task, call, .. } = &*self.seen();
        let caller = call.as_ref().filter(|_| matches!(task, Task::Ring { .. })).map(|call| call.caller.name.clone());
        Outside { words, open: *open, missed: *missed, task: *task, caller }
    }

    /// Emits an event to the window alone.
    pub(crate) fn tell_window(&self, told: CoreEvent) {
        self.window.emit(&[told]);
    }

    pub(crate) fn bell(&self) -> &Bell {
        &self.bell
    }

    /// Returns the device's voice.
    pub(crate) fn voice(&self) -> &Phone {
        &self.phone
    }

    /// Returns the texts of the current language.
    #[cfg(desktop)]
    pub(crate) fn words(&self) -> &'static Words {
        self.seen().words
    }

    /// Returns the id of the call that rings here or is ongoing.
    #[cfg(desktop)]
    pub(crate) fn call_id(&self) -> Option<crewbell_shared::ids::CallId> {
        self.seen().task.call_id()
    }

    /// Shows the call state outside the window.
    pub(crate) fn show_call(&self, task: Task, call: Option<&Call>, missed: usize) {
        self.update(|seen| (seen.task, seen.call, seen.missed) = (task, call.cloned(), missed));
        #[cfg(desktop)]
        if matches!(task, Task::Ring { .. }) {
            crate::desktop::draw_the_eye(&self.app);
        }
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Emits the queued events to the window, in order.
async fn post(app: AppHandle, window: Arc<Window>) {
    loop {
        let told = window.take().await;
        if let Err(error) = app.emit_to(crate::WINDOW, "told", Wire(told)) {
            eprintln!("The window can't be told: {error}");
        }
    }
}

impl Shell for Device {
    fn tell(&self, told: &[CoreEvent]) {
        self.window.emit(told);
    }

    fn ring(&self, alerts: &[Alert], open: usize) {
        let loud = alerts.iter().filter(|alert| !alert.silenced);
        let ringing = loud.map(|alert| Ringing { request_id: alert.request_id, priority: alert.priority });
        // Sound takes precedence over everything else.
        self.bell.ring(ringing.collect());
        self.update(|seen| (seen.alerts, seen.open) = (alerts.to_vec(), open));
    }

    fn test_sound(&self, priority: Priority) -> Result<(), AskError> {
        self.bell.test(priority).map_err(|why| AskError::Unreadable { why })
    }

    fn play(&self, recording: Option<Recording>) -> Result<(), AskError> {
        match recording {
            Some(Recording { request_id, wav }) => self.bell.play(request_id, wav),
            None => self.bell.stop(),
        }
        Ok(())
    }

    fn setting(&self, name: &str, value: Option<&str>) {
        match name {
            settings::VOLUME => self.bell.set_volume(f32::from(settings::volume(value)) / 100.0),
            settings::SOUNDS => self.bell.set_sounds(settings::sounds_on(value)),
            settings::LANGUAGE => self.update(|seen| seen.words = Words::of(value)),
            _ => self.phone.setting(name, value),
        }
    }

    fn downloads(&self) -> PathBuf {
        let paths = self.app.path();
        paths
            .download_dir()
            .or_else(|_| paths.document_dir())
            .or_else(|_| paths.app_local_data_dir())
            .unwrap_or_default()
    }
}
