//! Commands that come when nobody knows any more whether they were done.
//!
//! What a command came to is kept for a while, so that the same command again gets the same answer. A tablet that was away
//! for longer may bring one that was done, and whose answer was lost: the log has its entry, and then it was done. One
//! without an entry may have been refused, may have changed nothing, may never have come. Nobody knows, and it isn't done
//! on a guess: it is refused, stays on its device, and the person who gave it decides.
//!
//! Nobody knows only where something was really forgotten: the site remembers until when. So neither a tablet whose clock
//! is wrong nor a server whose clock jumped ahead makes a command too old where each is still known.

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

/// By how much a device's clock may be ahead of the server's: a command of before what was forgotten may say to be so much
/// younger. Commands are kept for as much longer than is promised (`retention.commands`).
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_hours(24);

/// The old ones of a batch.
#[derive(Debug, Default)]
pub(super) struct Old {
    traces: Vec<Trace>,
    forgotten: BTreeSet<Uuid>,
}

impl Old {
    /// Looks those commands up that aren't among the known ones, and may be among those that the site has forgotten.
    pub(super) async fn look(
        conn: &mut PgConnection,
        site: SiteId,
        keys: impl Iterator<Item = &Key>,
        known: &[Decided],
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
