//! Cabins, rooms, decks: a tree.

use serde::{Deserialize, Serialize};

use crate::ids::PlaceId;

/// What sort of place it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PlaceKind {
    /// A deck or a floor; holds others.
    Deck,
    /// A guest's cabin or room.
    Cabin,
    /// A saloon, terrace, pool: guests of all cabins.
    Shared,
    /// A pantry, galley, office, the bridge: crew only.
    Crew,
}

impl PlaceKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Deck, Self::Cabin, Self::Shared, Self::Crew];

    /// The kind as it crosses a wire and stands in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deck => "deck",
            Self::Cabin => "cabin",
            Self::Shared => "shared",
            Self::Crew => "crew",
        }
    }
}

/// A place at the site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Place {
    /// Which.
    pub id: PlaceId,
    /// What it stands in: a cabin's deck.
    pub parent_id: Option<PlaceId>,
    /// Its name; unique at the site.
    pub name: String,
    /// What sort of place.
    pub kind: PlaceKind,
    /// Where it stands among its siblings.
    pub position: i32,
    /// Whether the guest asked not to be disturbed. Shown with every card, and never suppresses a press.
    pub do_not_disturb: bool,
}
