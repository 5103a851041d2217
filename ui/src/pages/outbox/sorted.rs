//! The grouping of outbox items, and their dependencies.

use crewbell_core::screen::OutboxItem;
use crewbell_core::store::CommandStatus;
use crewbell_shared::ids::{CommandId, PersonId};

/// The group of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutboxGroup {
    /// The server refused it, and the person must decide.
    Refused,
    /// It waits to be sent.
    Waiting,
    /// The server executed it; its log entry hasn't arrived yet.
    Done,
    /// Another person issued it on this device: it isn't sent for them.
    Others,
}

impl OutboxGroup {
    /// The group of an item, for the signed-in person.
    pub fn of(item: &OutboxItem, me: Option<PersonId>) -> Self {
        match item.doing {
            CommandStatus::Done { .. } => Self::Done,
            _ if me != Some(item.by.id) => Self::Others,
            CommandStatus::Refused { .. } => Self::Refused,
            CommandStatus::Waiting => Self::Waiting,
        }
    }
}

/// The number of unfinished items that depend on a command, directly or indirectly.
pub fn needed_by(outbox: &[OutboxItem], id: CommandId) -> usize {
    let mut lost = vec![id];
    // Items are in the order of their execution: dependent ones come after what they depend on.
    for item in outbox {
        let needs = item.depends_on.is_some_and(|id| lost.contains(&id));
        if needs && !matches!(item.doing, CommandStatus::Done { .. }) {
            lost.push(item.command_id);
        }
    }
    lost.len() - 1
}

/// The number of a person's items that a sign-out would lose.
pub fn unsent(outbox: &[OutboxItem], me: Option<PersonId>) -> usize {
    let is_mine = |item: &&OutboxItem| matches!(OutboxGroup::of(item, me), OutboxGroup::Refused | OutboxGroup::Waiting);
    outbox.iter().filter(is_mine).count()
}

#[cfg(test)]
mod tests {
    use crewbell_shared::protocol::Verb;
    use crewbell_shared::request::RequestVerb;
    use crewbell_shared::testing::{at, id, sam, siri};
    use crewbell_shared::{Code, Refusal};

    use super::*;

    fn item(number: u128, needs: Option<u128>, doing: CommandStatus) -> OutboxItem {
        let verb = Verb::Request(RequestVerb::Accept { request_id: id(50) });
        let by = siri().as_ref();
        OutboxItem { command_id: id(number), depends_on: needs.map(id), verb, by, at: at(0), doing }
    }

    fn refused() -> CommandStatus {
        CommandStatus::Refused { refusal: Refusal::new(Code::AlreadyAccepted, ""), at: at(1) }
    }

    #[test]
    fn what_somebody_else_left_is_theirs_whatever_became_of_it() {
        let place = |doing, me| OutboxGroup::of(&item(1, None, doing), Some(me));
        assert_eq!(
            [place(CommandStatus::Waiting, siri().id), place(refused(), siri().id)],
            [OutboxGroup::Waiting, OutboxGroup::Refused]
        );
        assert_eq!([place(CommandStatus::Waiting, sam().id), place(refused(), sam().id)], [OutboxGroup::Others; 2]);
        assert_eq!(place(CommandStatus::Done { seq: 5 }, sam().id), OutboxGroup::Done);
    }

    #[test]
    fn what_needs_a_command_is_counted_through_others() {
        let outbox = [
            item(1, None, refused()),
            item(2, Some(1), CommandStatus::Waiting),
            item(3, Some(2), CommandStatus::Waiting),
            item(4, None, CommandStatus::Waiting),
            item(5, Some(1), CommandStatus::Done { seq: 9 }),
        ];
        assert_eq!([1, 2, 3, 4].map(|number| needed_by(&outbox, id(number))), [2, 1, 0, 0]);
    }

    #[test]
    fn signing_out_loses_ones_own_that_the_server_has_not() {
        let outbox = [
            item(1, None, refused()),
            item(2, None, CommandStatus::Waiting),
            item(3, None, CommandStatus::Done { seq: 9 }),
        ];
        assert_eq!(unsent(&outbox, Some(siri().id)), 2);
        assert_eq!(unsent(&outbox, Some(sam().id)), 0);
    }
}
