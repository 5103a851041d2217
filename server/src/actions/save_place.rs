//! Creates or changes a place.

use crewbell_shared::Refusal;
use crewbell_shared::ids::PlaceId;
use crewbell_shared::place::PlaceKind;

use super::{Action, ActionContext, Effects, ReadSet, UnitOfWork};

/// Creates or changes a place.
#[derive(Clone, Debug)]
pub struct SavePlace {
    /// The place's id.
    pub place_id: PlaceId,
    /// The parent place.
    pub parent_id: Option<PlaceId>,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: PlaceKind,
    /// Its position among its siblings.
    pub position: i32,
}

impl Action for SavePlace {
    fn reads(&self, wants: &mut ReadSet) {
        wants.places.insert(self.place_id.0);
        wants.places.extend(self.parent_id.map(|id| id.0));
    }

    fn decide(&self, world: &UnitOfWork, moment: &ActionContext<'_>) -> Result<Effects, Refusal> {
        moment
            .case(world)
            .save_place(self.place_id, self.parent_id, &self.name, self.kind, self.position)
            .map(Effects::from)
    }
}
