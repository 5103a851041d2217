//! The verbs of the crew and their rules: membership, duty and busy status.

use super::{Person, Right, Role, allows};
use crate::ids::PersonId;
use crate::protocol::{VerbMeta, VerbSet, verbs};
use crate::request::{Request, RequestState};
use crate::rules::{Change, Decision, DecisionContext, Lookup, Query, name, saved};
use crate::{Code, Refusal};

verbs! {
    /// The operations on a member of the crew.
    pub enum PersonVerb {
        /// Creates a member of the crew, or changes the one with that id. They can sign in once their secret is set, by
        /// another endpoint.
        Save = "save_person" {
            /// The person's id, made by the client when they are new.
            person_id: PersonId,
            /// The name used for sign-in.
            #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 200))]
            name: String,
            /// The person's role.
            role: Role,
            /// Whether the person may sign in; true by default. Their sessions end when they no longer may.
            #[serde(default = "yes")]
            active: bool,
        }
        /// Goes on or off duty; setting somebody else's duty needs the right to take over.
        SetDuty = "set_duty" {
            /// The person.
            person_id: PersonId,
            /// On or off.
            on_duty: bool,
        }
        /// Sets whether a person is busy, so that calls don't ring.
        SetBusy = "set_busy" {
            /// The person; only oneself is allowed.
            person_id: PersonId,
            /// Busy or not.
            busy: bool,
        }
    }
}

impl VerbSet for PersonVerb {
    fn meta(&self) -> VerbMeta {
        match self {
            Self::Save { person_id, .. } => VerbMeta::of(*person_id).by(Right::EditPeople),
            // Somebody else's duty takes another right than one's own.
            Self::SetDuty { person_id, .. } => VerbMeta::of(*person_id),
            Self::SetBusy { person_id, .. } => VerbMeta::of(*person_id).by(Right::AnswerRequests),
        }
    }

    fn queries(&self, _: Option<PersonId>) -> Vec<Query> {
        match self {
            Self::Save { person_id, .. } => vec![Query::HeldBy(*person_id)],
            Self::SetDuty { .. } | Self::SetBusy { .. } => Vec::new(),
        }
    }

    fn decide(&self, ctx: &DecisionContext<'_>) -> Decision {
        match self {
            Self::Save { person_id, name, role, active } => ctx.save_person(*person_id, name, *role, *active),
            Self::SetDuty { person_id, on_duty } => ctx.set_duty(*person_id, *on_duty),
            Self::SetBusy { person_id, busy } => ctx.set_busy(*person_id, *busy),
        }
    }
}

fn yes() -> bool {
    true
}

