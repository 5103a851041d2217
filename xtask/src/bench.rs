//! `bench`: a benchmark of the server or of the app, built with optimisation.

use anyhow::{Result, bail};

use crate::{
    run::{self, cargo},
    setup::{self, Purpose},
};

/// Runs the benchmark `name`. It needs what the tests need: a cluster, Mosquitto for the floors, a virtual sound system.
pub(crate) fn bench(name: &str, args: &[String]) -> Result<()> {
    let package = match name {
        "press" => "crewbell-server",
        "app" => "crewbell-core",
        _ => bail!("there is no benchmark {name:?}; there are `press` and `app`"),
    };
    setup::setup(Purpose::Test)?;
    run::run(cargo().args(["bench", "--locked", "--package", package, "--bench", name, "--"]).args(args))
}
