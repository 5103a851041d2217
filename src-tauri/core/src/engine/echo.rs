//! Local echo: the entities as confirmed by the server, overlaid with the effects of the person's unconfirmed commands,
//! which the same rules decide.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crewbell_shared::ids::{CommandId, PersonId, RequestId};
use crewbell_shared::person::Actor;
use crewbell_shared::protocol::{Entity, EntityType};
use crewbell_shared::request::{Request, RequestState};
use crewbell_shared::rules::{self, StateView};
use crewbell_shared::site::Site;

use crate::store::{CommandStatus, EntityKey, Image, Waiting, Write};

/// The effects of the outbox on the image.
#[derive(Clone, Debug, Default)]
pub(super) struct Echo {
    entities: BTreeMap<EntityKey, Arc<Entity>>,
    /// The read set: the echo stays valid as long as none of these entities changes.
    seen: Seen,
    /// The last command included.
    last: Option<CommandId>,
}

/// Read set of the rules.
#[derive(Clone, Debug, Default)]
struct Seen {
    keys: BTreeSet<EntityKey>,
    /// Entity types that were scanned as a whole.
    types: BTreeSet<EntityType>,
}

impl Seen {
    fn has(&self, key: &EntityKey) -> bool {
        self.types.contains(&key.entity_type) || self.keys.contains(key)
    }
}

impl Echo {
    /// Computes the echo of the whole outbox, in order. A command that the rules refuse here has no effect; another
    /// person was first, and the server will refuse it too.
    pub fn of(image: &Image) -> Self {
        let mut echo = Self::default();
        for waiting in &image.outbox {
            echo.add(image, waiting);
        }
        echo
    }

    /// Updates the echo after writes that the image has applied. Hundreds of commands may wait while other people's
    /// entries arrive, so they are decided again only if an entity of the read set changed.
    pub fn follow(&mut self, writes: &[Write], image: &Image) {
        let begins_anew = writes.iter().any(|write| match write {
            Write::UpsertEntity { entity, .. } => self.seen.has(&EntityKey::of(entity)),
            Write::DeleteEntity(key) => self.seen.has(key),
            Write::Replace { .. } | Write::DeleteCommand(_) | Write::SignIn(_) | Write::Wipe => true,
            // A command that changes from waiting to done has the same effect until its entry arrives.
            Write::Mark(_, doing) => !matches!(doing, CommandStatus::Done { .. }),
            Write::Advance(_)
            | Write::Heard(_)
            | Write::Seen(_)
            | Write::AppendLine(_)
            | Write::UpsertCommand(_)
            | Write::Set(..) => false,
        });
        let mut kept = writes.iter().filter(|write| matches!(write, Write::UpsertCommand(_)));
        match (begins_anew, kept.next(), kept.next()) {
            (false, None, _) => {}
            (false, Some(Write::UpsertCommand(waiting)), None) => {
                let last = image.outbox.last().map(|last| last.command.id);
                // A command that is stored twice is in the outbox once.
                if last == Some(waiting.command.id) && last != self.last {
                    self.add(image, waiting);
                }
            }
            _ => *self = Self::of(image),
        }
    }

    /// Adds the effect of one more command.
    fn add(&mut self, image: &Image, waiting: &Waiting) {
        self.last = Some(waiting.command.id);
        let shows = matches!(waiting.doing, CommandStatus::Waiting | CommandStatus::Done { .. });
        if !shows || Some(waiting.by.id) != image.person_id() {
            return;
        }
        self.seen.keys.insert(EntityKey::new(EntityType::Person, waiting.by.id.0));
        self.seen.types.insert(EntityType::Site);
        let (Some(actor), Some(view)) = (actor(image), EchoView::new(image, self)) else { return };
        let changes = rules::decide(&waiting.command.verb, &view, &actor, waiting.at).unwrap_or_default();
        let Seen { keys, types } = view.seen.into_inner();
        self.seen.keys.extend(keys);
        self.seen.types.extend(types);
        for change in changes {
            self.entities.insert(EntityKey::of(&change.entity), Arc::new(change.entity));
        }
    }

