//! The subcommands of `admin site`.

use clap::Subcommand;
use crewbell_shared::site::{Site, SiteSettings};

use super::{AsList, AtSite, say};
use crate::actions::{CreateSite, SetJoinCode};
use crate::auth::{hash_code, join_code};
use crate::cli::Table;
use crate::cli::format::not_done;
use crate::db;
use crate::site_registry::SiteRegistry;

#[derive(Clone, Debug, Subcommand)]
pub(super) enum SiteCommand {
    /// Add a site
    Add {
        /// Its short name in addresses and user names: lower-case letters, digits and hyphens
        slug: String,
        /// Its name on screens
        name: String,
    },
    /// List the sites
    List {
        #[command(flatten)]
        list: AsList,
    },
    /// Make a new join code, with which new buttons and gateways sign in; the previous one becomes invalid
    JoinCode {
        #[command(flatten)]
        at: AtSite,
        /// Remove the join code: nothing new can join
        #[arg(long)]
        off: bool,
    },
}

pub(super) async fn run(command: SiteCommand, registry: &SiteRegistry) -> anyhow::Result<()> {
    match command {
        SiteCommand::Add { slug, name } => {
            let id = registry.ids.next(registry.clock.now());
            let site = Site { id, slug: slug.clone(), name, settings: SiteSettings::default() };
            CreateSite { site }.run(&registry.db, &registry.clock, &registry.ids, None).await.map_err(not_done)?;
            say(&format!("Site \"{slug}\" is there. Next: `admin person add NAME --role admin --site {slug}`."))
        }
        SiteCommand::List { list } => {
            let mut tx = registry.db.read_sites().await?;
            let known = db::sites::all(&mut tx).await?;
            let mut table = Table::new(&["slug", "name", "join code", "entries"]);
            for known in &known {
                let code = if known.join_code_hash.is_some() { "set" } else { "" };
                table.row([known.site.slug.clone(), known.site.name.clone(), code.into(), known.head.to_string()]);
            }
            let sites: Vec<_> = known.into_iter().map(|known| known.site).collect();
            list.print(&sites, &table)
        }
        SiteCommand::JoinCode { at, off } => {
            let here = at.open(registry).await?;
            if off {
                here.act(Box::new(SetJoinCode { hash: None })).await?;
                return say("Nothing new can join any more. Buttons with passwords of their own still can sign in.");
            }
            let code = join_code(&registry.ids);
            here.act(Box::new(SetJoinCode { hash: Some(hash_code(code.as_bytes())) })).await?;
            say(&format!("MQTT user      {}\nMQTT password  {code}\nThis is shown once.", here.site.slug))
        }
    }
}
