//! The demo's crew, places, buttons and guests.

use crewbell_shared::ids::{ButtonId, GuestId, PersonId, PlaceId, SiteId, StayId};
use crewbell_shared::person::{Actor, Person, Role};
use crewbell_shared::place::PlaceKind;
use crewbell_shared::site::{Site, SiteSettings};
use jiff::Timestamp;

use super::SEED;
use crate::clock::Ids;

/// The site's slug.
pub const SLUG: &str = "serenity";
/// The site's name.
pub const NAME: &str = "MY Serenity";
/// The join code of new buttons and gateways; fixed like the PINs, so that a second start prints it again.
pub const JOIN_CODE: &str = "serenity-demo";

/// A member of the crew.
#[derive(Debug)]
pub(super) struct CrewMember {
    pub(super) name: &'static str,
    pub(super) role: Role,
    /// The PIN, fixed and published: the demo has no access protection.
    pub(super) pin: &'static str,
    /// The start and end hours of duty, in ship's time; the shift passes midnight when the end is smaller.
    pub(super) shift: (i8, i8),
}

const fn member(name: &'static str, role: Role, pin: &'static str, shift: (i8, i8)) -> CrewMember {
    CrewMember { name, role, pin, shift }
}

pub(super) const DANA: usize = 0;
pub(super) const SAM: usize = 1;
pub(super) const SIRI: usize = 2;
pub(super) const MIA: usize = 3;
pub(super) const LUCA: usize = 4;
pub(super) const GRACE: usize = 6;
pub(super) const VIKTOR: usize = 7;
pub(super) const ALEX: usize = 8;

/// The crew, in the order of their PINs.
pub(super) const CREW: [CrewMember; 9] = [
    member("Dana", Role::Dispatcher, "1001", (8, 20)),
    member("Sam", Role::Crew, "1002", (6, 15)),
    member("Siri", Role::Crew, "1003", (13, 22)),
    member("Mia", Role::Crew, "1004", (7, 16)),
    member("Luca", Role::Crew, "1005", (20, 6)),
    member("Tom", Role::Technician, "1006", (8, 18)),
    member("Grace", Role::Supervisor, "1007", (6, 15)),
    member("Viktor", Role::Supervisor, "1008", (14, 23)),
    member("Alex", Role::Admin, "1009", (9, 17)),
];

impl CrewMember {
    /// Whether the shift covers an hour of the day.
    pub(super) fn works_at(&self, hour: i8) -> bool {
        let (from, to) = self.shift;
        if from < to { (from..to).contains(&hour) } else { hour >= from || hour < to }
    }
}

/// A place. Decks come first, because the places on them are created after them.
#[derive(Debug)]
pub(super) struct Spot {
    pub(super) name: &'static str,
    pub(super) kind: PlaceKind,
    /// The deck that it is on, as an index of [`SPOTS`].
    pub(super) deck: Option<usize>,
}

const fn deck(name: &'static str) -> Spot {
    Spot { name, kind: PlaceKind::Deck, deck: None }
}

const fn spot(name: &'static str, kind: PlaceKind, deck: usize) -> Spot {
    Spot { name, kind, deck: Some(deck) }
}

/// The index of the first cabin in [`SPOTS`].
pub(super) const FIRST_CABIN: usize = 3;
/// The number of cabins.
pub(super) const CABINS: usize = 12;
pub(super) const SUN_DECK: usize = 15;
pub(super) const SALOON: usize = 16;

/// The places.
pub(super) const SPOTS: [Spot; 22] = [
    deck("Upper Deck"),
    deck("Main Deck"),
    deck("Lower Deck"),
    spot("Cabin 1 · Owner's suite", PlaceKind::Cabin, 0),
    spot("Cabin 2", PlaceKind::Cabin, 0),
    spot("Cabin 3", PlaceKind::Cabin, 0),
    spot("Cabin 4", PlaceKind::Cabin, 0),
    spot("Cabin 5", PlaceKind::Cabin, 1),
    spot("Cabin 6", PlaceKind::Cabin, 1),
    spot("Cabin 7", PlaceKind::Cabin, 1),
    spot("Cabin 8", PlaceKind::Cabin, 1),
    spot("Cabin 9", PlaceKind::Cabin, 2),
    spot("Cabin 10", PlaceKind::Cabin, 2),
    spot("Cabin 11", PlaceKind::Cabin, 2),
    spot("Cabin 12", PlaceKind::Cabin, 2),
    spot("Sun Deck", PlaceKind::Shared, 0),
    spot("Saloon", PlaceKind::Shared, 1),
    spot("Jacuzzi", PlaceKind::Shared, 0),
    spot("Beach Club", PlaceKind::Shared, 2),
    spot("Bridge", PlaceKind::Crew, 0),
    spot("Pantry", PlaceKind::Crew, 1),
    spot("Galley", PlaceKind::Crew, 2),
];

/// A button: one in each cabin, one on the sun deck, one in the saloon.
#[derive(Debug)]
pub(super) struct Device {
    /// The id on the wire.
    pub(super) id: &'static str,
    /// The place where it is, as an index of [`SPOTS`].
    pub(super) spot: usize,
    /// The current battery charge, in percent.
    pub(super) battery: u8,
    /// The signal strength, in dBm.
    pub(super) rssi: i16,
}

