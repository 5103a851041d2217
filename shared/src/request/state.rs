//! The states of a request; each variant carries that state's facts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::person::PersonRef;

/// Who took a request, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Acceptance {
    /// Who has it, or had it last.
    pub accepted_by: PersonRef,
    /// When it was taken (not when it was handed over), or accepted once more after the guest had pressed again.
    pub accepted_at: Timestamp,
}

/// How far a request is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// Nobody has it: it rings.
    Open,
    /// Somebody has it.
    Accepted(Acceptance),
    /// The guest was served.
    Completed {
        /// Who had it.
        #[serde(flatten)]
        acceptance: Acceptance,
        /// Who said that it is done.
        completed_by: PersonRef,
        /// When.
        completed_at: Timestamp,
    },
    /// It came to nothing: pressed by mistake, asked twice.
    Cancelled {
        /// Who had it, if anybody.
        #[serde(flatten)]
        #[cfg_attr(feature = "openapi", schema(value_type = PossibleAcceptance))]
        acceptance: Option<Acceptance>,
        /// Who cancelled it.
        cancelled_by: PersonRef,
        /// When.
        cancelled_at: Timestamp,
        /// Why, if they said.
        cancel_reason: Option<String>,
    },
}

// Stands for `Option<Acceptance>` in the OpenAPI document: there the flattened fields of an option would be an object
// that is null, which nothing is.
/// Who took a request, and when; both or neither.
#[cfg(feature = "openapi")]
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "read by the derive alone")]
struct PossibleAcceptance {
    /// Who had it last.
    accepted_by: Option<PersonRef>,
    /// When it was taken (not when it was handed over).
    accepted_at: Option<Timestamp>,
}

impl State {
    /// The names of the states as they cross a wire and stand in the database.
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

    /// Whether nothing more can be done with the request.
    pub fn is_closed(&self) -> bool {
        match self {
            Self::Open | Self::Accepted(_) => false,
            Self::Completed { .. } | Self::Cancelled { .. } => true,
        }
    }
}
