//! Which sessions are used: noted in memory with each request, written in one batch.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crewbell_shared::ids::SessionId;

/// Sessions of a site that were used since they were written last; as many as are signed in, at most.
#[derive(Debug, Default)]
pub struct Uses(Mutex<BTreeSet<SessionId>>);

impl Uses {
    /// Notes that a session is used.
    pub fn note(&self, session: SessionId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(session);
    }

    /// Takes what was noted.
    pub fn take(&self) -> BTreeSet<SessionId> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts back what could not be written.
    pub fn put_back(&self, sessions: impl IntoIterator<Item = SessionId>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(sessions);
    }
}
