//! Somebody creates or changes a guest.

use crewbell_shared::Refusal;
use crewbell_shared::guest::Guest;
use crewbell_shared::ids::GuestId;
use crewbell_shared::person::Right;
use crewbell_shared::request::MAX_TEXT;

use super::texts::{name, words};
use super::{Action, Moment, Steps, Wants, World};

/// Somebody creates or changes a guest.
#[derive(Clone, Debug)]
pub struct SaveGuest {
    /// The guest's id.
    pub guest_id: GuestId,
    /// How they like to be called.
    pub name: String,
    /// What the crew should know.
    pub notes: String,
}

impl Action for SaveGuest {
    fn wants(&self, wants: &mut Wants) {
        wants.guests.insert(self.guest_id.0);
    }

    fn decide(&self, world: &World, moment: &Moment<'_>) -> Result<Steps, Refusal> {
        moment.actor.need(Right::EditGuests)?;
        let guest =
            Guest { id: self.guest_id, name: name("name", &self.name)?, notes: words("notes", &self.notes, MAX_TEXT)? };
        Ok(match world.guest(self.guest_id) {
            Err(_) => Steps::change(guest, "guest_created"),
            Ok(before) if *before == guest => Steps::none(),
            Ok(_) => Steps::change(guest, "guest_changed"),
        })
    }
}
