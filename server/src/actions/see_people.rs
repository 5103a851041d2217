//! Stores people's last-seen times, so that a restart keeps them. They are not logged.

use crewbell_shared::Refusal;
use crewbell_shared::protocol::live::LastSeen;

use super::{Action, ActionContext, Effect, Effects, ReadSet, UnitOfWork};

/// Stores people's last-seen times.
#[derive(Clone, Debug)]
pub struct SeePeople(pub Vec<LastSeen>);

impl Action for SeePeople {
    fn reads(&self, reads: &mut ReadSet) {
        // Only for the row locks, which every writer takes in the same order.
        self.0.iter().for_each(|seen| reads.entity(seen.person_id));
    }

    fn decide(&self, _: &UnitOfWork, _: &ActionContext<'_>) -> Result<Effects, Refusal> {
        Ok(Effects::none().and(Effect::Seen(self.0.clone())))
    }
}
