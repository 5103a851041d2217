//! `fuzz`: the property tests of all that comes from outside, with as many cases as there is time for.
//!
//! `cargo xtask test` runs the same tests with a few hundred cases, always the same ones.

use anyhow::Result;

use crate::run::{cargo, run};

/// Where these tests stand in the server.
const TESTS: [&str; 4] = [
    "devices::dialects::tests",
    "devices::reading::tests",
    "devices::listener::tests::malformed",
    "live::connection::tests",
];

/// Runs them with so many cases each.
///
/// # Errors
/// When one fails; it has printed the smallest case that it found.
pub(crate) fn fuzz(cases: u32) -> Result<()> {
    let mut tests = cargo();
    tests.args(["test", "--package", "crewbell-server", "--lib", "--"]).args(TESTS);
    run(tests.env("CREWBELL_FUZZ_CASES", cases.to_string()))
}
