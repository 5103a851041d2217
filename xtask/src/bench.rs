//! `bench`: runs an optimised benchmark of the server or of the app.

use anyhow::{Result, bail};

use crate::{
    run::{self, cargo},
    setup::{self, Purpose},
};

/// Runs the benchmark `name`. It needs what the tests need: a PostgreSQL cluster, Mosquitto for the baselines, a
/// virtual sound system.
pub(crate) fn bench(name: &str, args: &[String]) -> Result<()> {
    let package = match name {
        "press" => "crewbell-server",
        "app" | "call" => "crewbell-device-tests",
        _ => bail!("there is no benchmark {name:?}; there are `press`, `app` and `call`"),
    };
    // Calls are measured by the same program, with the same fixtures.
    let (bench, only): (_, &[&str]) = if name == "call" { ("app", &["--only", "call"]) } else { (name, &[]) };
    setup::setup(Purpose::Test)?;
    run::run(cargo().args(["bench", "--locked", "--package", package, "--bench", bench, "--"]).args(only).args(args))
}
