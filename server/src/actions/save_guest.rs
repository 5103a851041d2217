//! Creates or changes a guest.

use crewbell_shared::Refusal;
use crewbell_shared::ids::GuestId;

use super::{Action, ActionContext, Effects, ReadSet, UnitOfWork};

/// Creates or changes a guest.
#[derive(Clone, Debug)]
pub struct SaveGuest {
    /// The guest's id.
    pub guest_id: GuestId,
    /// The name by which the guest likes to be called.
    pub name: String,
    /// Notes for the crew.
    pub notes: String,
}

impl Action for SaveGuest {
    fn reads(&self, wants: &mut ReadSet) {
        wants.guests.insert(self.guest_id.0);
    }

    fn decide(&self, world: &UnitOfWork, moment: &ActionContext<'_>) -> Result<Effects, Refusal> {
        moment.case(world).save_guest(self.guest_id, &self.name, &self.notes).map(Effects::from)
    }
}
