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
