//! Commands that come when nobody knows any more whether they were done.
//!
//! What a command came to is kept for a while, so that the same command again gets the same answer. A tablet that was away
//! for longer may bring one that was done, and whose answer was lost: the log has its entry, and then it was done. One
//! without an entry may have been refused, may have changed nothing, may never have come. Nobody knows, and it isn't done
//! on a guess: it is refused, stays on its device, and the person who gave it decides.

use std::collections::BTreeSet;

use crewbell_shared::ids::{CommandId, SiteId};
use crewbell_shared::{Code, Refusal};
use jiff::{SignedDuration, Timestamp};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Key;
use crate::db::DbError;
use crate::db::commands::{self, Decided};
use crate::db::entries::{self, Trace};

/// How long it is kept what became of a command, where nothing else is set (`retention.commands`): a season. Whatever
/// deletes them must keep each for a day longer than this says, since devices' clocks aren't the server's.
pub const COMMANDS_KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The old ones of a batch.
#[derive(Debug, Default)]
pub(super) struct Old {
    traces: Vec<Trace>,
    forgotten: BTreeSet<Uuid>,
}

impl Old {
    /// Looks those commands up that aren't among the known ones and are older than they are kept, as of `at`.
    ///
    /// A clock that jumped ahead makes every command look old. So it counts as forgotten only what is also older than the
    /// oldest command that is still there.
    pub(super) async fn look(
        conn: &mut PgConnection,
        site: SiteId,
        (at, kept): (Timestamp, SignedDuration),
        keys: impl Iterator<Item = &Key>,
        known: &[Decided],
    ) -> Result<Self, DbError> {
        let before = at.saturating_sub(kept).unwrap_or(Timestamp::MIN);
        let made = keys.filter_map(|key| Some((key.id.0, key.made_at.filter(|made_at| *made_at < before)?)));
        let unknown = made.filter(|(id, _)| !known.iter().any(|decided| decided.outcome.id.0 == *id));
        let unknown: Vec<(Uuid, Timestamp)> = unknown.collect();
        if unknown.is_empty() {
            return Ok(Self::default());
        }
        let ids: Vec<Uuid> = unknown.iter().map(|(id, _)| *id).collect();
        let traces = entries::of_commands(conn, site, &ids).await?;
        let times: Vec<Timestamp> = unknown.iter().map(|(_, made_at)| *made_at).collect();
        let known_from_then = commands::reach_back(conn, site, &times).await?;
        let gone = unknown.into_iter().zip(known_from_then).filter(|(_, known)| !known).map(|(command, _)| command);
        let untold = gone.filter(|(id, _)| !traces.iter().any(|trace| trace.command == *id));
        let forgotten = untold.map(|(id, _)| id).collect();
        Ok(Self { traces, forgotten })
    }

    /// What the log has of a command.
    pub(super) fn trace(&self, id: CommandId) -> Option<&Trace> {
        self.traces.iter().find(|trace| trace.command == id.0)
    }

    /// The refusal of one of which nobody knows.
    pub(super) fn refusal(&self, key: &Key) -> Option<Refusal> {
        let message = "This was done so long ago that the server can't tell any more whether it has it already.";
        self.forgotten.contains(&key.id.0).then(|| Refusal::new(Code::TooOld, message).with("made_at", &key.made_at))
    }
}
