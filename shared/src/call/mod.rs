//! A voice call between two people of the crew, and what may be done with it.
//!
//! ```text
//!              answer               hang up: completed
//!  ┌─────────┐ ──────▶ ┌─────────┐  gone: dropped    ┌───────┐
//!  │ Ringing │         │ Ongoing │ ────────────────▶ │ Ended │
//!  └─────────┘         └─────────┘                   └───────┘
//!       │  caller gives up: cancelled · callee says no: rejected  ▲
//!       └─ rings its time: missed · the caller is gone: dropped ──┘
//! ```
//! A call to somebody who can't be called (busy, in another call, not there) begins as ended, missed: so both sides find
//! it in their history. What is said in it travels elsewhere; here is only that it was.
//!
//! To add a command: a variant of [`Command`], its arm in `decide.rs` for every state, its row in the table test, its
//! entry type in [`Change`]; then its verb: see [`rules`](crate::rules).

mod command;
mod decide;
mod flat;
mod state;

pub use command::{Change, Command};
pub use decide::decide;
pub use state::{Outcome, State, Why};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::{CallId, EndpointId, PersonId};
use crate::person::PersonRef;
use crate::protocol::Noun;

/// A voice call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(try_from = "flat::Flat")]
pub struct Call {
    /// Which.
    pub id: CallId,
    /// Who called.
    pub caller: PersonRef,
    /// Who was called.
    pub callee: PersonRef,
    /// What about, if they said.
    pub about: Option<About>,
    /// The run of the app that called; none for a client that has no voice.
    pub caller_endpoint: Option<EndpointId>,
    /// When it began to ring, or was made.
    pub call_time: Timestamp,
    /// Until when it rings: a device stops then by itself, should the end never reach it.
    pub rings_until: Timestamp,
    /// When the one who was called saw that they had missed it.
    pub seen_at: Option<Timestamp>,
    /// How far it is.
    #[serde(flatten)]
    pub state: State,
}

/// What a call is about: a noun of the site, in the words of the time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct About {
    /// Which sort: `request`, `place`.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::protocol::EntityType))]
    pub noun: Noun,
    /// Which.
    pub id: Uuid,
    /// How it was called at the time.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(max_length = 200))]
    pub name: String,
}

impl Call {
    /// Whether it rings or is ongoing.
    pub fn is_live(&self) -> bool {
        !self.state.is_over()
    }

    /// Whether it has rung its time at a time, and nobody has said so yet.
    pub fn has_rung_out(&self, at: Timestamp) -> bool {
        self.state == State::Ringing && at >= self.rings_until
    }

    /// Whether a person calls or is called in it.
    pub fn is_party(&self, person: PersonId) -> bool {
        self.caller.id == person || self.callee.id == person
    }

    /// Who is at the other end.
    pub fn other(&self, person: PersonId) -> Option<&PersonRef> {
        if self.caller.id == person {
            Some(&self.callee)
        } else if self.callee.id == person {
            Some(&self.caller)
        } else {
            None
        }
    }

    /// The run of the app that answered.
    pub fn callee_endpoint(&self) -> Option<EndpointId> {
        match &self.state {
            State::Ongoing { callee_endpoint, .. } => *callee_endpoint,
            State::Ringing | State::Ended { .. } => None,
        }
    }

    /// Whether the one who was called missed it: it is over, never was answered, and they didn't say no. Also when the
    /// caller gave up.
    pub fn is_missed(&self) -> bool {
        match &self.state {
            State::Ringing | State::Ongoing { .. } => false,
            State::Ended { answered_at, outcome, .. } => answered_at.is_none() && *outcome != Outcome::Rejected,
        }
    }

    /// Whether it counts on the badge of the one who was called.
    pub fn is_unseen(&self) -> bool {
        self.is_missed() && self.seen_at.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::EntityType;
    use crate::testing::{at, ringing_call, sam, siri, tom};

    #[test]
    fn a_call_is_flat_on_a_wire_and_reads_back() {
        let about = About { noun: EntityType::Request.into(), id: Uuid::from_u128(50), name: "Cabin 5".into() };
        let missed = State::Ended {
            answered_at: None,
            ended_at: at(9),
            ended_by: None,
            outcome: Outcome::Missed { why: Why::InCall },
            duration_s: 0,
        };
        let call = Call { about: Some(about), state: missed, ..ringing_call(at(9)) };
        let written = serde_json::to_value(&call).unwrap();
        assert_eq!(
            (&written["state"], &written["outcome"], &written["why"]),
            (&"ended".into(), &"missed".into(), &"in_call".into())
        );
        assert_eq!(written["about"]["noun"], "request");
        assert_eq!(serde_json::from_value::<Call>(written).unwrap(), call);
        for state in [State::Ringing, State::Ongoing { answered_at: at(12), callee_endpoint: None }] {
            let call = Call { state, ..call.clone() };
            assert_eq!(serde_json::from_value::<Call>(serde_json::to_value(&call).unwrap()).unwrap(), call);
        }
    }

    #[test]
    fn a_call_about_a_noun_of_a_newer_version_is_read() {
        let mut written = serde_json::to_value(ringing_call(at(0))).unwrap();
        written["about"] = serde_json::json!({ "noun": "work_order", "id": Uuid::from_u128(5), "name": "Pump 2" });
        let call: Call = serde_json::from_value(written).unwrap();
        assert_eq!(call.about.unwrap().noun, Noun::Foreign("work_order".into()));
    }

    #[test]
    fn the_other_end_is_the_one_that_one_isn_t() {
        let call = ringing_call(at(0));
        let other = |person: crate::person::Person| call.other(person.id).map(|other| other.name.as_str());
        assert_eq!([other(sam()), other(siri()), other(tom())], [Some("Siri"), Some("Sam"), None]);
    }
}