    /// Returns the keys of the overlaid entities.
    pub fn keys(&self) -> impl Iterator<Item = &EntityKey> {
        self.entities.keys()
    }

    /// Returns an overlaid entity.
    pub fn get(&self, key: &EntityKey) -> Option<&Arc<Entity>> {
        self.entities.get(key)
    }
}

/// Returns the person who is signed in as an actor, from the site's data.
pub(super) fn actor(image: &Image) -> Option<Actor> {
    let key = EntityKey::new(EntityType::Person, image.person_id()?.0);
    match image.entities.get(&key).map(|kept| kept.entity.as_ref()) {
        Some(Entity::Person(person)) => Some(Actor::Person(person.clone())),
        Some(_) | None => None,
    }
}

/// The rules' view of the site: the image overlaid with the echo.
#[derive(Debug)]
pub(super) struct EchoView<'a> {
    image: &'a Image,
    echo: &'a Echo,
    site: &'a Site,
    /// Read set, collected while the rules run.
    seen: RefCell<Seen>,
}

impl<'a> EchoView<'a> {
    /// Creates the view; returns none before the first snapshot.
    pub fn new(image: &'a Image, echo: &'a Echo) -> Option<Self> {
        let all = image.entities.range(EntityKey::first_of(EntityType::Site)..);
        let site = all
            .take_while(|(key, _)| key.entity_type == EntityType::Site)
            .next()
            .map(|(key, kept)| echo.get(key).unwrap_or(&kept.entity).as_ref());
        match site {
            Some(Entity::Site(site)) => Some(Self { image, echo, site, seen: RefCell::default() }),
            Some(_) | None => None,
        }
    }
}

impl StateView for EchoView<'_> {
    fn site(&self) -> &Site {
        self.site
    }

    fn entity(&self, key: EntityKey) -> Option<&Entity> {
        self.seen.borrow_mut().keys.insert(key);
        let kept = || self.image.entities.get(&key).map(|kept| &kept.entity);
        self.echo.get(&key).or_else(kept).map(AsRef::as_ref)
    }

    fn all(&self, entity_type: EntityType) -> Box<dyn Iterator<Item = &Entity> + '_> {
        self.seen.borrow_mut().types.insert(entity_type);
        let from = EntityKey::first_of(entity_type);
        let kept = self.image.entities.range(from..).take_while(move |(key, _)| key.entity_type == entity_type);
        let under = kept.filter(|(key, _)| self.echo.get(key).is_none()).map(|(_, kept)| kept.entity.as_ref());
        let over = self.echo.entities.range(from..).take_while(move |(key, _)| key.entity_type == entity_type);
        Box::new(under.chain(over.map(|(_, entity)| entity.as_ref())))
    }

    /// Always true, as only the server knows who is reachable: a call rings until the server says otherwise.
    fn is_reachable(&self, _person: PersonId) -> bool {
        true
    }
}

impl super::Engine {
    /// Returns an entity as shown, and whether it comes from the echo.
    pub(super) fn shown(&self, key: &EntityKey) -> Option<(&Arc<Entity>, bool)> {
        let kept = || self.image.entities.get(key).map(|kept| (&kept.entity, false));
        self.echo.get(key).map(|entity| (entity, true)).or_else(kept)
    }

    /// Returns a request if it is shown as open, or as pressed again since it was accepted.
    pub(super) fn open_request(&self, id: RequestId) -> Option<&Request> {
        let calls = |request: &Request| request.state == RequestState::Open || request.is_pressed_since_accepted();
        match self.shown(&EntityKey::new(EntityType::Request, id.0)).map(|(entity, _)| entity.as_ref()) {
            Some(Entity::Request(request)) if calls(request) => Some(request),
            Some(_) | None => None,
        }
    }
}
