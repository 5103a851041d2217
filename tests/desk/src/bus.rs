//! A session's D-Bus.

use std::{path::Path, process::Command};

use anyhow::{Result, bail};

use crate::{Process, until};

#[derive(Debug)]
pub(crate) struct Bus {
    _daemon: Process,
    address: String,
}

impl Bus {
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        let socket = folder.join("bus");
        let mut daemon = Process::start(
            Command::new("dbus-daemon")
                .args(["--session", "--nofork", "--nopidfile"])
                .arg(format!("--address=unix:path={}", socket.display())),
            folder,
        )?;
        until("D-Bus", || {
            if daemon.ended()?.is_some() {
                bail!("dbus-daemon ended: {}", daemon.said());
            }
            Ok(socket.exists().then_some(()))
        })?;
        Ok(Self { _daemon: daemon, address: format!("unix:path={}", socket.display()) })
    }

    /// What goes into `DBUS_SESSION_BUS_ADDRESS`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}
