//! Stores people's last-seen times, so that a restart keeps them. They are not logged.

use crewbell_shared::Refusal;
use crewbell_shared::protocol::live::LastSeen;

use super::{Action, Moment, Step, Steps, Wants, World};

/// Stores people's last-seen times.
#[derive(Clone, Debug)]
pub struct SeePeople(pub Vec<LastSeen>);

impl Action for SeePeople {
    fn wants(&self, wants: &mut Wants) {
        // Only for the row locks, which every writer takes in the same order.
        wants.people.extend(self.0.iter().map(|seen| seen.person_id.0));
    }

    fn decide(&self, _: &World, _: &Moment<'_>) -> Result<Steps, Refusal> {
        Ok(Steps::none().and(Step::Seen(self.0.clone())))
    }
}
