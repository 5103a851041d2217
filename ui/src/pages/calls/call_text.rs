//! Calls in words: parties, direction, outcome.

use crewbell_shared::call::{Call, CallState};
use crewbell_shared::ids::PersonId;

use crate::components::IconName;
use crate::locales::{Sentence, Text, names, time, words};

/// The caller and the callee.
pub fn parties(call: &Call) -> Sentence {
    Sentence::joined([(&call.caller).into(), (&call.callee).into()], " → ")
}

/// The direction of a call, from the point of view of one party.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallDirection {
    /// An outgoing call.
    Made,
    /// An incoming call.
    Received,
    /// An incoming call that was missed.
    Missed,
}

impl CallDirection {
    /// The direction of a call for one of its parties.
    pub fn of(call: &Call, me: PersonId) -> Self {
        match (call.caller.id == me, call.is_missed()) {
            (true, _) => Self::Made,
            (false, true) => Self::Missed,
            (false, false) => Self::Received,
        }
    }

    /// The name of the direction.
    pub fn word(self) -> Text {
        let w = &words().calls;
        match self {
            Self::Made => w.made,
            Self::Received => w.received,
            Self::Missed => w.missed,
        }
    }

    /// The icon of the direction.
    pub fn icon(self) -> IconName {
        match self {
            Self::Made => IconName::PhoneOut,
            Self::Received => IconName::PhoneIn,
            Self::Missed => IconName::PhoneMissed,
        }
    }
}

/// The state of a call; for a call that ended, its outcome and its duration.
pub fn how(call: &Call) -> String {
    let w = &words().calls;
    match &call.state {
        CallState::Ringing => w.ringing.to_owned(),
        CallState::Ongoing { .. } => w.in_call.to_owned(),
        CallState::Ended { answered_at: Some(_), outcome, duration_s, .. } => {
            format!("{} · {}", names::outcome(*outcome), time::age(i64::from(*duration_s)))
        }
        CallState::Ended { outcome, .. } => names::outcome(*outcome).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crewbell_shared::call::{Outcome, Why};
    use crewbell_shared::testing::{at, ringing_call, sam, siri};

    use super::*;

    fn ended(outcome: Outcome, answered: bool) -> Call {
        let answered_at = answered.then(|| at(5));
        let duration_s = if answered { 42 } else { 0 };
        let state = CallState::Ended { answered_at, ended_at: at(47), ended_by: None, outcome, duration_s };
        Call { state, ..ringing_call(at(0)) }
    }

    #[test]
    fn who_was_called_in_vain_missed_it_and_who_called_did_not() {
        let call = ended(Outcome::Missed { why: Why::Busy }, false);
        assert_eq!(CallDirection::of(&call, siri().id), CallDirection::Missed);
        assert_eq!(CallDirection::of(&call, sam().id), CallDirection::Made);
        assert_eq!(CallDirection::of(&ended(Outcome::Cancelled, false), siri().id), CallDirection::Missed);
        assert_eq!(CallDirection::of(&ended(Outcome::Rejected, false), siri().id), CallDirection::Received);
    }

    #[test]
    fn how_long_a_call_was_is_told_only_of_one_that_was_answered() {
        assert_eq!(how(&ended(Outcome::Completed, true)), "Call ended · 0:42");
        assert_eq!(how(&ended(Outcome::Dropped, true)), "Broke off · 0:42");
        assert_eq!(how(&ended(Outcome::Missed { why: Why::InCall }, false)), "In another call");
    }
}
