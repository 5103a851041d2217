//! The rules of every verb: the changes that a command makes, or its refusal.
//!
//! The server decides commands by them, and an offline app predicts by them a command's effect. They are pure: a rule
//! reads the site through [`StateView`], and time is an argument. Constraints over the whole site (a unique name, one stay
//! per guest) are enforced by the database's unique keys, on the server alone.
//!
//! # To add a verb
//! 1. Its variant, its metadata and its rule, all in its entity's `verbs.rs`.
//! 2. Its rows in the table test, and its line in `any_verb`, in `rules/tests.rs`.
//! 3. On the server, the line of its REST endpoint in `http/verbs.rs`, if it has one.

mod texts;

use jiff::Timestamp;

use crate::button::Button;
use crate::call::Call;
use crate::guest::{Stay, longest_in};
use crate::ids::{GuestId, PersonId, PlaceId};
use crate::person::Actor;
use crate::protocol::Verb;
use crate::site::Site;
use crate::{Entity, EntityId, EntityKey, EntityType, Refusal, Registered};

pub use texts::{MAX_NAME, name, words};

/// Read access of the rules to the site. [`Lookup`] gives typed access.
pub trait StateView: std::fmt::Debug {
    /// The site.
    fn site(&self) -> &Site;

    /// An entity by type and id.
    fn entity(&self, key: EntityKey) -> Option<&Entity>;

    /// All entities of a type, as far as the view has them: on the server those that the [`Query`]s of the verb asked
    /// for.
    fn all(&self, entity_type: EntityType) -> Box<dyn Iterator<Item = &Entity> + '_>;

    /// Whether a call to the person would ring: they have a device with an open socket or a recent heartbeat.
    fn is_reachable(&self, person: PersonId) -> bool;
}

/// Typed access to a [`StateView`].
pub trait Lookup: StateView {
    /// An entity by its id.
    fn get<I: EntityId>(&self, id: I) -> Option<&I::Entity> {
        self.entity(id.into()).and_then(I::Entity::of)
    }

    /// All entities of a type; see [`StateView::all`].
    fn each<E: Registered>(&self) -> impl Iterator<Item = &E> {
        self.all(E::TYPE).filter_map(E::of)
    }
}

impl<V: StateView + ?Sized> Lookup for V {}

/// What a rule reads of the site beside entities that its verb names. The server reads it, and locks it, before it
/// decides.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Query {
    /// The current stays in a place.
    StaysAt(PlaceId),
    /// The requests that a person has accepted.
    HeldBy(PersonId),
    /// The live calls of a person.
    LiveCallsOf(PersonId),
    /// Whether a person can be reached by a call.
    Reachable(PersonId),
    /// The button with an id on the wire.
    Device(String),
}

/// A new state of an entity.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The entity, in full.
    pub entity: Entity,
    /// The type of its log entry, in the past tense.
    pub kind: &'static str,
}

/// The decision of a rule: its changes, in order, or the refusal. Empty if nothing changes.
pub type Decision = Result<Vec<Change>, Refusal>;

/// The input of a decision: the site's state, the actor and the time. Its methods are the rules.
#[derive(Clone, Copy, Debug)]
pub struct DecisionContext<'a> {
    /// Access to the site's state.
    pub view: &'a dyn StateView,
    /// The actor, in their present state.
    pub actor: &'a Actor,
    /// The time of the decision.
    pub at: Timestamp,
}

/// Decides which changes a verb by an actor makes at a time.
///
/// # Errors
/// Returns the rules' refusal; then nothing changes.
pub fn decide(verb: &Verb, view: &dyn StateView, actor: &Actor, at: Timestamp) -> Decision {
    if let Some(right) = verb.meta().right {
        actor.need(right)?;
    }
    verb.decide(&DecisionContext { view, actor, at })
}

impl<'a> DecisionContext<'a> {
    /// An entity that a rule requires.
    ///
    /// # Errors
    /// Returns `not_found` with the entity's type.
    pub fn known<I: EntityId>(&self, id: I) -> Result<&'a I::Entity, Refusal> {
        self.view.get(id).ok_or_else(|| Refusal::not_found(I::Entity::TYPE.as_str()))
    }

    /// Whether the actor is that person.
    pub(crate) fn is_actor(&self, id: PersonId) -> bool {
        self.actor.person().is_some_and(|person| person.id == id)
    }
}

/// The live call of a person, as caller or callee; there is one at most.
pub fn live_call_of(view: &dyn StateView, person: PersonId) -> Option<&Call> {
    view.each::<Call>().find(|call| call.is_live() && call.is_party(person))
}

/// A button by its id on the wire.
pub fn button_of<'a>(view: &'a dyn StateView, device: &str) -> Option<&'a Button> {
    view.each::<Button>().find(|button| button.device == device)
}

/// The guest who has stayed longest in a place; see [`longest_in`].
pub fn guest_in(view: &dyn StateView, place: PlaceId) -> Option<GuestId> {
    longest_in(place, view.each::<Stay>())
}

impl Change {
    /// Makes a change.
    pub fn new(entity: impl Into<Entity>, kind: &'static str) -> Self {
        Self { entity: entity.into(), kind }
    }
}

/// The change of an entity that is saved in full: created, changed, or none.
pub(crate) fn saved<T>(before: Option<&T>, after: T, created: &'static str, changed: &'static str) -> Vec<Change>
where
    T: PartialEq + Into<Entity>,
{
    match before {
        None => vec![Change::new(after, created)],
        Some(before) if *before == after => Vec::new(),
        Some(_) => vec![Change::new(after, changed)],
    }
}

#[cfg(test)]
mod tests;
