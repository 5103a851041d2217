//! Refusal of commands that arrive after their records were deleted.
//!
//! A command's outcome is stored for a while, so that the same command again gets the same answer. A tablet that was
//! offline for longer may resend one that was done and whose answer was lost. If the log has its entry, it was done.
//! Without an entry, it may have been refused, have changed nothing, or never have arrived. It can't be decided safely,
//! so it is refused, stays on its device, and the person who gave it decides.
//!
//! This applies only where records were really deleted: the site stores until when. So neither a tablet with a wrong
//! clock nor a server whose clock jumped ahead makes a command too old while every record is still there.

use std::collections::BTreeSet;

use crewbell_shared::ids::{CommandId, SiteId};
use crewbell_shared::{Code, Refusal};
use jiff::{SignedDuration, Timestamp};
use sqlx::PgConnection;
use uuid::Uuid;

use super::IdempotencyKey;
use crate::db::DbError;
use crate::db::commands::{self, CommandRecord};
use crate::db::entries::{self, Trace};

/// Maximum clock skew of a device ahead of the server: a command from before the deletion may claim to be this much
/// younger. Commands are kept for this much longer than promised (`retention.commands`).
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_hours(24);

/// The commands of a batch whose records may have been deleted.
#[derive(Debug, Default)]
pub(super) struct Old {
    traces: Vec<Trace>,
    forgotten: BTreeSet<Uuid>,
}

impl Old {
    /// Looks up, in the log, the commands that have no record and are old enough for it to have been deleted.
    pub(super) async fn look(
        conn: &mut PgConnection,
        site: SiteId,
        keys: impl Iterator<Item = &IdempotencyKey>,
        known: &[CommandRecord],
    ) -> Result<Self, DbError> {
        let timed = keys.filter_map(|key| Some((key.id.0, key.made_at?)));
        let unknown = timed.filter(|(id, _)| !known.iter().any(|decided| decided.outcome.id.0 == *id));
        let unknown: Vec<_> = unknown.collect();
        if unknown.is_empty() {
            return Ok(Self::default());
        }
        let Some(before) = commands::forgotten_before(conn, site).await? else { return Ok(Self::default()) };
        let before = before.saturating_add(CLOCKS_DIFFER).unwrap_or(Timestamp::MAX);
        let old = unknown.into_iter().filter(|(_, made_at)| *made_at < before);
        let ids: Vec<Uuid> = old.map(|(id, _)| id).collect();
        if ids.is_empty() {
            return Ok(Self::default());
        }
        let traces = entries::of_commands(conn, site, &ids).await?;
        let untold = ids.into_iter().filter(|id| !traces.iter().any(|trace| trace.command == *id));
        let forgotten = untold.collect();
        Ok(Self { traces, forgotten })
    }

    /// Returns a command's trace in the log.
    pub(super) fn trace(&self, id: CommandId) -> Option<&Trace> {
        self.traces.iter().find(|trace| trace.command == id.0)
    }

    /// Returns the refusal of a command whose outcome is unknown.
    pub(super) fn refusal(&self, key: &IdempotencyKey) -> Option<Refusal> {
        let message = "This was done so long ago that the server can't tell any more whether it has it already.";
        self.forgotten.contains(&key.id.0).then(|| Refusal::new(Code::TooOld, message).with("made_at", &key.made_at))
    }
}
