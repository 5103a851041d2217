//! A person's filtered view of the log, and its frames.

use std::fmt::Write;
use std::sync::Arc;

use crewbell_shared::Refusal;
use crewbell_shared::ids::{EventId, SessionId};
use crewbell_shared::person::Person;
use crewbell_shared::protocol::live::FromServer;

use crate::auth::SignedIn;
use crate::log::{LogEntry, ReadError, Reader};
use crate::site_registry::{OpenSite, SiteRegistry};

/// Maximum size of a frame in bytes. Pages are limited to far less, so that only a single entry can exceed it; the
/// reader then needs a snapshot. The app accepts 16 MiB.
pub const LARGEST_FRAME: usize = 8 * 1024 * 1024;

/// A person's stream of log entries, filtered by audience and category.
#[derive(Debug)]
pub struct Stream {
    reader: Reader,
    person: Person,
    session: String,
    /// The site, whose record of used sessions each read updates.
    site: Arc<OpenSite>,
    session_id: SessionId,
    categories: Vec<String>,
    /// The number of the entry up to which `person` and the session are checked.
    as_of: u64,
    /// The number of the last entry sent. The reader may be further, past entries for others.
    sent: u64,
    /// Reader of the entries between `as_of` and a cursor beyond it. None of them is sent, but one may be a sign-out.
    unseen: Option<Reader>,
}

/// The next item of a stream.
#[derive(Debug)]
pub enum Next {
    /// The number of the entry sent before, and entries to send, oldest first.
    Entries(u64, Vec<Arc<LogEntry>>),
    /// Entries were read, but none is for this person.
    Nothing,
    /// The person signed out, or may no longer sign in.
    SignedOut,
}

impl Stream {
    /// Creates a stream that begins after an entry. If an event id is given, the entry must have it.
    pub fn new(who: &SignedIn, cursor: u64, event_id: Option<EventId>, categories: Vec<String>) -> Self {
        let session = who.session_id.to_string();
        let (reader, person) = (who.site.reader(cursor).expecting(event_id), who.person.clone());
        let (site, session_id) = (Arc::clone(&who.site), who.session_id);
        let unseen = (cursor > who.as_of).then(|| who.site.reader(who.as_of));
        Self { reader, person, session, site, session_id, categories, as_of: who.as_of, sent: cursor, unseen }
    }

    /// Returns the person whose stream it is.
    pub fn person(&self) -> &Person {
        &self.person
    }

    /// Returns the number of the last entry sent.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Waits for the next item. Cancel-safe.
    ///
    /// # Errors
    /// Returns an error if the cursor is outside the log or the database can't be read. After a database error a later
    /// call continues from the same position.
    pub async fn next(&mut self) -> Result<Next, ReadError> {
        if !self.lives_through_what_is_unseen().await? {
            return Ok(Next::SignedOut);
        }
        let entries = self.reader.next().await?;
        self.site.uses.note(self.session_id);
        if !self.lives_through(&entries) {
            return Ok(Next::SignedOut);
        }
        let mine: Vec<_> = entries.into_iter().filter(|entry| self.wants(entry)).collect();
        let Some(last) = mine.last() else { return Ok(Next::Nothing) };
        let prev = std::mem::replace(&mut self.sent, last.seq);
        Ok(Next::Entries(prev, mine))
    }

    /// Returns whether the reader has read every entry that this process knows of.
    pub fn is_at_end(&self) -> bool {
        self.reader.is_at_end()
    }

