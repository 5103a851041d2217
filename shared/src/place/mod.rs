//! Places (cabins, rooms, decks), which form a tree.

mod verbs;

pub use verbs::PlaceVerb;

use serde::{Deserialize, Serialize};

use crate::EntityBody;
use crate::ids::PlaceId;

/// The kind of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PlaceKind {
    /// A deck or a floor; contains other places.
    Deck,
    /// A guest's cabin or room.
    Cabin,
    /// A saloon, terrace, pool: open to guests of all cabins.
    Shared,
    /// A pantry, galley, office, the bridge: crew only.
    Crew,
}

impl PlaceKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Deck, Self::Cabin, Self::Shared, Self::Crew];

    /// The kind's name on the wire and in the database.
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
    /// The place's id.
    pub id: PlaceId,
    /// The parent in the tree, such as a cabin's deck.
    pub parent_id: Option<PlaceId>,
    /// Its name; unique at the site.
    pub name: String,
    /// The place's kind.
    pub kind: PlaceKind,
    /// The sort position among its siblings.
    pub position: i32,
    /// Whether the guest asked not to be disturbed. It is shown with every request and never suppresses a press.
    pub do_not_disturb: bool,
}

impl EntityBody for Place {}
