//! A virtual X server with a window manager.

use std::{path::Path, process::Command};

use anyhow::{Result, bail};

use crate::{Process, until};

/// Size and depth of the screen: a desktop's, so that windows of every size fit.
const SCREEN: &str = "1600x1000x24";

#[derive(Debug)]
pub(crate) struct Display {
    _window_manager: Process,
    _server: Process,
    number: u32,
}

impl Display {
    /// Starts an X server, which picks a free display number, and openbox on it.
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        let mut server = Process::start(
            Command::new("Xvfb")
                // The server writes its display number to this descriptor: standard output.
                .args(["-displayfd", "1", "-screen", "0", SCREEN])
                .args(["+extension", "GLX", "+render", "-noreset", "-nolisten", "tcp"]),
            folder,
        )?;
        let number = until("the X server", || {
            if server.ended()?.is_some() {
                bail!("Xvfb ended: {}", server.said());
            }
            let said = server.said();
            Ok(said.split_inclusive('\n').find_map(|line| line.strip_suffix('\n')?.trim().parse().ok()))
        })?;
        let name = format!(":{number}");
        let window_manager = Process::start(Command::new("openbox").env("DISPLAY", name).env("HOME", folder), folder)?;
        Ok(Self { _window_manager: window_manager, _server: server, number })
    }

    /// Returns the value of `DISPLAY`.
    pub(crate) fn name(&self) -> String {
        format!(":{}", self.number)
    }
}
