//! `crewbell-server admin`: sets a site up from the command line, also before anybody can sign in.
//!
//! Arguments are names that people use: a site's slug, a person's or a place's name, a button's id on the wire. Every
//! change goes through the same actions as the app's commands, with the server as the actor.

mod button;
mod named;
mod person;
mod place;
mod site;
mod token;

use std::io::Write;

use anyhow::Context;
use clap::{Args, Subcommand};
use serde::Serialize;

use super::Table;
use crate::site_registry::SiteRegistry;

/// The arguments of `admin`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "A site from nothing:
  crewbell-server admin site add serenity \"MY Serenity\"
  crewbell-server admin person add Dana --role admin
  crewbell-server admin place add \"Main deck\" --kind deck
  crewbell-server admin place add \"Cabin 5\" --in \"Main deck\"
  crewbell-server admin button create cabin-5 \"Cabin 5\"
  crewbell-server admin button credentials cabin-5

With several sites, each needs --site SLUG.")]
pub struct AdminArgs {
    #[command(subcommand)]
    command: AdminCommand,
}

#[derive(Clone, Debug, Subcommand)]
enum AdminCommand {
    /// Sites: add, list, make a join code
    #[command(subcommand)]
    Site(site::SiteCommand),
    /// The crew: add, list, set a PIN, deactivate
    #[command(subcommand)]
    Person(person::PersonCommand),
    /// Places: add, list
    #[command(subcommand)]
    Place(place::PlaceCommand),
    /// Buttons: list, create, assign, make credentials, retire
    #[command(subcommand)]
    Button(button::ButtonCommand),
    /// Sign a person in and print the token, for scripts and for `watch`
    Token(token::TokenArgs),
}

/// The site that a command applies to.
#[derive(Clone, Debug, Args)]
struct AtSite {
    /// The site's slug; not needed where there is one site only
    #[arg(long, value_name = "SLUG", env = "CREWBELL_SITE")]
    site: Option<String>,
}

/// The output format of a list.
#[derive(Clone, Copy, Debug, Args)]
struct AsList {
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

/// Runs an `admin` command.
///
/// # Errors
/// Returns an error, as a sentence, if the rules refuse the change or something named doesn't exist.
pub async fn run(args: AdminArgs, registry: &SiteRegistry) -> anyhow::Result<()> {
    match args.command {
        AdminCommand::Site(command) => site::run(command, registry).await,
        AdminCommand::Person(command) => person::run(command, registry).await,
        AdminCommand::Place(command) => place::run(command, registry).await,
        AdminCommand::Button(command) => button::run(command, registry).await,
        AdminCommand::Token(args) => token::run(args, registry).await,
    }
}

impl AsList {
    fn print<T: Serialize>(self, all: &[T], table: &Table) -> anyhow::Result<()> {
        if self.json { say(&serde_json::to_string_pretty(all)?) } else { say(table.to_string().trim_end()) }
    }
}

/// Prints a line to standard output.
fn say(words: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{words}").context("Standard output can't be written")
}
