//! The command line: one file or folder per subcommand, each with its arguments and a `run`.
//!
//! A `run` prints its result to standard output and returns an error as a sentence; `main` prints that to standard
//! error and exits with 1. Errors of the command line itself exit with 2, as in clap. This module writes to the
//! database only through [`actions`](crate::actions).

pub mod admin;
pub mod backup;
mod database;
pub mod demo;
mod format;
mod lan;
pub mod openapi;
pub mod press;
pub mod qr;
pub mod serve;
mod table;
pub mod watch;

use clap::{Args, Parser, Subcommand};
use tokio_util::sync::CancellationToken;

use self::database::{DatabaseAccess, Take};
use crate::clock::{Clock, Ids};
use crate::config::ServeArgs;
use crate::db::{Db, migrate};
use crate::site_registry::SiteRegistry;

pub use table::Table;

/// The command line of `crewbell-server`.
#[derive(Debug, Parser)]
#[command(
    name = "crewbell-server",
    version,
    about = "A guest presses a button, the crew know at once.",
    after_help = "Examples:
  crewbell-server serve                        start, with a database of its own
  crewbell-server demo                         start with the yacht MY Serenity, to look around
  crewbell-server watch --name Siri            see what a crew member sees
  crewbell-server qr                           a code to scan with the app
  crewbell-server press cabin-5 --double       press a button, to try an installation
  crewbell-server help admin                   how to set a site up",
    subcommand_required = true,
    arg_required_else_help = true
)]
pub struct Cli {
    /// The subcommand.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the sites in the database
    Serve(Box<ServeArgs>),
    /// Serve an invented yacht, with crew, guests and a week of history
    Demo(demo::DemoArgs),
    /// Press a button, to try an installation
    Press(press::PressArgs),
    /// Show what a member of the crew sees, live
    Watch(watch::WatchArgs),
    /// Print a QR code by which the app finds the server
    Qr(Box<qr::QrArgs>),
    /// Set up sites, people, places and buttons
    Admin(Box<Administer>),
    /// Write everything in the database to a file
    Backup(Box<backup::BackupArgs>),
    /// Read a backup back into an empty database
    Restore(Box<backup::RestoreArgs>),
    /// Print the description of the REST interface, as OpenAPI 3.1 in JSON
    Openapi,
}

impl Cli {
    /// Runs the subcommand.
    ///
    /// # Errors
    /// Returns an error, as a sentence, if the subcommand fails.
    pub async fn run(self) -> anyhow::Result<()> {
        let (clock, ids) = (Clock::default(), Ids::random());
        match self.command {
            Command::Serve(args) => serve::run(*args).await,
            Command::Demo(args) => Box::pin(demo::run(args)).await,
            Command::Press(args) => press::run(args, &ids).await,
            Command::Watch(args) => watch::run(args, &clock, &ids).await,
            Command::Qr(args) => qr::run(*args).await,
            Command::Admin(args) => administer(*args, clock, ids).await,
            Command::Backup(args) => backup::write(*args).await,
            Command::Restore(args) => backup::read(*args).await,
            Command::Openapi => openapi::run(),
        }
    }
}

/// Runs an `admin` command on the database, beside a running server or without one. A server notices within a second.
async fn administer(args: Administer, clock: Clock, ids: Ids) -> anyhow::Result<()> {
    let config = serve::configuration(&args.serve)?;
    let ground = DatabaseAccess::open(&config, Take::Join).await?;
    migrate(&ground.db).await?;
    let registry = SiteRegistry::new(Db::new(ground.db.clone()), clock, ids, CancellationToken::new());
    let done = admin::run(args.admin, &registry).await;
    registry.close().await;
    ground.close().await?;
    done
}

/// The arguments of `admin`, with the database's.
#[derive(Debug, Args)]
pub struct Administer {
    #[command(flatten)]
    admin: admin::AdminArgs,
    #[command(flatten)]
    serve: ServeArgs,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use rstest::rstest;

    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
    }

    fn parse(line: &str) -> Result<Cli, clap::error::ErrorKind> {
        let words = std::iter::once("crewbell-server").chain(line.split_whitespace());
        Cli::try_parse_from(words).map_err(|error| error.kind())
    }

    #[rstest]
    fn what_the_help_shows_is_understood(
        #[values(
            "press cabin-5",
            "press cabin-5 --double",
            "press cabin-5 --hold --wait 30",
            "press cabin-5 --emergency --key main",
            "press cabin-5 --key aux4 --times 3 --every 0",
            "press cabin-5 --server ship.local --user serenity --password secret --prefix hotel",
            "press cabin-5 --server [::1]:1884",
            "watch --token abc",
            "watch --name Siri --pin 4711 --site serenity --board",
            "watch --name Siri",
            "admin site add serenity MY_Serenity",
            "admin site list --json",
            "admin site join-code --site serenity",
            "admin site join-code --off",
            "admin person add Siri",
            "admin person add Dana --role dispatcher --pin 4711",
            "admin person list",
            "admin person pin Siri",
            "admin person deactivate Siri",
            "admin person activate Siri",
            "admin place add Cabin_5 --in Main_deck --kind cabin --position 5",
            "admin place list --json --site serenity",
            "admin button list --site serenity",
            "admin button create cabin-5 Cabin_5 --name bathroom",
            "admin button assign cabin-5 Cabin_5",
            "admin button credentials cabin-5",
            "admin button credentials cabin-5 --off",
            "admin button retire cabin-5",
            "admin token Siri",
            "qr",
            "qr --address http://192.168.7.5:8080 --site serenity",
            "backup /tmp/x.dump",
            "restore /tmp/x.dump --replace",
            "restore /tmp/x.dump --keep-sessions",
            "openapi"
        )]
        line: &str,
    ) {
        assert!(parse(line).is_ok(), "{line}");
    }

    #[rstest]
    fn what_makes_no_sense_is_refused(
        #[values(
            "press",
            "press cabin/5",
            "press +",
            "press cabin-5 --double --hold",
            "press cabin-5 --key aux5",
            "press cabin-5 --times 0",
            "press cabin-5 --server :1883",
            "press cabin-5 --server ship.local:99999",
            "press cabin-5 --server mqtts://ship.local",
            "press cabin-5 --prefix a/#",
            "press cabin-5 --password secret",
            "press cabin-5 --battery 101",
            "watch",
            "watch --token abc --name Siri",
            "watch --token abc --pin 4711",
            "watch --token abc --server ship.local",
            "watch --token abc --server ftp://ship.local",
            "admin",
            "admin person add Siri --role captain",
            "admin place add Cabin_5 --kind attic",
            "admin button assign cabin-5",
            "admin site join-code serenity",
            "admin token",
            "openapi --yaml"
        )]
        line: &str,
    ) {
        assert!(parse(line).is_err(), "{line}");
    }
}
