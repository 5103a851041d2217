//! The nouns as they are to be shown: what the server told, and over it what the person did that the server hasn't told
//! yet, decided by the same rules.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crewbell_shared::button::Button;
use crewbell_shared::call::Call;
use crewbell_shared::guest::{Guest, Stay, longest_in, others_stay_in};
use crewbell_shared::ids::{ButtonId, CallId, CommandId, GuestId, PersonId, PlaceId, RequestId, StayId};
use crewbell_shared::person::{Actor, Person};
use crewbell_shared::place::Place;
use crewbell_shared::protocol::{Entity, EntityType};
use crewbell_shared::request::{Request, State};
use crewbell_shared::rules::{self, Sight};
use crewbell_shared::site::Site;

use crate::store::{Doing, Image, Key, Waiting, Write};

/// What the outbox makes of the image.
#[derive(Clone, Debug, Default)]
pub(super) struct Echo {
    nouns: BTreeMap<Key, Arc<Entity>>,
    /// What it rests on: as long as none of that changes, it stays as it is.
    seen: Seen,
    /// The last command that is in it.
    last: Option<CommandId>,
}

/// What the rules looked at.
#[derive(Clone, Debug, Default)]
struct Seen {
    keys: BTreeSet<Key>,
    /// Sorts of which all were looked through.
    sorts: BTreeSet<EntityType>,
}

impl Seen {
    fn has(&self, key: &Key) -> bool {
        self.sorts.contains(&key.entity_type) || self.keys.contains(key)
    }
}

impl Echo {
    /// Does in memory what the server has not told yet, in order. What the rules refuse here shows nothing: somebody
    /// else was first, and the server will say so.
    pub fn of(image: &Image) -> Self {
        let mut echo = Self::default();
        for waiting in &image.outbox {
            echo.add(image, waiting);
        }
        echo
    }

    /// Goes on after writes that the image has taken. Hundreds of commands may wait while entries of others come in:
    /// they are decided anew only when something changed that they rest on.
    pub fn follow(&mut self, writes: &[Write], image: &Image) {
        let begins_anew = writes.iter().any(|write| match write {
            Write::Put { noun, .. } => self.seen.has(&Key::of(noun)),
            Write::Forget(key) => self.seen.has(key),
            Write::Replace { .. } | Write::Drop(_) | Write::SignIn(_) | Write::Wipe => true,
            // What waits becomes done, and shows the same until its entry comes.
            Write::Mark(_, doing) => !matches!(doing, Doing::Done { .. }),
            Write::Advance(_) | Write::Heard(_) | Write::Seen(_) | Write::Tell(_) | Write::Keep(_) | Write::Set(..) => {
                false
            }
        });
        let mut kept = writes.iter().filter(|write| matches!(write, Write::Keep(_)));
        match (begins_anew, kept.next(), kept.next()) {
            (false, None, _) => {}
            (false, Some(Write::Keep(waiting)), None) => {
                let last = image.outbox.last().map(|last| last.command.id);
                // Kept twice, it is in the outbox once.
                if last == Some(waiting.command.id) && last != self.last {
                    self.add(image, waiting);
                }
            }
            _ => *self = Self::of(image),
        }
    }

    /// Does one thing more.
    fn add(&mut self, image: &Image, waiting: &Waiting) {
        self.last = Some(waiting.command.id);
        let shows = matches!(waiting.doing, Doing::Waiting | Doing::Done { .. });
        if !shows || Some(waiting.by.id) != image.person_id() {
            return;
        }
        self.seen.keys.insert(Key::new(EntityType::Person, waiting.by.id.0));
        self.seen.sorts.insert(EntityType::Site);
        let (Some(actor), Some(sight)) = (actor(image), Sighted::new(image, self)) else { return };
        let changes = rules::decide(&waiting.command.verb, &sight, &actor, waiting.at).unwrap_or_default();
        let Seen { keys, sorts } = sight.seen.into_inner();
        self.seen.keys.extend(keys);
        self.seen.sorts.extend(sorts);
        for change in changes {
            self.nouns.insert(Key::of(&change.entity), Arc::new(change.entity));
        }
    }

    /// The nouns that it shows.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.nouns.keys()
    }

    /// A noun that it shows.
    pub fn get(&self, key: &Key) -> Option<&Arc<Entity>> {
        self.nouns.get(key)
    }
}

/// Who acts: the person who is signed in, as the site knows them.
pub(super) fn actor(image: &Image) -> Option<Actor> {
    let key = Key::new(EntityType::Person, image.person_id()?.0);
    match image.nouns.get(&key).map(|kept| kept.noun.as_ref()) {
        Some(Entity::Person(person)) => Some(Actor::Person(person.clone())),
        Some(_) | None => None,
    }
}

