//! A voice call between two crew members, and its commands.
//!
//! ```text
//!              answer               hang up: completed
//!  ┌─────────┐ ──────▶ ┌─────────┐  gone: dropped    ┌───────┐
//!  │ Ringing │         │ Ongoing │ ────────────────▶ │ Ended │
//!  └─────────┘         └─────────┘                   └───────┘
//!       │  caller gives up: cancelled · callee says no: rejected  ▲
//!       └─ rings its time: missed · the caller is gone: dropped ──┘
//! ```
//! A call to somebody who can't be called (busy, in another call, offline) begins as ended and missed, so that both
//! sides find it in their history. The audio is carried elsewhere; this is only the record of the call.
//!
//! To add a command: a variant of [`Command`], its arm in `decide.rs` for every state, its row in the table test, its
//! entry type in [`Change`]; then its verb: see [`rules`](crate::rules).

mod command;
mod decide;
mod state;
mod verbs;

pub use command::{Change, Command};
pub use decide::decide;
pub use state::{CallState, Outcome, Why};
pub use verbs::CallVerb;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::EntityBody;
use crate::ids::{CallId, EndpointId, PersonId};
use crate::person::PersonRef;
use crate::protocol::EntityTypeName;

/// A voice call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Call {
    /// The call's id.
    pub id: CallId,
    /// The caller.
    pub caller: PersonRef,
    /// The callee.
    pub callee: PersonRef,
    /// The subject of the call, if any.
    pub about: Option<About>,
    /// The caller's endpoint; none for a client without voice.
    pub caller_endpoint: Option<EndpointId>,
    /// The time when it began to ring, or was made.
    pub call_time: Timestamp,
    /// The time until which it rings. Devices stop by themselves then, in case the end doesn't reach them.
    pub rings_until: Timestamp,
    /// The time when the callee saw that they had missed it.
    pub seen_at: Option<Timestamp>,
    /// The call's state.
    #[serde(flatten)]
    pub state: CallState,
}

/// The subject of a call: an entity of the site, with its name at the time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct About {
    /// The entity's type: `request` or `place`.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::protocol::EntityType))]
    pub entity_type: EntityTypeName,
    /// The entity's id.
    pub id: Uuid,
    /// The entity's name at the time.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(max_length = 200))]
    pub name: String,
}

impl EntityBody for Call {
    fn closed_at(&self) -> Option<Timestamp> {
        match &self.state {
            CallState::Ended { ended_at, .. } => Some(*ended_at),
            CallState::Ringing | CallState::Ongoing { .. } => None,
        }
    }
}

impl Call {
    /// Whether the call is ringing or ongoing.
    pub fn is_live(&self) -> bool {
        !self.state.is_over()
    }

    /// Whether the ringing has timed out at a time but the call isn't ended yet.
    pub fn has_rung_out(&self, at: Timestamp) -> bool {
        self.state == CallState::Ringing && at >= self.rings_until
    }

    /// Whether a person is the caller or the callee.
    pub fn is_party(&self, person: PersonId) -> bool {
        self.caller.id == person || self.callee.id == person
    }

    /// The other party of the call.
    pub fn other(&self, person: PersonId) -> Option<&PersonRef> {
        if self.caller.id == person {
            Some(&self.callee)
        } else if self.callee.id == person {
            Some(&self.caller)
        } else {
            None
        }
    }

    /// The endpoint that answered.
    pub fn callee_endpoint(&self) -> Option<EndpointId> {
        match &self.state {
            CallState::Ongoing { callee_endpoint, .. } => *callee_endpoint,
            CallState::Ringing | CallState::Ended { .. } => None,
        }
    }

    /// Whether the callee missed the call: it ended without an answer or a rejection. A call that the caller cancelled
    /// counts as missed.
    pub fn is_missed(&self) -> bool {
        match &self.state {
            CallState::Ringing | CallState::Ongoing { .. } => false,
            CallState::Ended { answered_at, outcome, .. } => answered_at.is_none() && *outcome != Outcome::Rejected,
        }
    }

    /// Whether the call counts on the callee's badge.
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
        let about = About { entity_type: EntityType::Request.into(), id: Uuid::from_u128(50), name: "Cabin 5".into() };
        let missed = CallState::Ended {
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
        assert_eq!(written["about"]["entity_type"], "request");
        assert_eq!(serde_json::from_value::<Call>(written).unwrap(), call);
        for state in [CallState::Ringing, CallState::Ongoing { answered_at: at(12), callee_endpoint: None }] {
            let call = Call { state, ..call.clone() };
            assert_eq!(serde_json::from_value::<Call>(serde_json::to_value(&call).unwrap()).unwrap(), call);
        }
    }

    #[test]
    fn a_call_about_an_entity_of_a_newer_version_is_read() {
        let mut written = serde_json::to_value(ringing_call(at(0))).unwrap();
        written["about"] =
            serde_json::json!({ "entity_type": "work_order", "id": Uuid::from_u128(5), "name": "Pump 2" });
        let call: Call = serde_json::from_value(written).unwrap();
        assert_eq!(call.about.unwrap().entity_type, EntityTypeName::Foreign("work_order".into()));
    }

    #[test]
    fn the_other_end_is_the_one_that_one_isn_t() {
        let call = ringing_call(at(0));
        let other = |person: crate::person::Person| call.other(person.id).map(|other| other.name.as_str());
        assert_eq!([other(sam()), other(siri()), other(tom())], [Some("Siri"), Some("Sam"), None]);
    }
}
