//! Somebody creates or changes a place.

use crewbell_shared::Refusal;
use crewbell_shared::ids::PlaceId;
use crewbell_shared::person::Right;
use crewbell_shared::place::{Place, PlaceKind};

use super::texts::name;
use super::{Action, Moment, Steps, Wants, World};

/// Somebody creates or changes a place.
#[derive(Clone, Debug)]
pub struct SavePlace {
    /// The place's id.
    pub place_id: PlaceId,
    /// What it stands in.
    pub parent_id: Option<PlaceId>,
    /// Its name.
    pub name: String,
    /// What sort.
    pub kind: PlaceKind,
    /// Where it stands among its siblings.
    pub position: i32,
}

impl Action for SavePlace {
    fn wants(&self, wants: &mut Wants) {
        wants.places.insert(self.place_id.0);
        wants.places.extend(self.parent_id.map(|id| id.0));
    }

    fn decide(&self, world: &World, moment: &Moment<'_>) -> Result<Steps, Refusal> {
        moment.actor.need(Right::EditPlaces)?;
        if let Some(parent) = self.parent_id {
            // One level is what ships and hotels have, and what can't make a ring.
            let parent = world.place(parent)?;
            if parent.kind != PlaceKind::Deck || parent.parent_id.is_some() || parent.id == self.place_id {
                return Err(Refusal::invalid("parent_id", "A place stands in a deck or floor, or in nothing."));
            }
        }
        if self.kind == PlaceKind::Deck && self.parent_id.is_some() {
            return Err(Refusal::invalid("parent_id", "A deck stands in nothing."));
        }
        let before = world.place(self.place_id).ok();
        let place = Place {
            id: self.place_id,
            parent_id: self.parent_id,
            name: name("name", &self.name)?,
            kind: self.kind,
            position: self.position,
            do_not_disturb: before.is_some_and(|place| place.do_not_disturb),
        };
        Ok(match before {
            None => Steps::change(place, "place_created"),
            Some(before) if *before == place => Steps::none(),
            Some(_) => Steps::change(place, "place_changed"),
        })
    }
}
