//! `crewbell-server`: see `crewbell-server --help`.

use std::process::ExitCode;

use clap::Parser;
use crewbell_server::cli::Cli;

/// The allocator. It returns memory to the system after a peak (nine PINs hashed, a site loaded), which the C library's
/// allocator keeps.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // One cryptography provider in the process: with two compiled in, rustls can't choose and panics.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(cli.run()),
        Err(error) => Err(error.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("crewbell-server: {error:#}");
            ExitCode::FAILURE
        }
    }
}
