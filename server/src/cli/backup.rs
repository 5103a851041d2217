//! The subcommands `crewbell-server backup` and `restore`.

use std::path::PathBuf;

use clap::Args;

use super::database::{DatabaseAccess, Take};
use super::serve::configuration;
use crate::backup::{Existing, Sessions, backup, restore_with};
use crate::config::ServeArgs;

/// The arguments of `backup`.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The file to write, in the custom format of `pg_dump`; an existing file is replaced
    pub file: PathBuf,
    #[command(flatten)]
    serve: ServeArgs,
}

/// The arguments of `restore`.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The backup to read
    pub file: PathBuf,
    /// Replace what is in the database; without this only an empty one is filled
    #[arg(long)]
    pub replace: bool,
    /// Keep every session of the backup, also those that were signed out since
    #[arg(long)]
    pub keep_sessions: bool,
    #[command(flatten)]
    serve: ServeArgs,
}

/// Writes a backup of the whole database to a file, also while a server is running.
///
/// # Errors
/// Returns an error if the database is unavailable or the file can't be written.
pub async fn write(args: BackupArgs) -> anyhow::Result<()> {
    let config = configuration(&args.serve)?;
    let ground = DatabaseAccess::open(&config, Take::Existing).await?;
    let done = backup(&ground.place(&config)?, &args.file).await;
    ground.close().await?;
    done?;
    println!("Everything is in {}.", args.file.display());
    Ok(())
}

/// Restores a backup. No server may be using a private database meanwhile.
///
/// # Errors
/// Returns an error if the database is unavailable or not empty, or the file is not a backup.
pub async fn read(args: RestoreArgs) -> anyhow::Result<()> {
    let config = configuration(&args.serve)?;
    let ground = DatabaseAccess::open(&config, Take::Own).await?;
    let existing = if args.replace { Existing::Replace } else { Existing::MustBeEmpty };
    let sessions = if args.keep_sessions { Sessions::Keep } else { Sessions::EndUnlessLive };
    let done = restore_with(&ground.place(&config)?, &args.file, existing, sessions).await;
    ground.close().await?;
    let ended = done?;
    println!("{} is restored.", args.file.display());
    if ended > 0 {
        println!(
            "{ended} sessions of the backup ended, because they may have been ended since: those people sign in again."
        );
    }
    Ok(())
}