const fn device(id: &'static str, spot: usize, battery: u8, rssi: i16) -> Device {
    Device { id, spot, battery, rssi }
}

/// The index of the button that has lost its connection.
pub(super) const LOST: usize = 10;

/// The buttons; one has a low battery, one is out of reach.
pub(super) const DEVICES: [Device; 14] = [
    device("cabin-01", 3, 91, -48),
    device("cabin-02", 4, 84, -55),
    device("cabin-03", 5, 77, -57),
    device("cabin-04", 6, 88, -61),
    device("cabin-05", 7, 63, -52),
    device("cabin-06", 8, 95, -50),
    device("cabin-07", 9, 11, -58),
    device("cabin-08", 10, 71, -63),
    device("cabin-09", 11, 82, -66),
    device("cabin-10", 12, 58, -69),
    device("cabin-11", 13, 46, -83),
    device("cabin-12", 14, 90, -72),
    device("sun-deck", SUN_DECK, 67, -71),
    device("saloon", SALOON, 79, -45),
];

impl Device {
    /// Returns the button's own MQTT password, fixed like the PINs.
    pub(super) fn password(&self) -> String {
        format!("demo-{}", self.id)
    }

    /// Returns the MQTT user name.
    pub(super) fn username(&self) -> String {
        format!("{SLUG}/{}", self.id)
    }
}

/// A guest and their stay.
#[derive(Debug)]
pub(super) struct Visitor {
    pub(super) name: &'static str,
    pub(super) notes: &'static str,
    /// The cabin, 1 to 12.
    pub(super) cabin: usize,
    /// The day of arrival in the week of history, 0 to 7; `None` for an arrival before that week.
    pub(super) came: Option<i64>,
    /// The day of departure.
    pub(super) left: Option<i64>,
}

const fn visitor(name: &'static str, notes: &'static str, cabin: usize) -> Visitor {
    Visitor { name, notes, cabin, came: None, left: None }
}

/// The guests.
pub(super) const VISITORS: [Visitor; 13] = [
    visitor("Mrs Hartmann", "The owner. Earl Grey at seven, with lemon. No lilies in the suite.", 1),
    visitor("Mr & Mrs Lindqvist", "He is allergic to shellfish. They celebrate their anniversary on board.", 2),
    visitor("Ms Okafor", "Severe peanut allergy; carries an auto-injector. Swims before breakfast.", 3),
    visitor("Dr & Mrs Castellanos", "Decaffeinated coffee after noon. Feather-free pillows.", 4),
    visitor(
        "Mr & Mrs Brennan",
        "Parents of Nora and Finn in Cabin 6. Call them first for anything about the children.",
        5,
    ),
    visitor("Nora & Finn Brennan", "Eleven and eight. Bed at nine. Finn can't have dairy.", 6),
    visitor("Mr & Mrs Abernathy", "She walks with a stick: offer an arm on the stairs and the tender.", 7),
    visitor("Professor Weiss", "Oat milk. Reads late in the saloon.", 8),
    Visitor { left: Some(3), ..visitor("Ms Rossi & Ms Conti", "Vegetarian, both. Diving most mornings.", 9) },
    Visitor {
        came: Some(4),
        ..visitor("Ms Tanaka", "Works with Tokyo until late: no knocking before ten. Green tea.", 9)
    },
    visitor("Mr Haddad", "No pork, no alcohol in desserts. Prayer mat in the wardrobe.", 10),
    Visitor { left: Some(2), ..visitor("Mr Devereux", "Gluten-free.", 11) },
    Visitor {
        came: Some(2),
        ..visitor("Mr & Mrs Novak", "Light sleepers: no service on the corridor side before nine.", 11)
    },
];

/// The entities of the demo site, with their ids.
#[derive(Debug)]
pub(super) struct Cast {
    pub(super) site: Site,
    pub(super) people: Vec<Person>,
    pub(super) places: Vec<PlaceId>,
    pub(super) buttons: Vec<ButtonId>,
    pub(super) guests: Vec<(GuestId, StayId)>,
}

impl Cast {
    /// Generates the ids, as of the time of the set-up.
    pub(super) fn new(at: Timestamp) -> Self {
        let ids = Ids::seeded(SEED);
        let site: SiteId = ids.next(at);
        let person = |member: &CrewMember| Person {
            id: ids.next::<PersonId>(at),
            name: member.name.to_owned(),
            role: member.role,
            on_duty: false,
            busy: false,
            active: true,
        };
        Self {
            site: Site { id: site, slug: SLUG.to_owned(), name: NAME.to_owned(), settings: SiteSettings::default() },
            people: CREW.iter().map(person).collect(),
            places: SPOTS.iter().map(|_| ids.next(at)).collect(),
            buttons: DEVICES.iter().map(|_| ids.next(at)).collect(),
            guests: VISITORS.iter().map(|_| (ids.next(at), ids.next(at))).collect(),
        }
    }

    /// Returns a crew member as the actor of an action.
    pub(super) fn actor(&self, person: usize) -> Actor {
        Actor::Person(self.people[person].clone())
    }
}
