//! Floor: an echo through Mosquitto, the most common choice of broker.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::target::{Button, Target, end};

const START_LIMIT: Duration = Duration::from_secs(10);
/// The number of publishers, which is that of the demo site's buttons.
const BUTTONS: usize = 14;

/// A broker on a free port, ended on drop.
pub(crate) struct Broker {
    server: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Broker {
    pub(crate) fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let file = folder.path().join("mosquitto.conf");
        // No delay, as on every socket here: Nagle's algorithm would add 40 ms.
        let settings = format!(
            "listener {} {}\nallow_anonymous true\nset_tcp_nodelay true\npersistence false\nmax_queued_messages 0\nlog_dest none\n",
            address.port(),
            address.ip()
        );
        fs::write(&file, settings)?;
        let server = Command::new(program()?)
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("could not start Mosquitto")?;
        let mut broker = Self { server, address, _folder: folder };
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            if began.elapsed() > START_LIMIT || broker.server.try_wait()?.is_some() {
                bail!("Mosquitto did not start");
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(broker)
    }

    pub(crate) fn target(&self) -> Target {
        let button =
            |number| Button { id: format!("floor-{number}"), username: String::new(), password: String::new() };
        Target {
            http: self.address,
            mqtt: self.address,
            pid: self.server.id(),
            people: Vec::new(),
            buttons: (0..BUTTONS).map(button).collect(),
            join: None,
            database: None,
            only_mqtt: true,
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        end(&mut self.server);
    }
}

/// Returns the program: on PATH, or in the `sbin` folders, which are not on an ordinary user's PATH.
fn program() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/opt/homebrew/sbin"].map(PathBuf::from))
        .map(|folder| folder.join("mosquitto"))
        .find(|file| file.is_file())
        .context("Mosquitto is not installed; `cargo xtask setup` installs it")
}
