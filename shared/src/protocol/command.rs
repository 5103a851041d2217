//! Commands: the envelope, the verb and the outcome.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Refusal;
use crate::entities::Verb;
use crate::ids::CommandId;

/// A client's command: the envelope of a verb. Sending it twice executes it once, because the id is the idempotency
/// key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Command {
    /// The command's id, made by the client when the person acted.
    pub id: CommandId,
    /// The time when the person acted, by the client's clock; stored with the command, never used for ordering.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_at: Option<Timestamp>,
    /// The id of an earlier command that this one depends on; if that is refused, so is this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depends_on: Option<CommandId>,
    /// The operation.
    #[serde(flatten)]
    pub verb: Verb,
}

/// The result of a command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Outcome {
    /// The command's id.
    pub id: CommandId,
    /// The number of the last entry that it appended; none if it changed nothing or was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// The refusal; none if it succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
}
