//! The texts of the demo: transcripts of guests, and the crew's notes.

use crewbell_shared::request::{Kind, Priority};

use super::cast::{SALOON, SUN_DECK};

/// The transcripts of recordings, with their duration in milliseconds.
pub(super) const SPOKEN: [(&str, u32); 12] = [
    ("Could we have two more towels, please?", 3_100),
    ("We would like breakfast on the terrace today, if that's possible.", 4_600),
    ("The air conditioning is a little too cold. Could somebody turn it down?", 5_200),
    ("Could you tell us what time the tender leaves for the harbour?", 4_300),
    ("Some ice and a lemon, please. Thank you.", 2_900),
    ("My reading lamp has gone out, on the left side of the bed.", 4_100),
    ("Would you press a shirt for this evening? The white one.", 3_900),
    ("A pot of peppermint tea and a hot water bottle, please.", 3_800),
    ("Could the chef make something without garlic this evening?", 4_000),
    ("We can't find the key of the safe.", 2_600),
    ("Please wake us at half past six tomorrow. We want to see the sunrise.", 5_000),
    ("Is there a charger for an older phone on board?", 3_400),
];

/// Notes on a call from a cabin.
pub(super) const ON_CALLS: [&str; 7] = [
    "Extra towels brought.",
    "Asked for the tender at four; the bridge knows.",
    "Wants the cabin made up while they are at lunch.",
    "Balcony door was stiff; Tom will look at it.",
    "Left the menu for tonight with them.",
    "Would like the curtains closed at turn-down.",
    "Luggage strap found under the bed.",
];
/// Notes on a call from a place that all guests share.
pub(super) const ON_DECK: [&str; 4] = [
    "Sun cream and hats brought.",
    "Moved the parasol; they stay until five.",
    "Asked for a blanket and the backgammon board.",
    "Told them about tomorrow's anchorage.",
];
/// Notes on a request for food.
pub(super) const ON_FOOD: [&str; 5] = [
    "Two omelettes, one without cheese. Galley knows.",
    "Fruit plate and toast, on a tray.",
    "Club sandwich, no bacon.",
    "Late soup for one, and bread.",
    "Chef confirmed: no nuts in the pastry.",
];
/// Notes on a request for drinks, suitable for everybody on board.
pub(super) const ON_DRINKS: [&str; 4] = [
    "Green tea, not too hot.",
    "Lemonade, no ice.",
    "Two still waters and a lime.",
    "Hot chocolate, and a biscuit with it.",
];
/// Notes on a request for drinks on the decks and in the saloon.
pub(super) const ON_DECK_DRINKS: [&str; 4] = [
    "Two Bellinis and a still water.",
    "Asked for the Chablis again; last bottle on this deck.",
    "Espresso, and one decaffeinated.",
    "Lemonade for the children, no ice.",
];
/// Notes on a request for lights.
pub(super) const ON_LIGHTS: [&str; 3] =
    ["Dimmed to a third.", "Bulb by the mirror replaced.", "Showed them the switch by the bed."];

/// Reasons of cancelled requests.
pub(super) const REASONS: [&str; 4] =
    ["Pressed by mistake.", "Leaned on the button.", "Meant for the lights.", "They found it themselves."];

/// A request that a crew member raises.
#[derive(Debug)]
pub(super) struct Errand {
    /// The place, as an index of the places.
    pub(super) spot: usize,
    pub(super) kind: Kind,
    pub(super) service: Option<&'static str>,
    pub(super) priority: Option<Priority>,
    pub(super) text: &'static str,
    /// The hours between which it is plausible.
    pub(super) hours: (i8, i8),
}

const fn errand(spot: usize, text: &'static str, hours: (i8, i8)) -> Errand {
    Errand { spot, kind: Kind::Call, service: None, priority: None, text, hours }
}

const JACUZZI: usize = SALOON + 1;
const BEACH_CLUB: usize = SALOON + 2;
const BRIDGE: usize = SALOON + 3;
const PANTRY: usize = SALOON + 4;

/// The requests that the crew raise.
pub(super) const ERRANDS: [Errand; 14] = [
    Errand {
        service: Some("prepare_food"),
        kind: Kind::Service,
        ..errand(SUN_DECK, "Breakfast for six, in the shade.", (7, 10))
    },
    errand(JACUZZI, "Fresh towels and robes, please.", (9, 18)),
    Errand { priority: Some(Priority::Low), ..errand(BEACH_CLUB, "Rinse and stow the snorkels.", (12, 18)) },
    errand(BEACH_CLUB, "Guests back from the swim in ten minutes: towels and water.", (10, 17)),
    Errand { service: Some("bring_drinks"), kind: Kind::Service, ..errand(BRIDGE, "Coffee for the watch.", (5, 23)) },
    Errand { priority: Some(Priority::Low), ..errand(PANTRY, "The ice machine is slow again.", (8, 18)) },
    errand(SALOON, "Set the long table for ten, please.", (16, 19)),
    Errand { service: Some("lights"), kind: Kind::Service, ..errand(SALOON, "Candlelight for dinner.", (18, 21)) },
    Errand { kind: Kind::Urgent, ..errand(SALOON, "A glass broke by the piano; bare feet about.", (10, 24)) },
    errand(SUN_DECK, "Cushions in before the dew.", (20, 23)),
    Errand { priority: Some(Priority::High), ..errand(SUN_DECK, "Wind is picking up: parasols down.", (11, 19)) },
    Errand {
        service: Some("bring_drinks"),
        kind: Kind::Service,
        ..errand(JACUZZI, "Sparkling water and glasses, no glassware in the pool.", (15, 23))
    },
    errand(PANTRY, "Provisions at the stern: one more pair of hands.", (7, 11)),
    errand(PANTRY, "Night tray for Professor Weiss: oat milk.", (21, 24)),
];
