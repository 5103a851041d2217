//! A desk for tests: where the app runs as it does before a person, on a machine without screen and
//! sound card.
//!
//! - `display`: a virtual X server with a window manager (screenshots hang without one)
//! - `sound`: PulseAudio with a speaker that can be recorded and a microphone that can be spoken to
//! - `tone`: which tone is in what was recorded
//! - `bus`: a session's D-Bus, by which a second start of an app finds the first; `notices`: notifications on it; `tray`:
//!   a tray on it
//! - `driver`, `window`: WebKitWebDriver, and what a person does to a window by it; `click`: when something can be clicked
//! - `process`: programs that end with the desk
//!
//! A driver has one window at a time: two people sit at two desks. What the programs need is
//! installed by `cargo xtask setup`.

mod bus;
mod click;
mod display;
mod driver;
mod notices;
mod process;
mod sound;
mod tone;
mod tray;
mod wait;
mod window;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use tempfile::TempDir;

pub use bus::HeldName;
pub use notices::{Notice, Notices};
pub use process::Process;
pub use sound::{RATE, Recording, Sound};
pub use tone::tone;
pub use tray::{Entry, Tray};
pub use wait::until;
pub use window::{ALT, CONTROL, DOWN, LEFT, RIGHT, UP, Window};

/// A display, a sound system and a bus of its own; all of it ends with the value.
#[derive(Debug)]
pub struct Desk {
    // Dropped in this order: who stands on another goes first.
    driver: driver::Driver,
    sound: Option<sound::Sound>,
    bus: bus::Bus,
    _display: display::Display,
    folder: TempDir,
    surroundings: Vec<(&'static str, String)>,
}

impl Desk {
    /// Sets a desk up; takes about a second.
    ///
    /// # Errors
    /// When a program is missing or doesn't come up; the message names it.
    pub fn set_up() -> Result<Self> {
        Self::new(true)
    }

    /// A desk at which nothing can sound: there is neither a sound server nor a sound card.
    ///
    /// # Errors
    /// As `set_up`.
    pub fn without_sound() -> Result<Self> {
        Self::new(false)
    }

    fn new(sounds: bool) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("crewbell-desk-").tempdir()?;
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("home"))?;
        let display = display::Display::start(folder.path())?;
        let sound = sounds.then(|| sound::Sound::start(folder.path())).transpose()?;
        let sound_server = sound.as_ref().map_or_else(|| "unix:/nowhere/pulse.sock".to_owned(), sound::Sound::server);
        let bus = bus::Bus::start(folder.path())?;
        let surroundings = vec![
            ("DISPLAY", display.name()),
            ("DBUS_SESSION_BUS_ADDRESS", bus.address().to_owned()),
            ("PULSE_SERVER", sound_server),
            ("HOME", path("home").display().to_string()),
            ("XDG_RUNTIME_DIR", folder.path().display().to_string()),
            ("GDK_BACKEND", "x11".to_owned()),
            ("NO_AT_BRIDGE", "1".to_owned()),
            // There is no graphics card: Mesa draws on the processor.
            ("LIBGL_ALWAYS_SOFTWARE", "1".to_owned()),
            ("TAURI_AUTOMATION", "true".to_owned()),
            ("TAURI_WEBVIEW_AUTOMATION", "true".to_owned()),
        ];
        let driver = driver::Driver::start(folder.path(), |program| at_desk(program, &surroundings))?;
        Ok(Self { driver, sound, bus, _display: display, folder, surroundings })
    }

    /// A command that would run at this desk.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = at_desk(program, &self.surroundings);
        command.current_dir(self.folder.path());
        command
    }

    /// Starts `app` at this desk, and takes its window in hand. One at a time.
    ///
    /// # Errors
    /// When it doesn't start, or another window is in hand.
    pub fn open(&self, app: &Path, args: &[&str]) -> Result<Window> {
        self.driver.open(app, args)
    }

    /// Records what is played at this desk from now on.
    ///
    /// # Errors
    /// When nothing can sound here, or it records nothing.
    pub fn record(&self) -> Result<Recording> {
        let sound = self.sound.as_ref().context("a desk without sound")?;
        sound.record(self.command(Path::new("parec")))
    }

    /// From now on notifications are shown at this desk; nothing shows them before.
    ///
    /// # Errors
    /// When the bus is gone, or something shows them already.
    pub fn notices(&self) -> Result<Notices> {
        Notices::serve(self.bus.address())
    }

    /// From now on this desk has a tray; an app that starts before has none.
    ///
    /// # Errors
    /// When the bus is gone, or there is one already.
    pub fn tray(&self) -> Result<Tray> {
        Tray::serve(self.bus.address())
    }

    /// Takes a name on this desk's bus, and answers nobody who calls its owner.
    ///
    /// # Errors
    /// When the bus is gone, or the name is somebody's.
    pub fn hold_name(&self, name: &'static str) -> Result<HeldName> {
        HeldName::take(self.bus.address(), name)
    }

    /// A folder that is empty at first and gone with the desk.
    pub fn folder(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn at_desk(program: &Path, surroundings: &[(&'static str, String)]) -> Command {
    let mut command = Command::new(program);
    for foreign in ["WAYLAND_DISPLAY", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XAUTHORITY"] {
        command.env_remove(foreign);
    }
    command.envs(surroundings.iter().map(|(name, value)| (name, value)));
    command
}
