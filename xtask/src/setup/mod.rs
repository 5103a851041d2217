//! Checks and installs the machine's dependencies.
//!
//! It is silent and instant if nothing is missing. Otherwise it prints what is missing and why before it changes
//! anything, installs only with the system's own package manager, and if it can't, prints the command to type and
//! stops.

pub(crate) mod deny;
mod install;
mod needs;
mod pesq;
pub(crate) mod python;

use anyhow::{Result, bail};

use install::Installer;
pub(crate) use needs::Purpose;

use crate::web;

/// Ensures that the dependencies of `purpose` are installed.
///
/// # Errors
/// Returns an error if something is missing and could not be installed; the message says what to do.
pub(crate) fn setup(purpose: Purpose) -> Result<()> {
    bring(purpose)?;
    if purpose == Purpose::Test {
        pesq::PESQ.offer();
        if deny::program().is_none() {
            deny::DENY.offer();
        }
    }
    Ok(())
}

fn bring(purpose: Purpose) -> Result<()> {
    if purpose.builds_the_face() {
        web::offer_rustup()?;
    }
    let missing = needs::missing(purpose);
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("This machine still lacks:");
    for need in &missing {
        eprintln!("  - {}: {}", need.name, need.why);
    }

    let installer = Installer::of_this_machine();
    let packages = installer.packages(&missing);
    installer.install(&packages)?;

    let still = needs::missing(purpose);
    if !still.is_empty() {
        let names = still.iter().map(|need| need.name).collect::<Vec<_>>().join(", ");
        bail!(
            "the packages are installed ({}), but {names} can't be found; put the programs on PATH and try again",
            packages.join(" ")
        );
    }
    eprintln!("All there.");
    Ok(())
}
