//! What all verbs on a request share: load it, let the rules decide, tell it.

use crewbell_shared::ids::RequestId;
use crewbell_shared::request::{Command, decide};
use crewbell_shared::{Code, Refusal};

use super::{Moment, Steps, World};

/// Lets a person do something with a request.
pub(super) fn on_request(
    world: &World,
    moment: &Moment<'_>,
    id: RequestId,
    command: Command,
) -> Result<Steps, Refusal> {
    let Some(person) = moment.actor.person() else {
        return Err(Refusal::new(Code::NotAllowed, "Only a person can do that."));
    };
    let request = world.request(id)?.clone();
    let (request, change) = decide(request, command, person, moment.at)?;
    Ok(match change {
        Some(change) => Steps::change(request, change.entry_type()),
        None => Steps::none(),
    })
}
