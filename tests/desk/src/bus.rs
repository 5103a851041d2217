//! A D-Bus session bus.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, bail};
use futures_util::StreamExt;
use tokio::runtime::{Builder, Runtime};
use zbus::{Connection, MessageStream};

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

    /// Returns the value of `DBUS_SESSION_BUS_ADDRESS`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}

/// A bus name whose owner answers no calls, like a program that is shutting down; released on drop.
#[derive(Debug)]
pub struct HeldName {
    runtime: Runtime,
    connection: Connection,
}

impl HeldName {
    pub(crate) fn take(address: &str, name: &'static str) -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let connection =
            runtime.block_on(async { zbus::connection::Builder::address(address).name(name).build().await });
        Ok(Self { connection: connection.with_context(|| format!("{name} on the bus"))?, runtime })
    }

    /// Waits until a client calls this method of the owner.
    ///
    /// # Errors
    /// Returns an error if the bus is gone.
    pub fn wait_for_call(&self, method: &str) -> Result<()> {
        self.runtime.block_on(async {
            let mut messages = MessageStream::from(&self.connection);
            while let Some(message) = messages.next().await {
                if message?.header().member().is_some_and(|member| member == method) {
                    return Ok(());
                }
            }
            bail!("the bus is gone")
        })
    }
}
