//! `bench`: a benchmark of the server, built with optimisation.

use anyhow::Result;

use crate::{
    run::{self, cargo},
    setup::{self, Purpose},
};

/// Runs the server's benchmark `name`. It needs what the tests need: a cluster and Mosquitto for the floors.
pub(crate) fn bench(name: &str, args: &[String]) -> Result<()> {
    setup::setup(Purpose::Test)?;
    run::run(cargo().args(["bench", "--locked", "--package", "crewbell-server", "--bench", name, "--"]).args(args))
}
