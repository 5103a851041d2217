//! The subcommands of `admin person`.

use anyhow::anyhow;
use clap::Subcommand;
use crewbell_shared::ids::PersonId;
use crewbell_shared::person::PersonVerb;
use crewbell_shared::person::{Person, Role, check_secret};
use crewbell_shared::protocol::Verb;

use super::named::Here;
use super::{AsList, AtSite, say};
use crate::actions::SetPersonSecret;
use crate::auth::hash_secret;
use crate::cli::Table;
use crate::cli::format::ask_secret;
use crate::site_registry::SiteRegistry;

#[derive(Clone, Debug, Subcommand)]
pub(super) enum PersonCommand {
    /// Add a member of the crew
    Add {
        /// The name to sign in with
        name: String,
        /// What they do: crew, supervisor, technician, dispatcher or admin
        #[arg(long, default_value = "crew")]
        role: Role,
        #[command(flatten)]
        pin: NewSecret,
        #[command(flatten)]
        at: AtSite,
    },
    /// List the crew
    List {
        /// Also those who may no longer sign in
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        at: AtSite,
        #[command(flatten)]
        list: AsList,
    },
    /// Set a PIN or password; the person is signed out everywhere
    Pin {
        /// The person's name
        name: String,
        #[command(flatten)]
        pin: NewSecret,
        #[command(flatten)]
        at: AtSite,
    },
    /// Let a person no longer sign in, and sign them out everywhere
    Deactivate {
        /// The person's name
        name: String,
        #[command(flatten)]
        at: AtSite,
    },
    /// Let a person sign in again
    Activate {
        /// The person's name
        name: String,
        #[command(flatten)]
        at: AtSite,
    },
}

/// A new PIN or password.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct NewSecret {
    /// The PIN or password; asked for (and shown while it is typed), or read from standard input, when not given
    #[arg(long)]
    pin: Option<String>,
}

impl NewSecret {
    async fn hash(self, name: &str) -> anyhow::Result<String> {
        let pin = self.pin.map_or_else(|| ask_secret(name), Ok)?;
        check_secret(&pin).map_err(|refusal| anyhow!(refusal.message))?;
        Ok(hash_secret(pin).await?)
    }
}

pub(super) async fn run(command: PersonCommand, registry: &SiteRegistry) -> anyhow::Result<()> {
    match command {
        PersonCommand::Add { name, role, pin, at } => {
            let here = at.open(registry).await?;
            let hash = pin.hash(&name).await?;
            let person_id: PersonId = here.id();
            here.command(Verb::Person(PersonVerb::Save { person_id, name: name.clone(), role, active: true })).await?;
            here.act(Box::new(SetPersonSecret { person_id, hash })).await?;
            say(&format!("{} is there as {}, and can sign in.", name.trim(), role.as_str()))
        }
        PersonCommand::List { all, at, list } => {
            let here = at.open(registry).await?;
            let mut people = here.people().await?;
            people.retain(|person| all || person.active);
            let mut table = Table::new(&["name", "role", "duty", "may sign in"]);
            for person in &people {
                let duty = if person.on_duty { "on duty" } else { "" };
                let active = if person.active { "yes" } else { "no" };
                table.row([person.name.clone(), person.role.as_str().into(), duty.into(), active.into()]);
            }
            list.print(&people, &table)
        }
        PersonCommand::Pin { name, pin, at } => {
            let here = at.open(registry).await?;
            let person = here.person(&name).await?;
            let hash = pin.hash(&person.name).await?;
            here.act(Box::new(SetPersonSecret { person_id: person.id, hash })).await?;
            say(&format!("{} has a new PIN, and is signed out everywhere.", person.name))
        }
        PersonCommand::Deactivate { name, at } => {
            let here = at.open(registry).await?;
            let person = here.person(&name).await?;
            set_active(&here, &person, false).await?;
            say(&format!("{} may no longer sign in, and is signed out everywhere.", person.name))
        }
        PersonCommand::Activate { name, at } => {
            let here = at.open(registry).await?;
            let person = here.person(&name).await?;
            set_active(&here, &person, true).await?;
            say(&format!("{} may sign in, with the PIN of before.", person.name))
        }
    }
}

async fn set_active(here: &Here<'_>, person: &Person, active: bool) -> anyhow::Result<()> {
    let Person { id, name, role, .. } = person.clone();
    here.command(Verb::Person(PersonVerb::Save { person_id: id, name, role, active })).await
}
