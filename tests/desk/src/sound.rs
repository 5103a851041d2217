//! A sound server without a sound card: PulseAudio's null sinks keep time by a timer, so sound plays in real time.
//!
//! The app plays to the sink `speaker`. Sound that is played to the sink `wire` is the microphone's input.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Result, bail};

use crate::{Process, until};

/// Sample rate of a recording in Hz; recordings have one channel.
pub const RATE: u32 = 48_000;

/// A running sound server; ended on drop.
#[derive(Debug)]
pub struct Sound {
    _daemon: Process,
    folder: PathBuf,
}

impl Sound {
    /// Starts the sound server with its socket in `folder`.
    ///
    /// A null sink that may rewind sleeps for up to 2 s while nothing plays, and new sound is delayed by that; no sound
    /// card does this. With `norewinds` it takes sound every 50 ms.
    ///
    /// # Errors
    /// Returns an error if `PulseAudio` is missing or doesn't come up.
    pub fn start(folder: &Path) -> Result<Self> {
        let socket = folder.join("pulse.sock");
        // The socket of a server that was killed earlier.
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

    /// Returns the value of `PULSE_SERVER`.
    pub fn server(&self) -> String {
        format!("unix:{}", self.folder.join("pulse.sock").display())
    }

    /// Records the speaker with `parec`, a command that finds this server.
    ///
    /// # Errors
    /// Returns an error if nothing is recorded.
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
        // A monitor delivers silence while nothing plays: its first samples show that it is recording.
        until("the recorder", || Ok((!recording.samples()?.is_empty()).then_some(())))?;
        Ok(recording)
    }
}

/// A recording of a desktop's speaker from its creation on; ends on drop.
#[derive(Debug)]
pub struct Recording {
    _recorder: Process,
    file: PathBuf,
}

impl Recording {
    /// Returns the samples recorded so far: 48,000 a second, one channel.
    ///
    /// # Errors
    /// Returns an error if the recording can't be read.
    pub fn samples(&self) -> Result<Vec<i16>> {
        let bytes = fs::read(&self.file)?;
        Ok(bytes.as_chunks().0.iter().map(|sample| i16::from_le_bytes(*sample)).collect())
    }

    /// Returns whether any sample so far is above a fiftieth of full scale.
    ///
    /// # Errors
    /// Returns the same errors as `samples`.
    pub fn is_heard(&self) -> Result<bool> {
        Ok(self.samples()?.iter().any(|sample| sample.unsigned_abs() > 655))
    }
}
