//! The states of a request; each variant carries that state's facts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::person::PersonRef;

/// The acceptance of a request: holder and time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Acceptance {
    /// The present or last holder.
    pub accepted_by: PersonRef,
    /// The time of acceptance (not of a hand-over), or of the last one after the guest had pressed again.
    pub accepted_at: Timestamp,
}

/// The state of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RequestState {
    /// Nobody has accepted it: it rings.
    Open,
    /// Somebody has accepted it.
    Accepted(Acceptance),
    /// The guest was served.
    Completed {
        /// The last acceptance.
        #[serde(flatten)]
        acceptance: Acceptance,
        /// The person who completed it.
        completed_by: PersonRef,
        /// The time of completion.
        completed_at: Timestamp,
    },
    /// The request was cancelled: pressed by mistake, asked twice.
    Cancelled {
        /// The last acceptance, if any.
        #[serde(flatten)]
        #[cfg_attr(feature = "openapi", schema(value_type = PossibleAcceptance))]
        acceptance: Option<Acceptance>,
        /// The person who cancelled it.
        cancelled_by: PersonRef,
        /// The time of cancellation.
        cancelled_at: Timestamp,
        /// The reason, if given.
        cancel_reason: Option<String>,
    },
}

// Stands for `Option<Acceptance>` in the OpenAPI document, where the flattened fields of an option would be a nullable
// object, which never occurs.
/// The acceptance of a request, with both fields or none.
#[cfg(feature = "openapi")]
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "read by the derive alone")]
struct PossibleAcceptance {
    /// The last holder.
    accepted_by: Option<PersonRef>,
    /// The time of acceptance (not of a hand-over).
    accepted_at: Option<Timestamp>,
}

impl RequestState {
    /// The states' names on the wire and in the database.
    pub const NAMES: [&'static str; 4] = ["open", "accepted", "completed", "cancelled"];

    /// The state's name.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Accepted(_) => "accepted",
            Self::Completed { .. } => "completed",
            Self::Cancelled { .. } => "cancelled",
        }
    }

    /// Whether the request is completed or cancelled.
    pub fn is_closed(&self) -> bool {
        match self {
            Self::Open | Self::Accepted(_) => false,
            Self::Completed { .. } | Self::Cancelled { .. } => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Request;
    use crate::testing::{at, open_request, sam, siri};

    fn accepted() -> Acceptance {
        Acceptance { accepted_by: siri().as_ref(), accepted_at: at(1) }
    }

    fn every_state() -> Vec<RequestState> {
        let cancelled = |acceptance, reason: Option<&str>| RequestState::Cancelled {
            acceptance,
            cancelled_by: sam().as_ref(),
            cancelled_at: at(2),
            cancel_reason: reason.map(str::to_owned),
        };
        vec![
            RequestState::Open,
            RequestState::Accepted(accepted()),
            RequestState::Completed { acceptance: accepted(), completed_by: sam().as_ref(), completed_at: at(2) },
            cancelled(None, Some("twice")),
            cancelled(Some(accepted()), None),
        ]
    }

    #[test]
    fn a_request_in_any_state_is_read_as_it_was_written() {
        for state in every_state() {
            let request = Request { state, ..open_request(at(0)) };
            let text = serde_json::to_string(&request).unwrap();
            assert_eq!(serde_json::from_str::<Request>(&text).unwrap(), request, "{text}");
        }
    }

    #[test]
    fn optional_fields_that_a_request_lacks_are_none() {
        for state in every_state() {
            let request = Request { state, ..open_request(at(0)) };
            let mut json = serde_json::to_value(&request).unwrap();
            json.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            assert_eq!(serde_json::from_value::<Request>(json.clone()).unwrap(), request, "{json}");
        }
    }

    #[test]
    fn a_state_without_its_facts_is_no_request() {
        let facts: [&[&str]; 4] =
            [&["accepted_by", "accepted_at"], &["accepted_at", "completed_by"], &["cancelled_by"], &["cancelled_at"]];
        for (state, facts) in every_state().into_iter().skip(1).zip(facts) {
            let whole = serde_json::to_value(Request { state, ..open_request(at(0)) }).unwrap();
            for fact in ["state"].iter().chain(facts) {
                let mut json = whole.clone();
                json.as_object_mut().unwrap().remove(*fact);
                let error = serde_json::from_value::<Request>(json).unwrap_err();
                assert!(error.to_string().contains(fact), "{error}");
            }
        }
    }
}
