//! The log as one person may see it, in frames.

use std::fmt::Write;
use std::sync::Arc;

use crewbell_shared::Refusal;
use crewbell_shared::ids::{EventId, SessionId};
use crewbell_shared::person::Person;
use crewbell_shared::protocol::live::FromServer;

use crate::auth::SignedIn;
use crate::house::{House, OpenSite};
use crate::log::{LogEntry, ReadError, Reader};

/// Bytes of a frame at most. Pages are cut by bytes far below it, so that only a single entry can be larger: then the log
/// isn't the way to it, and whoever reads is sent for a snapshot. An app takes 16 MiB.
pub const LARGEST_FRAME: usize = 8 * 1024 * 1024;

/// A person's stream: what of the log is for them, with the number of the entry sent before.
#[derive(Debug)]
pub struct Stream {
    reader: Reader,
    person: Person,
    session: String,
    /// Notes that the session is used, for as long as something comes of it.
    site: Arc<OpenSite>,
    session_id: SessionId,
    categories: Vec<String>,
    /// The entry up to which it is known who the person is and that the session lives.
    as_of: u64,
    /// The number of the last entry sent; the reader itself may be further, past what is for others.
    sent: u64,
    /// Where the cursor is beyond `as_of`: what lies between, of which nothing is sent, but a sign-out may be in it.
    unseen: Option<Reader>,
}

/// What a stream has next.
#[derive(Debug)]
pub enum Next {
    /// Entries to send, oldest first, and the number of the one sent before them.
    Entries(u64, Vec<Arc<LogEntry>>),
    /// Nothing for this person this time.
    Nothing,
    /// The person signed out, or may no longer sign in.
    SignedOut,
}

impl Stream {
    /// The stream of somebody, after an entry, which is to have an event id where one is given.
    pub fn new(who: &SignedIn, cursor: u64, event_id: Option<EventId>, categories: Vec<String>) -> Self {
        let session = who.session_id.to_string();
        let (reader, person) = (who.site.reader(cursor).expecting(event_id), who.person.clone());
        let (site, session_id) = (Arc::clone(&who.site), who.session_id);
        let unseen = (cursor > who.as_of).then(|| who.site.reader(who.as_of));
        Self { reader, person, session, site, session_id, categories, as_of: who.as_of, sent: cursor, unseen }
    }

    /// Whose stream it is.
    pub fn person(&self) -> &Person {
        &self.person
    }

    /// The number of the last entry sent.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Waits for what is next. Safe to drop while it waits.
    ///
    /// # Errors
    /// The cursor is outside the log, or the database can't be read; then a later call goes on from where it was.
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

    /// Whether whoever reads has read all that this process knows of.
    pub fn is_at_end(&self) -> bool {
        self.reader.is_at_end()
    }

    /// Looks through what the client says it has read already, and that came after its token was looked at. What it can't
    /// have read yet, the reader refuses.
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

    /// Notes what entries say of the person; false when one ends their sign-in. What came before the token was looked at is
    /// history: who was shut out once may be back.
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

    /// The person's own entry: their role decides what they see from here on.
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

/// The sessions that an entry ended, wherever it lists them.
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

/// The frame that greets somebody. The installation's id is known unless the database is away; then the client asks by
/// itself.
pub(super) async fn welcome(house: &House, who: &SignedIn) -> FromServer {
    let (server_time, instance) = (house.clock.now(), house.instance().await.ok());
    FromServer::Welcome { head: who.as_of, server_time, person_id: who.person.id, instance }
}

/// The frame that carries entries.
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

/// The refusal of a page that is too large for a frame: the site whole goes past it.
pub(super) fn too_large() -> Refusal {
    Refusal::new(crewbell_shared::Code::SnapshotNeeded, "The next entry is larger than can be sent.")
        .with("limit", &LARGEST_FRAME)
        .with("restored", &false)
}

/// The refusal that stands for a read that failed.
pub fn refusal_of(error: &ReadError) -> Refusal {
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
