//! The subcommands of `admin place`.

use crewbell_shared::place::PlaceVerb;
use std::collections::HashMap;

use clap::{Subcommand, ValueEnum};
use crewbell_shared::ids::PlaceId;
use crewbell_shared::place::{Place, PlaceKind};
use crewbell_shared::protocol::Verb;

use super::{AsList, AtSite, say};
use crate::cli::Table;
use crate::site_registry::SiteRegistry;

#[derive(Clone, Debug, Subcommand)]
pub(super) enum PlaceCommand {
    /// Add a place
    Add {
        /// Its name
        name: String,
        /// The kind of place
        #[arg(long, value_enum, default_value_t = KindName::Cabin)]
        kind: KindName,
        /// The deck or floor that it is on
        #[arg(long = "in", value_name = "DECK")]
        parent: Option<String>,
        /// Its position among its neighbours; last when not given
        #[arg(long, value_name = "N", allow_negative_numbers = true)]
        position: Option<i32>,
        #[command(flatten)]
        at: AtSite,
    },
    /// List the places
    List {
        #[command(flatten)]
        at: AtSite,
        #[command(flatten)]
        list: AsList,
    },
}

/// The command-line name of a place's kind.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum KindName {
    /// A deck or a floor; holds others
    Deck,
    /// A guest's cabin or room
    Cabin,
    /// A saloon, terrace, pool: guests of all cabins
    Shared,
    /// A pantry, galley, office, the bridge: crew only
    Crew,
}

impl From<KindName> for PlaceKind {
    fn from(name: KindName) -> Self {
        match name {
            KindName::Deck => Self::Deck,
            KindName::Cabin => Self::Cabin,
            KindName::Shared => Self::Shared,
            KindName::Crew => Self::Crew,
        }
    }
}

pub(super) async fn run(command: PlaceCommand, registry: &SiteRegistry) -> anyhow::Result<()> {
    match command {
        PlaceCommand::Add { name, kind, parent, position, at } => {
            let here = at.open(registry).await?;
            let parent_id = match parent {
                Some(parent) => Some(here.place(&parent).await?.id),
                None => None,
            };
            let position = match position {
                Some(position) => position,
                None => behind(&here.places().await?, parent_id),
            };
            let place_id: PlaceId = here.id();
            here.command(Verb::Place(PlaceVerb::Save {
                place_id,
                parent_id,
                name: name.clone(),
                kind: kind.into(),
                position,
            }))
            .await?;
            say(&format!("{} is there.", name.trim()))
        }
        PlaceCommand::List { at, list } => {
            let places = at.open(registry).await?.places().await?;
            list.print(&places, &table(&places))
        }
    }
}

/// Returns the position after all neighbours.
fn behind(places: &[Place], parent: Option<PlaceId>) -> i32 {
    let neighbours = places.iter().filter(|place| place.parent_id == parent);
    neighbours.map(|place| place.position).max().map_or(1, |last| last.saturating_add(1))
}

/// Lists decks with their places indented, and first the places that are on no deck.
fn table(places: &[Place]) -> Table {
    let mut table = Table::new(&["name", "kind", "position", "do not disturb"]);
    let mut row = |place: &Place, indent: &str| {
        let quiet = if place.do_not_disturb { "on" } else { "" };
        let name = format!("{indent}{}", place.name);
        table.row([name, place.kind.as_str().into(), place.position.to_string(), quiet.into()]);
    };
    let mut on: HashMap<PlaceId, Vec<&Place>> = HashMap::new();
    for place in places {
        if let Some(parent) = place.parent_id {
            on.entry(parent).or_default().push(place);
        }
    }
    for place in places.iter().filter(|place| place.parent_id.is_none()) {
        row(place, "");
        for child in on.remove(&place.id).unwrap_or_default() {
            row(child, "  ");
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn place(number: u128, name: &str, parent: Option<u128>, position: i32) -> Place {
        Place {
            id: PlaceId(Uuid::from_u128(number)),
            parent_id: parent.map(|number| PlaceId(Uuid::from_u128(number))),
            name: name.into(),
            kind: if parent.is_some() { PlaceKind::Cabin } else { PlaceKind::Deck },
            position,
            do_not_disturb: number == 2,
        }
    }

    #[test]
    fn places_stand_under_their_deck() {
        let places = [place(2, "Cabin 5", Some(1), 1), place(1, "Main deck", None, 1), place(3, "Sun deck", None, 2)];
        let expected = "NAME       KIND   POSITION  DO NOT DISTURB\n\
                        Main deck  deck   1         -\n  Cabin 5  cabin  1         on\nSun deck   deck   2         -\n";
        assert_eq!(table(&places).to_string(), expected);
    }

    #[test]
    fn a_new_place_goes_behind_its_neighbours() {
        let places = [place(1, "Main deck", None, 4), place(2, "Cabin 5", Some(1), 7)];
        let deck = Some(PlaceId(Uuid::from_u128(1)));
        assert_eq!((behind(&places, None), behind(&places, deck), behind(&[], None)), (5, 8, 1));
    }
}
