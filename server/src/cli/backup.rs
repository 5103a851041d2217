//! `crewbell-server backup` and `restore`

use std::path::PathBuf;

use clap::Args;

use super::ground::{Ground, Take};
use super::serve::configuration;
use crate::backup::{Existing, Sessions, backup, restore_with};
use crate::config::ServeArgs;

/// Where to write a backup to.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The file to write, in the custom format of `pg_dump`; replaced when it is there
    pub file: PathBuf,
    #[command(flatten)]
    serve: ServeArgs,
}

/// What to restore from.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The backup to read
    pub file: PathBuf,
    /// Replace what is in the database; without this only an empty one is filled
    #[arg(long)]
    pub replace: bool,
    /// Leave everybody signed in who was when the backup was made, also those who were signed out since
    #[arg(long)]
    pub keep_sessions: bool,
    #[command(flatten)]
    serve: ServeArgs,
}

/// Writes everything to a file; also beside a server that runs.
///
/// # Errors
/// The database can't be had, or the file can't be written.
pub async fn write(args: BackupArgs) -> anyhow::Result<()> {
    let config = configuration(&args.serve)?;
    let ground = Ground::open(&config, Take::Existing).await?;
    let done = backup(&ground.place(&config)?, &args.file).await;
    ground.close().await?;
    done?;
    println!("Everything is in {}.", args.file.display());
    Ok(())
}

/// Reads a backup back. A private database must not be in use by a server.
///
/// # Errors
/// The database can't be had or isn't empty, or the file is no backup.
pub async fn read(args: RestoreArgs) -> anyhow::Result<()> {
    let config = configuration(&args.serve)?;
    let ground = Ground::open(&config, Take::Own).await?;
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