/// What the rules see: the image with the echo over it.
#[derive(Debug)]
pub(super) struct Sighted<'a> {
    image: &'a Image,
    echo: &'a Echo,
    site: &'a Site,
    /// What was looked at.
    seen: RefCell<Seen>,
}

impl<'a> Sighted<'a> {
    /// None before the site was fetched.
    pub fn new(image: &'a Image, echo: &'a Echo) -> Option<Self> {
        let all = image.nouns.range(Key::new(EntityType::Site, uuid::Uuid::nil())..);
        let site = all
            .take_while(|(key, _)| key.entity_type == EntityType::Site)
            .next()
            .map(|(key, kept)| echo.get(key).unwrap_or(&kept.noun).as_ref());
        match site {
            Some(Entity::Site(site)) => Some(Self { image, echo, site, seen: RefCell::default() }),
            Some(_) | None => None,
        }
    }

    fn noun(&self, entity_type: EntityType, id: uuid::Uuid) -> Option<&Entity> {
        let key = Key { entity_type, id };
        self.seen.borrow_mut().keys.insert(key);
        let kept = || self.image.nouns.get(&key).map(|kept| &kept.noun);
        self.echo.get(&key).or_else(kept).map(AsRef::as_ref)
    }

    /// All nouns of a sort, as they are shown.
    fn all(&self, entity_type: EntityType) -> impl Iterator<Item = &Entity> {
        self.seen.borrow_mut().sorts.insert(entity_type);
        let from = Key::new(entity_type, uuid::Uuid::nil());
        let kept = self.image.nouns.range(from..).take_while(move |(key, _)| key.entity_type == entity_type);
        let under = kept.filter(|(key, _)| self.echo.get(key).is_none()).map(|(_, kept)| kept.noun.as_ref());
        let over = self.echo.nouns.range(from..).take_while(move |(key, _)| key.entity_type == entity_type);
        under.chain(over.map(|(_, noun)| noun.as_ref()))
    }
}

macro_rules! sights {
    ($($name:ident($id:ident) -> $noun:ident),+ $(,)?) => {$(
        fn $name(&self, id: $id) -> Option<&$noun> {
            match self.noun(EntityType::$noun, id.0) {
                Some(Entity::$noun(noun)) => Some(noun),
                Some(_) | None => None,
            }
        }
    )+};
}

impl Sight for Sighted<'_> {
    fn site(&self) -> &Site {
        self.site
    }

    sights! {
        request(RequestId) -> Request,
        person(PersonId) -> Person,
        place(PlaceId) -> Place,
        guest(GuestId) -> Guest,
        stay(StayId) -> Stay,
        button(ButtonId) -> Button,
        call(CallId) -> Call,
    }

    fn live_call_of(&self, person: PersonId) -> Option<&Call> {
        let mut calls =
            self.all(EntityType::Call).filter_map(|noun| if let Entity::Call(call) = noun { Some(call) } else { None });
        calls.find(|call| call.is_live() && call.is_party(person))
    }

    /// Who is there the server knows: until it has said that somebody isn't, a call to them rings.
    fn is_reachable(&self, _person: PersonId) -> bool {
        true
    }

    fn device(&self, device: &str) -> Option<&Button> {
        let mut buttons = self
            .all(EntityType::Button)
            .filter_map(|noun| if let Entity::Button(button) = noun { Some(button) } else { None });
        buttons.find(|button| button.device == device)
    }

    fn guest_in(&self, place: PlaceId) -> Option<GuestId> {
        let stays =
            self.all(EntityType::Stay).filter_map(|noun| if let Entity::Stay(stay) = noun { Some(stay) } else { None });
        longest_in(place, stays)
    }

    fn others_stay_in(&self, place: PlaceId, beside: StayId) -> bool {
        let stays =
            self.all(EntityType::Stay).filter_map(|noun| if let Entity::Stay(stay) = noun { Some(stay) } else { None });
        others_stay_in(place, beside, stays)
    }
}

impl super::Engine {
    /// A noun as it is to be shown, and whether it is an echo.
    pub(super) fn shown(&self, key: &Key) -> Option<(&Arc<Entity>, bool)> {
        let kept = || self.image.nouns.get(key).map(|kept| (&kept.noun, false));
        self.echo.get(key).map(|noun| (noun, true)).or_else(kept)
    }

    /// A request that is shown as open, or as pressed again since somebody took it.
    pub(super) fn open_request(&self, id: RequestId) -> Option<&Request> {
        let calls = |request: &Request| request.state == State::Open || request.is_pressed_since_accepted();
        match self.shown(&Key::new(EntityType::Request, id.0)).map(|(noun, _)| noun.as_ref()) {
            Some(Entity::Request(request)) if calls(request) => Some(request),
            Some(_) | None => None,
        }
    }
}
