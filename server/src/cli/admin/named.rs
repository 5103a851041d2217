//! Lookup of sites, people, places and buttons by the names given on the command line, with clear errors.

use std::sync::Arc;

use anyhow::{anyhow, bail};
use crewbell_shared::button::{Button, device_id};
use crewbell_shared::names;
use crewbell_shared::person::{Actor, Person};
use crewbell_shared::place::Place;
use crewbell_shared::protocol::{Source, Verb};

use super::AtSite;
use crate::actions::{self, Action};
use crate::cli::format::not_done;
use crate::db;
use crate::site_registry::{OpenSite, SiteRegistry};

/// An open site, with lookups of its current entities.
pub(super) struct Here<'a> {
    registry: &'a SiteRegistry,
    pub(super) site: Arc<OpenSite>,
}

impl AtSite {
    /// Opens the named site, or the only one when none is named.
    pub(super) async fn open<'a>(&self, registry: &'a SiteRegistry) -> anyhow::Result<Here<'a>> {
        if let Some((site, _)) = registry.site_named(self.site.as_deref()).await? {
            return Ok(Here { registry, site });
        }
        let all = registry.open_all().await?;
        let slugs: Vec<_> = all.iter().map(|site| site.slug.to_string()).collect();
        match (&self.site, slugs.is_empty()) {
            (_, true) => bail!("There is no site yet; `admin site add SLUG NAME` makes one."),
            (Some(slug), false) => bail!("There is no site \"{slug}\"; there are: {}.", slugs.join(", ")),
            (None, false) => bail!("Which site? Name one with --site: {}.", slugs.join(", ")),
        }
    }
}

impl Here<'_> {
    /// Runs an action with the server as its actor.
    pub(super) async fn act(&self, action: Box<dyn Action>) -> anyhow::Result<()> {
        self.site.act(action, Actor::System, Source::Server).await.map(drop).map_err(not_done)
    }

    /// Runs the action of a verb with the server as its actor.
    pub(super) async fn command(&self, verb: Verb) -> anyhow::Result<()> {
        self.act(Box::new(actions::Execute(verb))).await
    }

    /// Generates a new id.
    pub(super) fn id<Id: From<uuid::Uuid>>(&self) -> Id {
        self.registry.ids.next(self.registry.clock.now())
    }

    pub(super) async fn people(&self) -> anyhow::Result<Vec<Person>> {
        let mut tx = self.registry.db.read(self.site.id).await?;
        Ok(db::people::all(&mut tx, self.site.id).await?)
    }

    pub(super) async fn places(&self) -> anyhow::Result<Vec<Place>> {
        let mut tx = self.registry.db.read(self.site.id).await?;
        Ok(db::places::all(&mut tx, self.site.id).await?)
    }

    pub(super) async fn buttons(&self) -> anyhow::Result<Vec<Button>> {
        let mut tx = self.registry.db.read(self.site.id).await?;
        let known = db::buttons::all(&mut tx, self.site.id).await?;
        Ok(known.into_iter().map(|known| known.button).collect())
    }

    pub(super) async fn person(&self, name: &str) -> anyhow::Result<Person> {
        find(self.people().await?, name, |person| &person.name)
            .ok_or_else(|| anyhow!("Nobody is called \"{name}\"; see `admin person list`."))
    }

    pub(super) async fn place(&self, name: &str) -> anyhow::Result<Place> {
        find(self.places().await?, name, |place| &place.name)
            .ok_or_else(|| anyhow!("There is no place \"{name}\"; see `admin place list`."))
    }

    /// Finds a button by its id on the wire, in any spelling of the address.
    pub(super) async fn button(&self, device: &str) -> anyhow::Result<Button> {
        let all = self.buttons().await?;
        let wanted = device_id(device);
        all.into_iter()
            .find(|button| button.device == wanted)
            .ok_or_else(|| anyhow!("There is no button \"{device}\"; see `admin button list`."))
    }
}

/// Finds an item by name, case-insensitively, as the database's unique keys compare names.
fn find<T>(all: Vec<T>, name: &str, of: impl Fn(&T) -> &String) -> Option<T> {
    all.into_iter().find(|one| names::is_same(of(one), name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_whatever_its_case() {
        let all = || vec!["Siri".to_owned(), "Zoë".to_owned()];
        assert_eq!(find(all(), " siri ", |name| name).as_deref(), Some("Siri"));
        assert_eq!(find(all(), "ZOË", |name| name).as_deref(), Some("Zoë"));
        assert_eq!(find(all(), "zoe\u{308}", |name| name).as_deref(), Some("Zoë"));
        assert_eq!(find(all(), "Sir", |name| name), None);
    }
}
