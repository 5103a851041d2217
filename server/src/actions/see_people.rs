//! When people were last there is kept, so that a restart doesn't forget it. The log doesn't tell it.

use crewbell_shared::Refusal;
use crewbell_shared::protocol::live::LastSeen;

use super::{Action, Moment, Step, Steps, Wants, World};

/// People were there at these times.
#[derive(Clone, Debug)]
pub struct SeePeople(pub Vec<LastSeen>);

impl Action for SeePeople {
    fn wants(&self, wants: &mut Wants) {
        // For their locks, which every writer takes in the same order.
        wants.people.extend(self.0.iter().map(|seen| seen.person_id.0));
    }

    fn decide(&self, _: &World, _: &Moment<'_>) -> Result<Steps, Refusal> {
        Ok(Steps::none().and(Step::Seen(self.0.clone())))
    }
}