    /// Applies the entries between the authentication and the cursor, which the client says it has. Returns false if
    /// one ends the sign-in. The reader refuses a cursor beyond the log.
    async fn lives_through_what_is_unseen(&mut self) -> Result<bool, ReadError> {
        while let Some(unseen) = &mut self.unseen {
            let entries = unseen.read().await?;
            if entries.is_empty() || unseen.cursor() >= self.sent {
                self.unseen = None;
                break;
            }
            unseen.advance(&entries);
            if !self.lives_through(&entries) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Applies entries to the person. Returns false if one ends the sign-in. Entries up to `as_of` are skipped, because
    /// a person who was deactivated may have been reactivated since.
    fn lives_through(&mut self, entries: &[Arc<LogEntry>]) -> bool {
        let as_of = self.as_of;
        for entry in entries.iter().filter(|entry| entry.seq > as_of) {
            if entry.about_person() == Some(self.person.id) {
                self.changed(entry);
            }
            if !self.person.active || self.ends_session(entry) {
                return false;
            }
        }
        true
    }

    fn wants(&self, entry: &LogEntry) -> bool {
        entry.audience.includes(&self.person)
            && (self.categories.is_empty() || self.categories.contains(&entry.category))
    }

    /// Updates the person from an entry about them. Their role decides which later entries they see.
    fn changed(&mut self, entry: &LogEntry) {
        match serde_json::from_str::<Person>(entry.payload.get()) {
            Ok(person) => self.person = person,
            Err(error) => tracing::error!(seq = entry.seq, %error, "An entry about a person can't be read."),
        }
    }

    fn ends_session(&self, entry: &LogEntry) -> bool {
        matches!(
            entry.kind.as_str(),
            "person_signed_out" | "person_session_expired" | "person_secret_set" | "person_signed_in"
        ) && ended_sessions(entry).contains(&self.session)
    }
}

/// Returns the sessions that an entry ended, from either of its lists.
fn ended_sessions(entry: &LogEntry) -> Vec<String> {
    #[derive(serde::Deserialize)]
    struct Ended {
        #[serde(default)]
        ended: Vec<String>,
        #[serde(default)]
        replaced: Vec<String>,
    }
    let read = serde_json::from_str::<Ended>(entry.payload.get());
    read.map(|list| list.ended.into_iter().chain(list.replaced).collect()).unwrap_or_default()
}

/// Returns the `welcome` frame. The installation's id is missing if the database is unavailable; the client then
/// requests it separately.
pub(super) async fn welcome(registry: &SiteRegistry, who: &SignedIn) -> FromServer {
    let (server_time, instance) = (registry.clock.now(), registry.instance().await.ok());
    FromServer::Welcome { head: who.as_of, server_time, person_id: who.person.id, instance }
}

/// Returns an `entries` frame.
pub(super) fn entries_frame(prev: u64, entries: &[Arc<LogEntry>]) -> String {
    let length: usize = entries.iter().map(|entry| entry.envelope.len() + 1).sum();
    let mut frame = String::with_capacity(length + 64);
    let _ = write!(frame, r#"{{"t":"entries","prev":{prev},"entries":["#);
    for (place, entry) in entries.iter().enumerate() {
        if place > 0 {
            frame.push(',');
        }
        frame.push_str(&entry.envelope);
    }
    frame.push_str("]}");
    frame
}

/// Returns the refusal for a page that is too large for a frame. A snapshot takes the client past it.
pub(super) fn too_large() -> Refusal {
    Refusal::new(crewbell_shared::Code::SnapshotNeeded, "The next entry is larger than can be sent.")
        .with("limit", &LARGEST_FRAME)
        .with("restored", &false)
}

/// Returns the refusal for a failed read.
pub fn refusal_from_read_error(error: &ReadError) -> Refusal {
    use crewbell_shared::Code;
    match error {
        ReadError::SnapshotNeeded { first, head, restored, .. } => {
            let message = if *restored {
                "The log isn't the one that the cursor is from: the server was restored from a backup."
            } else {
                "The log doesn't reach back to that entry."
            };
            Refusal::new(Code::SnapshotNeeded, message)
                .with("first", first)
                .with("head", head)
                .with("restored", restored)
        }
        ReadError::Db(_) => Refusal::new(Code::Unavailable, "The database is away. Trying again is right."),
    }
}
