//! Sound without a sound card: PulseAudio keeps the time by a timer, so what is played takes as long
//! as it would.
//!
//! What the app plays goes to the sink `speaker`; what is played to the sink `wire` is what the
//! microphone hears.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Result, bail};

use crate::{Process, until};

/// Of a recording: samples a second, one channel.
pub const RATE: u32 = 48_000;

/// A running sound server; ended on drop.
#[derive(Debug)]
pub struct Sound {
    _daemon: Process,
    folder: PathBuf,
}

impl Sound {
    /// Starts it with its socket in `folder`.
    ///
    /// A null sink that may rewind sleeps for up to 2 s while nothing plays, and whoever begins to play then is heard no
    /// sooner: no sound card does that. One that may not takes sound every 50 ms.
    ///
    /// # Errors
    /// When `PulseAudio` is missing or doesn't come up.
    pub fn start(folder: &Path) -> Result<Self> {
        let socket = folder.join("pulse.sock");
        // Of one that was ended by force before.
        drop(fs::remove_file(&socket));
        let mut daemon = Process::start(
            Command::new("pulseaudio")
                .args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "-L"])
                .arg(format!("module-native-protocol-unix auth-anonymous=1 socket={}", socket.display()))
                .args(["-L", "module-null-sink sink_name=speaker norewinds=1"])
                .args(["-L", "module-null-sink sink_name=wire norewinds=1"])
                .args(["-L", "module-remap-source source_name=microphone master=wire.monitor"])
                .envs([("HOME", folder), ("XDG_RUNTIME_DIR", folder)])
                .env_remove("DBUS_SESSION_BUS_ADDRESS"),
            folder,
        )?;
        until("PulseAudio", || {
            if daemon.ended()?.is_some() {
                bail!("pulseaudio ended: {}", daemon.said());
            }
            Ok(socket.exists().then_some(()))
        })?;
        Ok(Self { _daemon: daemon, folder: folder.to_owned() })
    }

    /// What goes into `PULSE_SERVER`.
    pub fn server(&self) -> String {
        format!("unix:{}", self.folder.join("pulse.sock").display())
    }

    /// Records the speaker with `parec`, a command that finds this server.
    ///
    /// # Errors
    /// When it records nothing.
    pub fn record(&self, mut parec: Command) -> Result<Recording> {
        let file = self.folder.join("heard.raw");
        drop(fs::remove_file(&file));
        parec
            .args(["--device=speaker.monitor", "--format=s16le", "--channels=1", "--latency-msec=20"])
            .arg(format!("--rate={RATE}"))
            .stdout(File::create(&file)?)
            .stderr(Stdio::null());
        let recorder = Process::start_with_output(&mut parec, &file)?;
        let recording = Recording { _recorder: recorder, file };
        // A monitor gives silence when nothing plays: its first samples say that it listens.
        until("the recorder", || Ok((!recording.samples()?.is_empty()).then_some(())))?;
        Ok(recording)
    }
}

/// What a desk's speaker plays, from the moment of its making; ends on drop.
#[derive(Debug)]
pub struct Recording {
    _recorder: Process,
    file: PathBuf,
}

impl Recording {
    /// What was heard so far: 48,000 samples a second, one channel.
    ///
    /// # Errors
    /// When the recording can't be read.
    pub fn samples(&self) -> Result<Vec<i16>> {
        let bytes = fs::read(&self.file)?;
        Ok(bytes.as_chunks().0.iter().map(|sample| i16::from_le_bytes(*sample)).collect())
    }

    /// Whether anything louder than a whisper (a fiftieth of what is possible) was heard so far.
    ///
    /// # Errors
    /// As `samples`.
    pub fn is_heard(&self) -> Result<bool> {
        Ok(self.samples()?.iter().any(|sample| sample.unsigned_abs() > 655))
    }
}
