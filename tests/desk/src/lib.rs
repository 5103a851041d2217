//! A virtual desktop for tests: it runs the app on a machine without screen and sound card.
//!
//! - `display`: a virtual X server with a window manager (screenshots hang without one)
//! - `sound`: PulseAudio with a speaker that can be recorded and a microphone that can be fed
//! - `tone`: detects a tone in a recording
//! - `bus`: the D-Bus session bus, by which a second start of an app finds the first; `notices`: notifications on it;
//!   `tray`: a system tray on it
//! - `driver`, `window`: WebKitWebDriver, and the control of a window through it; `click`: the check for clickable
//!   elements
//! - `process`: child processes that end with the desktop
//!
//! A driver has one window at a time, so a test with two people needs two desktops. `cargo xtask setup` installs the
//! programs.

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

/// A virtual desktop with its own display, sound server and bus; all of it ends on drop.
#[derive(Debug)]
pub struct Desk {
    // Dropped in this order: dependents first.
    driver: driver::Driver,
    sound: Option<sound::Sound>,
    bus: bus::Bus,
    _display: display::Display,
    folder: TempDir,
    surroundings: Vec<(&'static str, String)>,
}

impl Desk {
    /// Starts a desktop; takes about a second.
    ///
    /// # Errors
    /// Returns an error if a program is missing or doesn't come up; the message names it.
    pub fn set_up() -> Result<Self> {
        Self::new(true)
    }

    /// Starts a desktop without sound: it has neither a sound server nor a sound card.
    ///
    /// # Errors
    /// Returns the same errors as `set_up`.
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

    /// Returns a command that runs on this desktop.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = at_desk(program, &self.surroundings);
        command.current_dir(self.folder.path());
        command
    }

    /// Starts `app` on this desktop and returns its window. Only one window can be open at a time.
    ///
    /// # Errors
    /// Returns an error if the app doesn't start, or another window is open.
    pub fn open(&self, app: &Path, args: &[&str]) -> Result<Window> {
        self.driver.open(app, args)
    }

    /// Starts to record the speaker of this desktop.
    ///
    /// # Errors
    /// Returns an error if the desktop has no sound, or the recorder records nothing.
    pub fn record(&self) -> Result<Recording> {
        let sound = self.sound.as_ref().context("a desk without sound")?;
        sound.record(self.command(Path::new("parec")))
    }

    /// Starts the notification service of this desktop; without it no notifications are shown.
    ///
    /// # Errors
    /// Returns an error if the bus is gone, or has a notification service already.
    pub fn notices(&self) -> Result<Notices> {
        Notices::serve(self.bus.address())
    }

    /// Starts the system tray of this desktop; an app that was started earlier doesn't use it.
    ///
    /// # Errors
    /// Returns an error if the bus is gone, or has a tray already.
    pub fn tray(&self) -> Result<Tray> {
        Tray::serve(self.bus.address())
    }

    /// Takes a name on this desktop's bus, and leaves every call to it unanswered.
    ///
    /// # Errors
    /// Returns an error if the bus is gone, or the name is taken.
    pub fn hold_name(&self, name: &'static str) -> Result<HeldName> {
        HeldName::take(self.bus.address(), name)
    }

    /// Returns the path of a folder that is removed with the desktop.
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
