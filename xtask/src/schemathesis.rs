//! `schemathesis`: tests the REST interface against its OpenAPI document with a third-party program.
//!
//! Schemathesis (<https://schemathesis.io>) generates thousands of valid and invalid requests from `/openapi.json`, and
//! compares the responses with the document. The server is a demo of its own on a free port; it is tested with a token
//! of each role, and then without one. Five operations are excluded: the stream and the socket never end, and the
//! others would end the test's own session.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{
    demo::build_server,
    run::{self, root, succeeds},
    setup::python::Package,
};

/// Pinned to the version that the rules in [`EXCLUDED`] and `schemathesis.toml` were written for.
const SCHEMATHESIS: Package = Package {
    name: "Schemathesis, which tries the interface",
    folder: "target/schemathesis/4.32.5",
    requirements: &["schemathesis==4.32.5"],
    works: |folder| succeeds(Command::new(folder.join("bin/schemathesis")).arg("--version")),
    without: "the interface is not tried",
};

/// Operations that are excluded.
const EXCLUDED: [&str; 5] = ["sync_events", "sync_live", "auth_logout", "people_sign_out", "people_sign_out_session"];

/// Tests the interface in each role; `args` go to Schemathesis.
///
/// # Errors
/// Returns an error if it can't be installed, the server doesn't start, or a response violates the document.
pub(crate) fn schemathesis(args: &[String]) -> Result<()> {
    SCHEMATHESIS.offer();
    let program = SCHEMATHESIS.program("schemathesis");
    if !program.is_file() {
        bail!("Schemathesis could not be had");
    }
    let folder = root().join("target/schemathesis");
    let server = Server::start(&build_server()?, &folder.join("data"))?;
    let mut failed = Vec::new();
    for (role, token) in server.roles()? {
        println!("\n==> {role}");
        let mut command = Command::new(&program);
        command.current_dir(root()).args(["--config-file", "xtask/schemathesis.toml", "run"]);
        command.arg(format!("http://{}/openapi.json", server.http()?));
        command.args(["--seed", "4711", "--workers", "2", "--no-color"]);
        for id in EXCLUDED {
            command.args(["--exclude-operation-id", id]);
        }
        if let Some(token) = token {
            command.args(["--header", &format!("Authorization: Bearer {token}")]);
        }
        if run::run(command.args(args)).is_err() {
            failed.push(role);
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        bail!("answers aren't what the description promises: {}", failed.join(", "))
    }
}

/// A demo server with a database of its own; ended on drop.
struct Server {
    process: Child,
    ready: Value,
}

impl Server {
    fn start(program: &Path, data: &Path) -> Result<Self> {
        if data.exists() {
            fs::remove_dir_all(data).context("The last round's data could not be removed.")?;
        }
        let mut command = Command::new(program);
        command.args(["demo", "--headless", "--json", "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--data-dir"]);
        command.arg(data).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = command.spawn().context("The server could not be started.")?;
        let out = process.stdout.take().context("The server has no output.")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        let ready = serde_json::from_str(&line).context("The server ended before it was ready.")?;
        Ok(Self { process, ready })
    }

    fn http(&self) -> Result<&str> {
        self.ready["http"].as_str().context("The server names no address.")
    }

    /// A token of each role, and none.
    fn roles(&self) -> Result<Vec<(String, Option<String>)>> {
        let mut roles: Vec<(String, Option<String>)> = Vec::new();
        for person in self.ready["people"].as_array().context("The server names no crew.")? {
            let text = |field: &str| person[field].as_str().map(str::to_owned);
            if let Some(role) = text("role").filter(|role| roles.iter().all(|(known, _)| known != role)) {
                roles.push((role, text("token")));
            }
        }
        roles.push(("nobody".to_owned(), None));
        Ok(roles)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let id = i32::try_from(self.process.id()).unwrap_or_default();
        // An orderly end, so that it stops its database.
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), nix::sys::signal::Signal::SIGTERM);
        let _ = self.process.wait();
    }
}