impl DecisionContext<'_> {
    /// Creates or changes a member of the crew. Administrators can't remove their own rights, and people who leave go
    /// off duty. The requests of a person who can't answer them any more ring again: otherwise the guest waits for
    /// somebody who won't come.
    pub fn save_person(&self, id: PersonId, called: &str, role: Role, active: bool) -> Decision {
        if self.is_actor(id) && (!active || role != Role::Admin) {
            return Err(Refusal::new(Code::NotAllowed, "You can't take your own rights away."));
        }
        let before = self.view.get(id);
        let person = Person {
            id,
            name: name("name", called)?,
            role,
            on_duty: active && before.is_some_and(|person| person.on_duty),
            busy: active && before.is_some_and(|person| person.busy),
            active,
        };
        let goes = !(active && allows(role, Right::AnswerRequests));
        let changes = saved(before, person, "person_created", "person_changed");
        let held = self.view.each::<Request>().filter(|request| request.holder().is_some_and(|holder| holder.id == id));
        let held = held.filter(|_| goes && !changes.is_empty()).cloned();
        let released =
            held.map(|request| Change::new(Request { state: RequestState::Open, ..request }, "request_released"));
        Ok(released.chain(changes.clone()).collect())
    }

    /// Sets a person's duty: one's own, or somebody else's with the right to take over.
    pub fn set_duty(&self, id: PersonId, on_duty: bool) -> Decision {
        self.actor.need(if self.is_actor(id) { Right::AnswerRequests } else { Right::TakeOverRequests })?;
        let before = self.known(id)?;
        if before.on_duty == on_duty {
            return Ok(Vec::new());
        }
        let kind = if on_duty { "person_on_duty" } else { "person_off_duty" };
        Ok(vec![Change::new(Person { on_duty, ..before.clone() }, kind)])
    }

    /// Sets whether a person is busy, so that calls don't ring; people do so only for themselves.
    pub fn set_busy(&self, id: PersonId, busy: bool) -> Decision {
        if self.actor.person().is_some() && !self.is_actor(id) {
            return Err(Refusal::new(Code::NotAllowed, "Everybody says for themselves whether they are busy."));
        }
        let before = self.known(id)?;
        if before.busy == busy {
            return Ok(Vec::new());
        }
        let kind = if busy { "person_busy" } else { "person_not_busy" };
        Ok(vec![Change::new(Person { busy, ..before.clone() }, kind)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Yacht, alex, at, by, id, sam};

    fn decided(
        yacht: &mut Yacht,
        rule: impl Fn(&DecisionContext<'_>) -> Decision,
    ) -> Result<Vec<&'static str>, Refusal> {
        let changes = rule(&DecisionContext { view: yacht, actor: &by(&alex()), at: at(60) })?;
        Ok(yacht.apply(changes))
    }

    #[test]
    fn who_leaves_is_off_duty_and_stays_so_when_they_come_back() {
        let mut yacht = Yacht::default();
        let mut save =
            |active| decided(&mut yacht, |ctx| ctx.save_person(sam().id, "Sam", Role::Crew, active)).unwrap();
        assert_eq!(save(true), [""; 0], "Sam is that already");
        assert_eq!(save(false), ["person_changed"]);
        assert_eq!(save(true), ["person_changed"]);
        assert!(!yacht.get(sam().id).unwrap().on_duty);
    }

    #[test]
    fn who_is_new_is_off_duty() {
        let mut yacht = Yacht::default();
        let save = |ctx: &DecisionContext<'_>| ctx.save_person(id(9), " Nils ", Role::Technician, true);
        assert_eq!(decided(&mut yacht, save).unwrap(), ["person_created"]);
        let nils = yacht.get::<PersonId>(id(9)).unwrap();
        assert_eq!((nils.name.as_str(), nils.on_duty, nils.active), ("Nils", false, true));
    }

    #[test]
    fn nobody_takes_their_own_rights_away() {
        let mut yacht = Yacht::default();
        for (role, active) in [(Role::Supervisor, true), (Role::Admin, false)] {
            let refusal = decided(&mut yacht, |ctx| ctx.save_person(alex().id, "Alex", role, active)).unwrap_err();
            assert_eq!(refusal.code, Code::NotAllowed);
        }
        let rename = |ctx: &DecisionContext<'_>| ctx.save_person(alex().id, "Alexandra", Role::Admin, true);
        assert_eq!(decided(&mut yacht, rename).unwrap(), ["person_changed"]);
    }

    #[test]
    fn one_is_busy_oneself_once_and_not_any_more_when_one_leaves() {
        let mut yacht = Yacht::default();
        let set = |who: &Person, busy| {
            let (who, yacht) = (by(who), yacht.clone());
            let changes = DecisionContext { view: &yacht, actor: &who, at: at(60) }.set_busy(sam().id, busy)?;
            Ok::<_, Refusal>(changes.iter().map(|change| change.kind).collect::<Vec<_>>())
        };
        assert_eq!(set(&sam(), true).unwrap(), ["person_busy"]);
        assert_eq!(set(&sam(), false).unwrap(), [""; 0], "Sam isn't busy");
        assert_eq!(set(&alex(), true).unwrap_err().code, Code::NotAllowed);
        yacht = yacht.with(Person { busy: true, ..sam() });
        decided(&mut yacht, |ctx| ctx.save_person(sam().id, "Sam", Role::Crew, false)).unwrap();
        assert!(!yacht.get(sam().id).unwrap().busy);
    }

    #[test]
    fn duty_changes_once() {
        let mut yacht = Yacht::default();
        let mut set = |on_duty| decided(&mut yacht, |ctx| ctx.set_duty(sam().id, on_duty)).unwrap();
        assert_eq!(set(true), [""; 0], "Sam is on duty already");
        assert_eq!(set(false), ["person_off_duty"]);
        assert_eq!(set(true), ["person_on_duty"]);
    }
}
