//! `fuzz`: runs the property tests of all external input with a large number of cases.
//!
//! `cargo xtask test` runs the same tests with a few hundred cases and a fixed seed.

use anyhow::Result;

use crate::run::{cargo, run};

/// The paths of these tests in the server.
const TESTS: [&str; 4] = [
    "devices::dialects::tests",
    "devices::reading::tests",
    "devices::listener::tests::malformed",
    "live::connection::tests",
];

/// Runs each test with this number of cases.
///
/// # Errors
/// Returns an error if a test fails; it has printed the smallest failing case.
pub(crate) fn fuzz(cases: u32) -> Result<()> {
    let mut tests = cargo();
    tests.args(["test", "--package", "crewbell-server", "--lib", "--"]).args(TESTS);
    run(tests.env("CREWBELL_FUZZ_CASES", cases.to_string()))
}
