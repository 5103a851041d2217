//! `WebKitWebDriver`: a program that opens an app's web view and is controlled over HTTP.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::Path,
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::{Process, Window, process::end_all, until};

/// Time limit of a request: opening an app in a debug build on a busy machine takes seconds.
const PATIENCE: Duration = Duration::from_mins(1);
/// Attempts to open an app. The driver and the app meet at a port that was free when the driver looked, and that
/// another program may take before the app does.
const TRIES: usize = 2;

#[derive(Debug)]
pub(crate) struct Driver {
    program: Process,
    port: u16,
}

impl Driver {
    /// Starts the driver on a free port, in the environment of the app.
    pub(crate) fn start(folder: &Path, at_desk: impl Fn(&Path) -> Command) -> Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut command = at_desk(Path::new("WebKitWebDriver"));
        command.args(["--host=127.0.0.1", &format!("--port={port}")]);
        let mut program = Process::start(&mut command, folder)?;
        until("WebKitWebDriver", || {
            if program.ended()?.is_some() {
                bail!("WebKitWebDriver ended: {}", program.said());
            }
            Ok(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok())
        })?;
        Ok(Self { program, port })
    }

    /// Opens the app in a session of its own.
    pub(crate) fn open(&self, app: &Path, args: &[&str]) -> Result<Window> {
        let options = json!({ "binary": app, "args": args });
        let wish = json!({ "capabilities": { "alwaysMatch": { "webkitgtk:browserOptions": options } } });
        let mut tries = 0;
        let session = loop {
            tries += 1;
            match call(self.port, "POST", "/session", &wish) {
                Ok(session) => break session,
                Err(error) if tries == TRIES => return Err(error.context(self.program.said())),
                Err(error) => {
                    println!("the app is opened again: {error:#}; {}", self.program.said());
                    end_all(self.program.id());
                }
            }
        };
        let id = session["sessionId"].as_str().context("the driver named no session")?;
        Ok(Window::new(self.port, id, self.program.id()))
    }
}

/// Sends a request of the `WebDriver` protocol (W3C); returns its `value`.
///
/// # Errors
/// Returns an error if the driver is gone or refuses; a refusal's message is the driver's.
pub(crate) fn call(port: u16, method: &str, path: &str, body: &Value) -> Result<Value> {
    let body = body.to_string();
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).context("the driver is gone")?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).with_context(|| format!("{method} {path}: no answer"))?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").with_context(|| format!("{method} {path}: half an answer"))?;
    let mut body: Value = serde_json::from_str(body).with_context(|| format!("{method} {path}: {head}"))?;
    let value = body["value"].take();
    if head.split(' ').nth(1) != Some("200") {
        bail!("{method} {path}: {}: {}", value["error"], value["message"]);
    }
    Ok(value)
}
