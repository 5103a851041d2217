//! The subcommand `crewbell-server openapi`: the description of the REST API.

use std::io::Write;

use anyhow::Context;

/// Prints the OpenAPI document as indented JSON.
///
/// # Errors
/// Returns an error if standard output can't be written.
pub fn run() -> anyhow::Result<()> {
    let document = crate::http::openapi().to_pretty_json()?;
    writeln!(std::io::stdout(), "{document}").context("The document can't be printed")
}
